package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nats-roll/rehearsal"
)

func header() rehearsal.Header { return rehearsal.Header{Tool: "1.2.3", Began: time.Now()} }

func quiet(t *testing.T) func(error) {
	return func(err error) { t.Errorf("failed: %v", err) }
}

// made puts so many recordings into the folder, the oldest first.
func (d archive) made(t *testing.T, n int) (names []string) {
	t.Helper()
	for i := range n {
		name := fmt.Sprintf("20261101-1200%02d-7", i)
		d.begin(name, header(), quiet(t)).end()
		names = append(names, name+".jsonl")
	}
	return names
}

func TestTheNewestRecordingsStay(t *testing.T) {
	d := archive(filepath.Join(t.TempDir(), "made", "on demand"))
	if names, err := d.names(); err != nil || names != nil {
		t.Errorf("without a folder: %v, %v", names, err)
	}
	all := d.made(t, keepRecordings+3)
	names, err := d.names()
	slices.Reverse(names)
	if err != nil || !slices.Equal(names, all[3:]) {
		t.Errorf("left %v, %v", names, err)
	}
}

func TestOnlyRecordingsThatAreOverAreRemoved(t *testing.T) {
	d := archive(t.TempDir())
	all := d.made(t, 3)
	mine := d.path("notes.jsonl")
	if err := os.WriteFile(mine, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	going := d.begin("20261101-110000-7", header(), quiet(t)) // the oldest of all
	n, err := d.remove(1)
	if n != len(all)-1 || locks && err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	names, _ := d.names()
	if want := []string{all[2], "20261101-110000-7.jsonl"}; !slices.Equal(names, want) {
		t.Errorf("left %v", names)
	}
	if going.end(); !going.whole {
		t.Error("it is not whole")
	}
	if n, err := d.remove(0); n != 2 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Errorf("a file that is none of ours: %v", err)
	}
}

// Whatever happens to a recording, the rehearsal goes on, and it is told once.
func TestARecordingThatFailsIsToldOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var told []string
	tell := func(err error) { told = append(told, err.Error()) }
	never := archive(file).begin("20261101-120000-7", header(), tell)
	lost := archive(dir).begin("20261101-120000-7", header(), tell)
	for _, r := range []*recording{never, lost} {
		told = nil
		if r.log != nil {
			_ = r.log.file.Close() // as good as a disk that is full
		}
		deadline := time.Now().Add(20 * time.Second)
		for i := 0; told == nil && time.Now().Before(deadline); i++ {
			r.watch(rehearsal.Record{At: time.Now(), Event: rehearsal.Note{Text: "x"}}, rehearsal.State{})
		}
		r.watch(rehearsal.Record{At: time.Now(), Event: rehearsal.Note{Text: "x"}}, rehearsal.State{})
		if r.end(); len(told) != 1 || r.whole || !strings.Contains(told[0], dir) {
			t.Errorf("told %q, whole %t", told, r.whole)
		}
	}
}
