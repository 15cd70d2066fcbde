package rehearsal

import (
	"strings"
	"testing"
	"time"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// A server that ends in a step that expects it is told of by the step; any other by
// a note.
func TestWhoseEndIsWorthANote(t *testing.T) {
	at := time.Unix(1000, 0)
	var s State
	for _, e := range []cluster.Event{
		upgrade.Planned{Outline: upgrade.Outline{Steps: []upgrade.StepOutline{{ID: "try-a", Expect: []string{"A"}}, {ID: "next"}}}},
		cluster.Exited{Node: "A", PID: 7, Exit: cluster.Exit{Code: 1}},
		cluster.Exited{Node: "B", PID: 8, Exit: cluster.Exit{Code: 2}},
		upgrade.StepEnded{ID: "try-a", Status: upgrade.Verified},
		cluster.Exited{Node: "A", PID: 9, Exit: cluster.Exit{Code: 3}},
		cluster.Exited{Node: "B", PID: 10, Exit: cluster.Exit{Asked: true}},
	} {
		s = s.Apply(at, e)
	}
	var told []string
	for _, n := range s.Notes {
		told = append(told, n.Text)
	}
	if got := strings.Join(told, "\n"); got != "B ended without nats-roll asking for it: exit status 2\nA ended without nats-roll asking for it: exit status 3" {
		t.Errorf("notes:\n%s", got)
	}
}
