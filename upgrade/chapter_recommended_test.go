package upgrade_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
	"nats-roll/upgrade/upgradetest"
)

// recommended is the chapter's walk on the fake, in virtual time.
func recommended(t *testing.T, nodes int, js, spare bool, told func(*upgradetest.Fake, cluster.Event)) (rehearsal.State, []string) {
	t.Helper()
	s := spec(t, nodes, spare)
	s.Topology.JetStream, s.Topology.Configured = js, true
	s.Workload.Subscribers, s.Workload.Rate = 4, 1000
	plan := upgrade.Recommended(s)
	var began []string
	w := begin(t, s, false, nil, func(r *upgrade.Runner) {
		r.Plan = plan
		fake, sink := r.Driver.(*upgradetest.Fake), r.Sink
		fake.Topology.JetStream = js
		r.Sink = func(e cluster.Event) {
			sink(e)
			if b, ok := e.(upgrade.StepBegan); ok {
				began = append(began, b.ID)
			}
			if told != nil {
				told(fake, e)
			}
		}
	})
	state, err := w.end()
	if err != nil {
		t.Fatal(err)
	}
	return state, began
}

// Both halves are walked, and the table has what their steps came to, and nothing of
// what lies between.
func TestRecommendedSetsTwoHalvesSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state, _ := recommended(t, 2, false, true, nil)
		for _, st := range state.Plan.Steps {
			if st.Status != upgrade.Verified {
				t.Errorf("%s is %s: %s", st.ID, st.Status, st.Reason)
			}
		}
		both := state.Plan.Compared()
		if len(both) != 2 || both[0].Part != "As written" || both[1].Part != "As recommended" {
			t.Fatalf("%+v", both)
		}
		if w, r := both[0], both[1]; w.Stops != 3 || r.Stops != 2 || w.Reconnects == 0 || r.Reconnects == 0 || w.Away == 0 || r.Took < 2*3*time.Second || r.Took < w.Took {
			t.Errorf("as written %+v\nas recommended %+v", w, r)
		}
		var lost uint64
		for _, st := range state.Plan.Steps {
			if st.Part == "As written" {
				lost += st.Impact.Lost
			}
		}
		if both[0].Lost != lost || lost == 0 {
			t.Errorf("%d lost, of %d in the steps", both[0].Lost, lost)
		}
		first := find(state.Plan, "drain-a")
		if !strings.Contains(first.Command, "kill -USR2") || !strings.Contains(first.Command, "kill -TERM") {
			t.Errorf("command %q", first.Command)
		}
	})
}

// With JetStream the leader comes last in the second half, although it moves; the
// first half asks nobody.
func TestRecommendedTakesTheLeaderLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, began := recommended(t, 3, true, false, func(f *upgradetest.Fake, e cluster.Event) {
			ended, ok := e.(upgrade.StepEnded)
			if !ok {
				return
			}
			switch ended.ID {
			case "connect-clients":
				f.Lead("A")
			case "connect-again":
				f.Lead("A")
			case "rejoin-b":
				f.Lead("C")
			}
			time.Sleep(time.Second) // until everybody has told so
		})
		var written, drained []string
		for _, id := range began {
			if n, ok := strings.CutPrefix(id, "stop-"); ok {
				written = append(written, n)
			}
			if n, ok := strings.CutPrefix(id, "drain-"); ok {
				drained = append(drained, n)
			}
		}
		if !slices.Equal(written, []string{"a", "b", "c"}) || !slices.Equal(drained, []string{"b", "a", "c"}) {
			t.Errorf("as written %v, as recommended %v", written, drained)
		}
	})
}
