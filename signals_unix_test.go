//go:build unix

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nats-roll/proc"
	"nats-roll/proc/proctest"
)

// patience bounds every wait for the program.
const patience = 90 * time.Second

// command is nats-roll in an environment that around made.
func command(t testing.TB, env map[string]string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := exec.LookPath("nats-roll")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = os.Environ()
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// begin starts an unattended rehearsal, whose output can be read.
func begin(t *testing.T, env map[string]string, args ...string) (*exec.Cmd, io.ReadCloser) {
	t.Helper()
	cmd := command(t, env, append([]string{"run", "--port-offset", env["OFFSET"]}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

// clean runs nats-roll clean, and says what it said.
func clean(t *testing.T, env map[string]string) string {
	t.Helper()
	said, err := command(t, env, "clean").CombinedOutput()
	if err != nil {
		t.Errorf("clean: %v: %s", err, said)
	}
	return string(said)
}

// nothingLeft waits until no port is taken any more, and says whether the
// folders of rehearsals are gone.
func nothingLeft(t *testing.T, env map[string]string) (folders []os.DirEntry) {
	t.Helper()
	offset, _ := strconv.Atoi(env["OFFSET"])
	eventually(t, "the ports are free", func() error { return proctest.Taken(2, offset) })
	folders, err := os.ReadDir(filepath.Join(env["XDG_STATE_HOME"], "nats-roll", "rehearsals"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return folders
}

func eventually(t *testing.T, what string, wrong func() error) {
	t.Helper()
	deadline := time.After(patience)
	for {
		err := wrong()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s: %v", what, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// childrenEnd: only Linux ends the servers of a program that was killed. Elsewhere
// the next start, or clean, finds them and ends them.
const childrenEnd = runtime.GOOS == "linux"

// However an unattended rehearsal is ended, in the middle of things, its exit
// code says how, and nothing stays.
func TestSignals(t *testing.T) {
	for _, tc := range []struct {
		name   string
		signal syscall.Signal
		moment string // in the output
		code   int
	}{
		{"INT at the start", syscall.SIGINT, `^\[ 1/12\] Start A`, 130},
		{"INT among clients", syscall.SIGINT, `^\[ 4/12\]`, 130},
		{"TERM", syscall.SIGTERM, `^\[ 7/12\]`, 143},
		{"HUP", syscall.SIGHUP, `^\[ 5/12\]`, 129},
		{"KILL", syscall.SIGKILL, `^\[ 5/12\]`, -1},
		{"KILL at the start", syscall.SIGKILL, `^\[ 1/12\]`, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			env := around(t)
			cmd, out := begin(t, env)
			lines := bufio.NewScanner(out)
			moment := regexp.MustCompile(tc.moment)
			for lines.Scan() && !moment.MatchString(lines.Text()) {
			}
			if err := cmd.Process.Signal(tc.signal); err != nil {
				t.Fatal(err)
			}
			rest, _ := io.ReadAll(out)
			exit, ok := errors.AsType[*exec.ExitError](cmd.Wait())
			if !ok || exit.ExitCode() != tc.code {
				t.Errorf("ended with %v, want %d; after %s:\n%s", exit, tc.code, tc.signal, rest)
			}
			if tc.signal == syscall.SIGKILL {
				if childrenEnd {
					if left := nothingLeft(t, env); len(left) != 1 {
						t.Errorf("left %v, want the folder that nobody could remove", left)
					}
				}
				if said := clean(t, env); !strings.Contains(said, "removed ") {
					t.Errorf("clean says %s", said)
				}
			}
			if left := nothingLeft(t, env); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

// Who reads only the beginning of the output ends the rehearsal, too.
func TestABrokenPipe(t *testing.T) {
	env := around(t)
	cmd, out := begin(t, env, "--json")
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	_ = out.Close()
	if exit, ok := errors.AsType[*exec.ExitError](cmd.Wait()); !ok || exit.ExitCode() != 3 {
		t.Errorf("ended with %v, want 3", exit)
	}
	if left := nothingLeft(t, env); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// A client that writes to a server which has just gone causes SIGPIPE in this
// process. That is no reason to end.
func TestABrokenConnection(t *testing.T) {
	env := around(t)
	cmd, out := begin(t, env)
	lines := bufio.NewScanner(out)
	var last string
	for lines.Scan() {
		if last = lines.Text(); strings.HasPrefix(last, "[") {
			_ = cmd.Process.Signal(syscall.SIGPIPE)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v after %s", err, last)
	}
	nothingLeft(t, env)
}

// A process that only looks like a leftover is not touched: the record of one
// that has ended names a process id that somebody else has now.
func TestCleanLeavesOthersAlone(t *testing.T) {
	env := around(t)
	cmd, out := begin(t, env, "--keep", "--clients", "0", "--from", "embedded")
	told, _ := io.ReadAll(out)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, told)
	}
	kept, err := proc.Leftovers(t.Context(), filepath.Join(env["XDG_STATE_HOME"], "nats-roll", "rehearsals"))
	if err != nil || len(kept) != 1 || len(kept[0].Processes) != 2 {
		t.Fatalf("%v, %v", kept, err)
	}
	other := exec.Command("sleep", "600")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- other.Wait() }()
	defer func() { _ = other.Process.Kill(); <-ended }()
	a := kept[0].Processes[0]
	record := regexp.MustCompile(fmt.Sprintf(`\b%d\b`, a.PID))
	changed := 0
	err = filepath.Walk(kept[0].Dir, func(file string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || info.Size() > 1<<16 || filepath.Ext(file) == ".log" {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil || !record.Match(data) {
			return err
		}
		changed++
		return os.WriteFile(file, record.ReplaceAll(data, []byte(strconv.Itoa(other.Process.Pid))), info.Mode())
	})
	if err != nil || changed == 0 {
		t.Fatalf("no record of pid %d: %v", a.PID, err)
	}
	if said := clean(t, env); !strings.Contains(said, "1 server ended") {
		t.Errorf("clean says %s", said)
	}
	select {
	case err := <-ended:
		t.Errorf("the other process was ended: %v", err)
	default:
	}
	p, err := os.FindProcess(a.PID) // the server that no record names any more
	if err != nil || p.Kill() != nil {
		t.Errorf("A was ended, too: %v", err)
	}
	nothingLeft(t, env)
}
