package cli

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"nats-roll/upgrade"
)

// The newest walk of each kind is remembered, and only one that somebody read tells
// how long reading takes. What cannot be read or written is without consequence.
func TestWalksAreRemembered(t *testing.T) {
	f := walks(filepath.Join(t.TempDir(), "state", "chapters.json"))
	if got := f.latest(); len(got) != 0 {
		t.Errorf("before all: %v", got)
	}
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for i, w := range []walk{
		{Chapter: "rolling", TookMS: 3000},
		{Chapter: "rolling", Attended: true, TookMS: 300_000},
		{Chapter: "rolling", Attended: true, TookMS: 240_000},
		{Chapter: "downgrade", TookMS: 2000},
	} {
		w.Outcome, w.At = upgrade.OutcomeVerified, at.Add(time.Duration(i)*time.Hour)
		f.add(w)
	}
	got := f.latest()
	if w := got["rolling"]; w.Took != 4*time.Minute || !w.At.Equal(at.Add(2*time.Hour)) {
		t.Errorf("rolling: %+v", w)
	}
	if w, ok := got["downgrade"]; !ok || w.Took != 0 {
		t.Errorf("downgrade: %+v, %t", w, ok)
	}
	if all, err := f.read(); err != nil || len(all) != 3 {
		t.Errorf("%v, %v", all, err)
	}
	if err := os.WriteFile(string(f), []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := f.read(); err == nil || len(f.latest()) != 0 {
		t.Errorf("of a file that nobody can read: %v, %v", f.latest(), err)
	}
	f.add(walk{Chapter: "rolling", Outcome: upgrade.OutcomeVerified})
	if all, err := f.read(); err != nil || len(all) != 1 {
		t.Errorf("it was not written anew: %v, %v", all, err)
	}
	walks(filepath.Join(string(f), "below", "a", "file")).add(walk{Chapter: "rolling"})
	var both sync.WaitGroup
	for _, attended := range []bool{true, false} {
		both.Go(func() { f.add(walk{Chapter: "rolling", Attended: attended, Outcome: upgrade.OutcomeVerified}) })
	}
	both.Wait()
	if _, err := f.read(); err != nil {
		t.Errorf("after two at once: %v", err)
	}
	left, err := filepath.Glob(string(f) + ".*")
	if err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
