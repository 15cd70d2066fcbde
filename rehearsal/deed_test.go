package rehearsal

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// Everything that is done is in the list, whoever did it, with its result; and the
// list that an earlier state has does not change.
func TestTheListOfWhatWasDone(t *testing.T) {
	top, err := cluster.NewTopology(2, true, 0)
	if err != nil {
		t.Fatal(err)
	}
	older, newer := cluster.Build{Version: "2.15.1", SHA256: "01"}, cluster.Build{Version: "2.15.2", SHA256: "02"}
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	var s State
	var before []Deed
	put := upgrade.Deed{Verb: upgrade.VerbReplace, Node: "A", Build: older}
	for _, e := range []cluster.Event{
		upgrade.Planned{Outline: upgrade.Outline{Topology: top}},
		upgrade.Doing{By: upgrade.DoerPlan, Command: "cp a", Deed: put},
		cluster.Installed{Node: "A", Build: older}, // the plan's
		upgrade.Done{Command: "cp a"},
		cluster.Installed{Node: "B", Build: older}, // the first of a slot
		upgrade.Doing{By: upgrade.DoerKey, Command: "kill -INT 7"},
		upgrade.Doing{By: upgrade.DoerRemedy, Step: "stop-a", Command: "nats-server -n B"},
		upgrade.Done{Command: "kill -INT 7", Reason: "no such process", Took: time.Second},
		upgrade.Done{Command: "nats-server -n B", Took: time.Millisecond},
		cluster.Started{Node: "A", Process: cluster.Process{PID: 7, Guest: true, Args: []string{"./nats-server", "-n", "A"}}},
		cluster.Started{Node: "B", Process: cluster.Process{PID: 8}}, // told by Doing
		cluster.Installed{Node: "A", Build: newer},
		cluster.Installed{Node: "A", Build: newer}, // once more
		cluster.Exited{Node: "B", PID: 8, Exit: cluster.Exit{Code: -1, Signal: "SIGKILL"}},
		cluster.Exited{Node: "A", PID: 7, Exit: cluster.Exit{Asked: true}},
		upgrade.Done{Command: "unknown"},
		Typed{Command: "kill -INT 9"}, // of an older program
	} {
		if before == nil && len(s.Deeds) == 2 {
			before = s.Deeds
		}
		at = at.Add(time.Second)
		s = s.Apply(at, e)
	}
	var got []string
	for _, d := range s.Deeds {
		got = append(got, strings.TrimSpace(fmt.Sprint(d.By, ": ", d.Command, " ", d.Over, " ", d.Took, " ", d.Reason)))
	}
	want := []string{
		"plan: cp a true 0s",
		"key: kill -INT 7 true 1s no such process",
		"remedy: nats-server -n B true 1ms",
		"by hand: nats-server -n A true 0s",
		"by hand: the file of A became 2.15.2 true 0s",
		"unasked: B ended: " + cluster.Exit{Code: -1, Signal: "SIGKILL"}.String() + " true 0s",
		"key: kill -INT 9 false 0s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if s.Deeds[5].Stop != cluster.StopKill || !slices.Equal(s.Deeds[3].Args, []string{"-n", "A"}) {
		t.Errorf("%+v, %+v", s.Deeds[3], s.Deeds[5])
	}
	if len(before) != 2 || before[1].Over {
		t.Errorf("an earlier state says %+v now", before)
	}
}
