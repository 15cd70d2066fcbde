package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// given is what flags say.
func given(t *testing.T, args ...string) settings {
	t.Helper()
	var s settings
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	s.register(f)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return s
}

// A place is offered unless a flag that is given now is against it.
func TestPlacesFit(t *testing.T) {
	file := places(filepath.Join(t.TempDir(), "state", "place.json"))
	if p := file.fitting("1.0", given(t)); p != nil {
		t.Errorf("from nothing: %+v", p)
	}
	was := place{Schema: placeSchema, Tool: "1.0", Step: "stop-b", Title: "Stop B", Number: 8, Of: 12, Args: []string{
		"--from", "2.14.9", "--to=A=embedded", "--nodes", "3", "--no-spare", "--port-offset", "100", "--workload=queue=3",
	}}
	if _, err := file.keep(&was); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args []string
		fits bool
	}{
		{nil, true},
		{[]string{"--nodes", "3"}, true},
		{[]string{"--nodes=4"}, false},
		{[]string{"--from", "2.14.9", "--to", "A=embedded"}, true},
		{[]string{"--from", "2.14.8"}, false},
		{[]string{"--to", "B=embedded"}, false},
		{[]string{"--workload", "queue=3"}, true},
		{[]string{"--workload", "queue=4"}, false},
		{[]string{"--clients", "20"}, false}, // the last time it was not said; nobody knows that it is the same
		{[]string{"--port-offset", "7", "--theme", "dark", "--offline"}, true},
	} {
		p := file.fitting("1.0", given(t, tc.args...))
		if (p != nil) != tc.fits {
			t.Errorf("%q: fits %t", tc.args, p != nil)
		}
		if p == nil {
			continue
		}
		now := given(t, tc.args...)
		s := p.settings(now)
		r, err := s.check()
		if err != nil || r.nodes != 3 || !r.noSpare || r.from.Want != "2.14.9" || r.to.Own["A"] != "embedded" || r.workload.Queue != 3 || r.offset != now.offset {
			t.Errorf("%q: %v, %+v", tc.args, err, r.settings)
		}
		if o := p.offer(); o.Flags != "--from 2.14.9 --to=A=embedded --nodes 3 --no-spare --workload=queue=3" {
			t.Errorf("offered with %s", o.Flags)
		}
	}
	if p := file.fitting("1.1", given(t)); p != nil {
		t.Errorf("another version's: %+v", p)
	}
	for _, damaged := range []string{"", "{", `{"schema":"nats-roll/place/2","tool":"1.0","step":"x"}`, `{"schema":"nats-roll/place/1","tool":"1.0","step":"x","number":2,"of":3,"args":["--gone"]}`, `{"schema":"nats-roll/place/1","tool":"1.0","step":"x","number":99,"of":-4}`} {
		if err := os.WriteFile(string(file), []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if p := file.fitting("1.0", given(t)); p != nil {
			t.Errorf("%q: %+v", damaged, p)
		}
	}
	if err := file.forget(nil); err != nil {
		t.Error(err)
	}
	if err := file.forget(nil); err != nil { // gone already
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Dir(string(file))); err != nil || len(left) > 0 {
		t.Errorf("%v, left %v", err, left)
	}
}

// steps tells a bookmark of the end of a step, and waits until the place is written.
func steps(t *testing.T, b *bookmark, file places, id string) {
	t.Helper()
	s := rehearsal.State{Plan: upgrade.Progress{Current: 1, Steps: []upgrade.StepProgress{{}, {}}}}
	s.Plan.Steps[1].ID = id // the second of two
	b.watch(rehearsal.Record{At: time.Unix(1000, 0), Event: upgrade.StepEnded{}}, s)
	for end := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		if p := file.read("1.0"); p != nil && p.Step == id {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s is not kept", id)
		}
	}
}

// Of two programs, the one that ends well takes its own place away and not the other's.
func TestTwoProgramsKeepTheirPlaces(t *testing.T) {
	file := places(filepath.Join(t.TempDir(), "place.json"))
	fails := func(err error) { t.Error(err) }
	program := func(name string) *bookmark {
		return file.mark(func() *place { return &place{Schema: placeSchema, Tool: "1.0", Title: name} }, fails)
	}
	well := rehearsal.Record{Event: upgrade.Finished{Outcome: upgrade.OutcomeVerified}}
	one, two := program("one"), program("two")
	steps(t, one, file, "stop-a")
	steps(t, two, file, "stop-b")
	one.watch(well, rehearsal.State{})
	one.close()
	if p := file.read("1.0"); p == nil || p.Step != "stop-b" {
		t.Errorf("the other program's place is %+v", p)
	}
	two.watch(well, rehearsal.State{})
	two.close()
	if p := file.read("1.0"); p != nil {
		t.Errorf("it is still there: %+v", p)
	}
}

// A place that cannot be kept is told of once.
func TestAPlaceThatCannotBeKept(t *testing.T) {
	none := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(none, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var told []error
	b := places(filepath.Join(none, "place.json")).mark(func() *place { return &place{} }, func(err error) { told = append(told, err) })
	s := rehearsal.State{Plan: upgrade.Progress{Current: 1, Steps: []upgrade.StepProgress{{}, {}}}}
	for range 3 {
		b.watch(rehearsal.Record{Event: upgrade.StepEnded{}}, s)
	}
	b.close()
	if len(told) != 1 || told[0] == nil {
		t.Errorf("told %v", told)
	}
}

// What is being gone on to stays the place until it is reached, or given up.
func TestAGoalIsKept(t *testing.T) {
	for name, last := range map[string]struct {
		event   cluster.Event
		current int
		kept    string
	}{
		"on the way": {upgrade.StepEnded{}, 3, ""},
		"reached":    {upgrade.StepEnded{}, 4, "step 5"},
		"taken back": {upgrade.StepUndone{}, 2, "step 3"},
	} {
		file := places(filepath.Join(t.TempDir(), "place.json"))
		b := file.mark(func() *place { return &place{Schema: placeSchema, Tool: "1.0", goal: "step 5"} }, func(err error) { t.Error(err) })
		s := rehearsal.State{Plan: upgrade.Progress{Steps: make([]upgrade.StepProgress, 6)}}
		for i := range s.Plan.Steps {
			s.Plan.Steps[i].ID = fmt.Sprintf("step %d", i+1)
		}
		for s.Plan.Current = 1; s.Plan.Current < 4; s.Plan.Current++ {
			b.watch(rehearsal.Record{Event: upgrade.StepEnded{}}, s)
		}
		s.Plan.Current = last.current
		b.watch(rehearsal.Record{Event: last.event}, s)
		b.close()
		step := ""
		if p := file.read("1.0"); p != nil {
			step = p.Step
		}
		if step != last.kept {
			t.Errorf("%s: kept %q, want %q", name, step, last.kept)
		}
	}
}

// Flags leave a command line with their values.
func TestWithout(t *testing.T) {
	args := []string{"--chapter", "seed", "--nodes", "3", "--no-spare", "--chapter=spread", "--port-offset", "7", "--clients=5"}
	for want, names := range map[string][]string{
		"--nodes 3 --no-spare --port-offset 7 --clients=5":                                 {"chapter"},
		"--chapter seed --nodes 3 --chapter=spread --clients=5":                            {"no-spare", "port-offset"},
		"--chapter seed --nodes 3 --no-spare --chapter=spread --port-offset 7 --clients=5": nil,
	} {
		if got := strings.Join(without(args, names...), " "); got != want {
			t.Errorf("%q: %s", names, got)
		}
	}
}
