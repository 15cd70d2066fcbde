package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

func planned(t testing.TB) upgrade.Planned {
	t.Helper()
	top, err := cluster.NewTopology(2, true, 0)
	if err != nil {
		t.Fatal(err)
	}
	return upgrade.Planned{Outline: upgrade.Outline{Topology: top}}
}

func TestEveryEventIsNumberedAndSeenInOrder(t *testing.T) {
	var seen []Record
	l := New(func(r Record, s State) {
		if r.Seq != s.Seq {
			t.Errorf("record %d with state %d", r.Seq, s.Seq)
		}
		seen = append(seen, r)
	})
	var wg sync.WaitGroup
	for p := range 8 {
		wg.Go(func() {
			for i := range 500 {
				l.Emit(Note{Text: fmt.Sprintf("%d %d", p, i)})
			}
		})
	}
	wg.Wait()
	l.Close()
	l.Emit(Note{Text: "after the end"})
	if s, _ := l.State(); s.Seq != 4000 || len(seen) != 4000 || len(s.Notes) != keepNotes {
		t.Fatalf("folded %d, seen %d, notes %d", s.Seq, len(seen), len(s.Notes))
	}
	for i, r := range seen {
		if r.Seq != uint64(i+1) || i > 0 && r.At.Before(seen[i-1].At) {
			t.Fatalf("record %d has number %d at %s", i, r.Seq, r.At)
		}
	}
}

func TestAStateIsAnnouncedByItsChannel(t *testing.T) {
	l := New()
	defer l.Close()
	_, changed := l.State()
	l.Emit(Note{Text: "x"})
	select {
	case <-changed:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing changed")
	}
	if s, _ := l.State(); len(s.Notes) != 1 {
		t.Fatalf("notes %v", s.Notes)
	}
}

func TestLivesTellVersionsAndTimesOfEveryProcess(t *testing.T) {
	began := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	var s State
	for _, e := range []struct {
		ms int
		cluster.Event
	}{
		{0, planned(t)},
		{1, cluster.Started{Node: "A", Process: cluster.Process{PID: 7, Started: at(1)}}},
		{9, cluster.Answered{Answer: cluster.Answer{Node: "A", ServerID: "x", Version: "2.15.1", Began: at(8), Ended: at(9)}}},
		{50, cluster.Exited{Node: "A", PID: 7, Exit: cluster.Exit{At: at(50), Asked: true}}},
		{60, cluster.Started{Node: "A", Process: cluster.Process{PID: 8, Started: at(60)}}},
		{61, cluster.Answered{Answer: cluster.Answer{Node: "A", ServerID: "x", Version: "2.15.1", Began: at(49), Ended: at(61)}}}, // late
		{70, cluster.Answered{Answer: cluster.Answer{Node: "A", ServerID: "y", Version: "2.15.2", Began: at(69), Ended: at(70)}}},
	} {
		s = s.Apply(at(e.ms), e.Event)
	}
	if len(s.Lives) != 2 || s.Lives[0].Version != "2.15.1" || s.Lives[0].Exit == nil || s.Lives[1].Version != "2.15.2" || !s.Lives[1].Up.Equal(at(70)) {
		t.Errorf("lives %+v", s.Lives)
	}
}

// resolver gives a build or an error for each selector.
type resolver map[string]any

func (r resolver) Resolve(_ context.Context, want string, progress func(detail string)) (cluster.Build, error) {
	progress("looking")
	if b, ok := r[want].(cluster.Build); ok {
		return b, nil
	}
	return cluster.Build{}, r[want].(error)
}

type hinted struct{ error }

func (hinted) Advice(flag string) string { return "install Go, or use " + flag }

func TestPrepareFallsBackOnlyWhenNobodyAskedForThatVersion(t *testing.T) {
	to := cluster.Build{Version: "2.15.2", SHA256: "bb"}
	r := resolver{"embedded": to, "2.15.1": hinted{errors.New("no Go toolchain on PATH")}}
	for _, optional := range []bool{true, false} {
		l := New()
		p, err := Prepare(t.Context(), Selection{From: Side{Want: "2.15.1"}, To: Side{Want: "embedded"}, Optional: map[bool]string{true: "from"}[optional]}, r, l.Emit)
		l.Close()
		s, _ := l.State()
		if optional {
			if err != nil || !p.From.Build.Same(to) || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "no version changes") {
				t.Errorf("optional: %+v, %v", p, err)
			}
		} else if err == nil {
			t.Errorf("asked for: %+v", p)
		}
		for _, w := range s.Builds {
			if w.Role == "from" && (w.Hint != "install Go, or use --from" || w.Instead != optional) {
				t.Errorf("optional %t: told %+v", optional, w)
			}
		}
	}
}

func TestPrepareGetsWhatSingleServersAreToRun(t *testing.T) {
	older, newer, mine := cluster.Build{Version: "2.15.1"}, cluster.Build{Version: "2.15.2"}, cluster.Build{Version: "2.16.0-dev"}
	r := resolver{"2.15.1": older, "2.15.2": newer, "./mine": mine, "embedded": newer, "./none": hinted{errors.New("no such file")}}
	get := func(sel Selection) (Prepared, State, error) {
		l := New()
		p, err := Prepare(t.Context(), sel, r, l.Emit)
		l.Close()
		s, _ := l.State()
		return p, s, err
	}
	p, s, err := get(Selection{From: Side{Want: "2.15.1"}, To: Side{Want: "2.15.2", Own: map[string]string{"A": "./mine", "B": "./mine", "C": "embedded", "D": "2.15.2"}}})
	if err != nil || p.From.String() != "2.15.1" || p.To.String() != "2.15.2 (A and B 2.16.0-dev)" {
		t.Fatalf("%v to %v, %v", p.From, p.To, err)
	}
	var roles []string
	for _, w := range s.Builds {
		roles = append(roles, w.Role)
	}
	slices.Sort(roles)
	if got := strings.Join(roles, " "); got != "from to to A,B to C" { // D's is everybody's
		t.Errorf("got %s", got)
	}

	// What one server was to have is never replaced by something else.
	_, s, err = get(Selection{From: Side{Want: "2.15.1"}, To: Side{Want: "2.15.2", Own: map[string]string{"B": "./none"}}, Optional: "to"})
	if e, ok := errors.AsType[*BuildError](err); !ok || e.Node != "B" || e.Advice() != "install Go, or use --to B=" {
		t.Errorf("%#v", err)
	}
	if i := slices.IndexFunc(s.Builds, func(w Want) bool { return w.Role == "to B" }); i < 0 || s.Builds[i].Reason != "no such file" {
		t.Errorf("told %+v", s.Builds)
	}

	// The older version that nobody named may be missing all the same.
	p, _, err = get(Selection{From: Side{Want: "./none"}, To: Side{Want: "2.15.2", Own: map[string]string{"A": "./mine"}}, Optional: "from"})
	if err != nil || p.From.Build != newer || len(p.Notes) != 1 || !strings.HasSuffix(p.Notes[0], "so 2.15.2 stands in for it.") {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestJournalReadsWhatItWrote(t *testing.T) {
	var b strings.Builder
	j := NewJournal(&b, Header{Tool: "1.2.3"})
	l := New(j.Watch)
	l.Emit(planned(t))
	l.Emit(cluster.Exited{Node: "A", PID: 3, Exit: cluster.Exit{Code: -1, Signal: "SIGKILL", After: 5 * time.Second}})
	l.Emit(Note{Text: "kept"})
	l.Close()
	var kinds []string
	read := func(log string) (Header, error) {
		kinds = nil
		return ReadJournal(strings.NewReader(log), func(r Record) {
			kinds = append(kinds, r.Event.Kind())
			if e, ok := r.Event.(cluster.Exited); ok && e.Exit.After != 5*time.Second {
				t.Errorf("exit %+v", e.Exit)
			}
		})
	}
	h, err := read(b.String())
	if err != nil || h.Tool != "1.2.3" || strings.Join(kinds, " ") != "planned exited note" {
		t.Fatalf("%+v %v %v", h, kinds, err)
	}
	if _, err := read(b.String() + `{"seq":4,"kind":"fr`); err != nil || len(kinds) != 3 {
		t.Errorf("cut off: %v %v", kinds, err)
	}
	if _, err := read(b.String() + `{"seq":4,"at":"2026-11-01T12:00:00Z","kind":"from-the-future","data":{}}` + "\n"); err != nil || len(kinds) != 3 {
		t.Errorf("unknown kind: %v %v", kinds, err)
	}
	if _, err := read(b.String() + "garbage\n" + b.String()); err == nil {
		t.Error("garbage in the middle was read over")
	}
	if _, err := read("hello\n"); err == nil {
		t.Error("read something that is no log")
	}
}

func TestTheJournalKeepsNoSecret(t *testing.T) {
	var b strings.Builder
	j := NewJournal(&b, Header{Command: []string{"nats-roll", "--mirror", "https://bob:s3cret@mirror/", "--password", "s3cret"}})
	j.Watch(Record{Seq: 1, Event: Note{Text: "nats://s3cret@localhost does not answer"}}, State{})
	j.Watch(Record{Seq: 2, Event: cluster.Started{Node: "A", Process: cluster.Process{PID: 7, Args: []string{"nats-server", "--pass", "s3cret", "-D"}}}}, State{})
	j.Watch(Record{Seq: 3, Event: cluster.Logged{Lines: []cluster.LogLine{{Node: "A", Text: `auth_token: "s3cret"`}}}}, State{})
	if err := j.Close(); err != nil || strings.Contains(b.String(), "s3cret") {
		t.Fatalf("%v\n%s", err, b.String())
	}
	n := 0
	h, err := ReadJournal(strings.NewReader(b.String()), func(r Record) {
		n++
		if e, ok := r.Event.(cluster.Started); ok && strings.Join(e.Process.Args, " ") != "nats-server --pass *** -D" {
			t.Errorf("arguments %q", e.Process.Args)
		}
	})
	if err != nil || n != 3 || strings.Join(h.Command, " ") != "nats-roll --mirror https://***@mirror/ --password ***" {
		t.Errorf("%v, %d events, %q", err, n, h.Command)
	}
}
