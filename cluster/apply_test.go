package cluster

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

var epoch = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func at(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }

// observed folds events, a millisecond apart, and checks that folding one
// leaves the observation before it as it was.
func observed(t *testing.T, events ...Event) Observation {
	t.Helper()
	top, err := NewTopology(2, true, 0)
	if err != nil {
		t.Fatal(err)
	}
	o := Observe(top)
	for i, e := range events {
		before, kept := o, clone(o)
		o = o.Apply(at(i), e)
		if !reflect.DeepEqual(before, kept) {
			t.Fatalf("event %d, %s, changed the observation before it", i, e.Kind())
		}
	}
	return o
}

func clone(o Observation) Observation {
	o.Servers = append([]Server(nil), o.Servers...)
	o.Fleet.Clients = append([]Client(nil), o.Fleet.Clients...)
	o.Followed = append([]Stranger(nil), o.Followed...)
	for i := range o.Followed {
		o.Followed[i].Trail = append([]Stay(nil), o.Followed[i].Trail...)
	}
	o.Applications = append([]Application(nil), o.Applications...)
	return o
}

func started(node string, pid, ms int, b Build) Started {
	return Started{Node: node, Process: Process{PID: pid, Build: b, Started: at(ms)}}
}

func answered(node, id string, ms int, peers ...string) Answered {
	a := Answer{Node: node, ServerID: id, Began: at(ms), Version: "2.15.1", Connections: 7}
	for _, p := range peers {
		a.Peers = append(a.Peers, Peer{ID: p, Routes: 4})
	}
	return Answered{Answer: a}
}

func TestConditions(t *testing.T) {
	b := Build{Version: "2.15.1", SHA256: "aa"}
	run := slices.Clip([]Event{Installed{Node: "A", Build: b}, started("A", 10, 0, b)})
	up := slices.Clip(append(run, answered("A", "id", 5)))
	for _, tc := range []struct {
		name   string
		events []Event
		want   Condition
	}{
		{"nothing", nil, NotStarted},
		{"started", run, Starting},
		{"answering", up, Up},
		{"silent before its first answer", append(run, Unanswered{Node: "A", Began: at(2)}), Starting},
		{"silent later", append(up, Unanswered{Node: "A", Began: at(9)}), Frozen},
		{"answering again", append(up, Unanswered{Node: "A", Began: at(9)}, answered("A", "id", 12)), Up},
		{"asked to stop", append(up, StopAsked{Node: "A", PID: 10, Stop: StopInt}), Stopping},
		{"lame duck", append(up, StopAsked{Node: "A", PID: 10, Stop: StopLameDuck}), Draining},
		{"ended as asked", append(up, StopAsked{Node: "A", PID: 10, Stop: StopInt}, Exited{Node: "A", PID: 10, Exit: Exit{Asked: true}}), Down},
		{"died", append(up, Exited{Node: "A", PID: 10, Exit: Exit{Code: 2}}), Crashed},
		{"an exit of an older process", append(up, Exited{Node: "A", PID: 9}), Up},
		{"ended in good order, by somebody else", append(up, Exited{Node: "A", PID: 10}), Down},
		{"ended before it was up, with status 0", append(run, Exited{Node: "A", PID: 10}), Crashed},
		{"an answer after the end", append(up, Exited{Node: "A", PID: 10, Exit: Exit{Code: 2}}, answered("A", "id", 20)), Crashed},
		{"started again", append(up, Exited{Node: "A", PID: 10}, started("A", 11, 30, b)), Starting},
		{"an answer of the process before", append(up, Exited{Node: "A", PID: 10}, started("A", 11, 30, b), answered("A", "id", 29)), Starting},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := observed(t, tc.events...).Server("A")
			if got := s.Condition(); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestRestartIsPendingWhileFileAndProcessDiffer(t *testing.T) {
	from, to := Build{Version: "2.15.1", SHA256: "aa"}, Build{Version: "2.15.2", SHA256: "bb"}
	events := []Event{Installed{Node: "A", Build: from}, started("A", 10, 0, from)}
	for _, step := range []struct {
		event Event
		want  bool
	}{
		{answered("A", "id", 5), false},
		{Installed{Node: "A", Build: to}, true},
		{Exited{Node: "A", PID: 10, Exit: Exit{Asked: true}}, false},
		{started("A", 11, 20, to), false},
	} {
		events = append(events, step.event)
		if s, _ := observed(t, events...).Server("A"); s.RestartPending() != step.want {
			t.Errorf("after %s: pending %t", step.event.Kind(), s.RestartPending())
		}
	}
}

func TestPeersAreCountedByDistinctLiveIDs(t *testing.T) {
	b := Build{Version: "2.15.1", SHA256: "aa"}
	o := observed(t,
		started("A", 10, 0, b), started("B", 11, 0, b),
		answered("A", "idA", 5, "idB", "an id of a server that is gone"), answered("B", "idB", 5, "idA"))
	if got := o.Peers("A"); !reflect.DeepEqual(got, map[string]int{"B": 4}) {
		t.Errorf("peers of A: %v", got)
	}
	o = o.Apply(at(9), Exited{Node: "B", PID: 11})
	if got := o.Peers("A"); len(got) != 0 {
		t.Errorf("peers of A after B's end: %v", got)
	}
}

func TestSinceForgetsWhatBeganBefore(t *testing.T) {
	b := Build{Version: "2.15.1"}
	o := observed(t, started("A", 10, 0, b), answered("A", "id", 5),
		FleetChanged{At: at(6), Changed: []Client{{ID: 0, Status: ClientConnected, Node: "A"}}})
	if s, _ := o.Since(at(5)).Server("A"); !s.Answer.Known() {
		t.Error("forgot an answer that began in time")
	}
	late := o.Since(at(7))
	if s, _ := late.Server("A"); s.Answer.Known() || !s.Process.Alive() {
		t.Error("kept an old answer, or forgot the process")
	}
	if len(late.Fleet.Clients) != 0 {
		t.Error("kept an old word of the fleet")
	}
	if len(o.Fleet.Clients) != 1 {
		t.Error("changed the observation itself")
	}
}

func TestFleetChangesAreFoldedByID(t *testing.T) {
	o := observed(t,
		FleetChanged{Changed: []Client{{ID: 0, Name: "a"}, {ID: 1, Name: "b"}}},
		FleetChanged{Changed: []Client{{ID: 1, Name: "b", Lost: 3}, {ID: 7, Name: "out of order"}}},
		FleetChanged{Totals: Totals{Published: 9}})
	if len(o.Fleet.Clients) != 2 || o.Fleet.Clients[1].Lost != 3 || o.Fleet.Published != 9 {
		t.Errorf("fleet %+v", o.Fleet)
	}
}
