package upgrade_test

import (
	"testing"
	"testing/synctest"
	"time"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// Unattended it comes up, holds, and ends verified; and not before the hold is over.
func TestFreeHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sp := spec(t, 2, true)
		sp.Hold, sp.Budgeted = time.Minute, true
		began := time.Now()
		w := begin(t, sp, false, nil, func(r *upgrade.Runner) { r.Plan = upgrade.Free(sp) })
		s, err := w.end()
		if err != nil || s.Plan.Outcome != upgrade.OutcomeVerified {
			t.Fatalf("%v: %s", err, s.Plan.Outcome)
		}
		if took := time.Since(began); took < time.Minute || took > 2*time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}

// On screen it stays whatever happens, until the person ends it.
func TestFreeStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sp := spec(t, 3, false)
		w := begin(t, sp, true, nil, func(r *upgrade.Runner) { r.Plan = upgrade.Free(sp) })
		for _, id := range []string{"start-servers", "connect-clients"} {
			w.at(id, upgrade.Ready)
			w.press(id)
		}
		w.at(upgrade.LookBack, upgrade.Ready)
		for _, do := range []upgrade.Action{
			upgrade.StopNode{Node: "B", How: cluster.StopInt},
			upgrade.Replace{Node: "B", Build: sp.To.Of("B")},
			upgrade.StartNode{Node: "B", Args: sp.Topology.Args(sp.Topology.Nodes[1])},
		} {
			if err := do.Run(t.Context(), w.fake); err != nil {
				t.Fatal(err)
			}
		}
		w.fake.Kill("A")
		time.Sleep(5 * time.Minute) // of virtual time, longer than any step may take
		w.at(upgrade.LookBack, upgrade.Ready)
		w.press(upgrade.LookBack)
		s, err := w.end()
		if err != nil || s.Plan.Outcome != upgrade.OutcomeVerified {
			t.Fatalf("%v: %s", err, s.Plan.Outcome)
		}
	})
}
