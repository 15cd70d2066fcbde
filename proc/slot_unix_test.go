//go:build unix

package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"nats-roll/cluster"
)

// The way back writes not one byte: it works on a disk that is full.
func TestTheWayBackNeedsNoRoom(t *testing.T) {
	if os.Getenv("PROC_TEST_FULL") == "" { // in a process of its own: the limit is all of the process's
		again := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
		again.Env = append(os.Environ(), "PROC_TEST_FULL=1")
		if said, err := again.CombinedOutput(); err != nil || !strings.Contains(string(said), "--- PASS: "+t.Name()) {
			t.Errorf("%v: %s", err, said)
		}
		return
	}
	s := &Slot{Node: "A", Dir: t.TempDir()}
	old, next, third := file(t, "old"), file(t, "next"), file(t, "third")
	must(t, s.Install(t.Context(), old))
	must(t, s.Install(t.Context(), next))

	var limit syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	none := limit
	none.Cur = 0
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &none))
	full := s.Install(t.Context(), third)
	same := s.Install(t.Context(), next) // there already
	err := s.Install(t.Context(), old)
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	if !errors.Is(full, syscall.EFBIG) {
		t.Errorf("a copy was written: %v", full)
	}
	if same != nil {
		t.Errorf("what is there: %v", same)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir, "*.next*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	if got, rerr := os.ReadFile(s.Binary()); err != nil || string(got) != "old" {
		t.Errorf("%v: the slot holds %q, %v", err, got, rerr)
	}
}

// Nor does the start that follows: the room that the record of a process takes is
// not given back for the next one.
func TestARecordIsWrittenOverTheLastOne(t *testing.T) {
	v, e := supervise(t)
	begin(t, v, "serve")
	await(t, e, logged("Server is ready"))
	same := func(was os.FileInfo, path string) os.FileInfo {
		t.Helper()
		is, err := os.Stat(path)
		must(t, err)
		if was != nil && !os.SameFile(was, is) {
			t.Errorf("%s is another file", path)
		}
		return is
	}
	record := same(nil, v.Slot("A").record())
	must(t, v.Stop(t.Context(), "A", cluster.StopInt, patience))
	same(record, v.Slot("A").nextRecord())
	must(t, v.Start(t.Context(), "A", []string{"serve"}))
	same(record, v.Slot("A").record())
}

// A full disk is told with what is needed and what is there, where these numbers
// say why.
func TestAFullDiskIsToldInNumbers(t *testing.T) {
	large, small := cluster.Build{Version: "2.15.2", Size: 1 << 60}, cluster.Build{Version: "2.15.2", Size: 1}
	dir := t.TempDir()
	numbers := regexp.MustCompile(`^no room for 2\.15\.2 in ` + dir + `: it needs 1152921504\.6 GB, \d+\.\d [MG]B are free$`)
	for _, tc := range []struct {
		build cluster.Build
		err   error
		want  bool
	}{
		{large, &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, true},
		{small, syscall.ENOSPC, false}, // of something else than bytes
		{large, syscall.EDQUOT, false},
	} {
		err := explainFull(tc.err, tc.build, dir)
		if numbers.MatchString(err.Error()) != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%v: %v", tc.err, err)
		}
	}
	if s := fmt.Sprint(Bytes(18_240_000), ", ", Bytes(12_345_000_000)); s != "18.2 MB, 12.3 GB" {
		t.Error(s)
	}
}
