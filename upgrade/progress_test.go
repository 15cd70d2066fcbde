package upgrade_test

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// What becomes known late is booked to the step during which it was caused.
func TestCostsAreBookedByWhatCausedThem(t *testing.T) {
	t0 := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }
	p := upgrade.Progress{}.Apply(t0, upgrade.Planned{Outline: upgrade.Rolling(spec(t, 2, true)).Outline()})
	for i, id := range []string{"start-a", "stop-a", "restart-a"} {
		p = p.Apply(at(10*(i+1)), upgrade.StepBegan{ID: id})
		p = p.Apply(at(10*(i+1)+1), upgrade.StepEnded{ID: id, Status: upgrade.Verified})
	}
	before := p
	var costs []cluster.Cost
	for _, s := range []int{5, 20, 29, 30, 300} {
		costs = append(costs, cluster.Cost{At: at(s), Kind: cluster.CostTimedOut, For: time.Second})
	}
	just := 50 * time.Millisecond // before a step began
	costs = append(costs,
		cluster.Cost{At: at(20).Add(-just), Kind: cluster.CostTimedOut, For: time.Second}, // in flight when A was stopped
		cluster.Cost{At: at(20).Add(-just), Kind: cluster.CostTimedOut, For: just / 2},    // over by then
		cluster.Cost{At: at(30).Add(-just), Kind: cluster.CostTimedOut, For: time.Second}) // a start breaks nothing
	p = p.Apply(at(301), cluster.FleetChanged{Costs: costs})
	for id, want := range map[string]int{"start-a": 1, "stop-a": 4, "restart-a": 2, "stop-b": 0} {
		if b := find(p, id).Bill; b.Unanswered != want || len(b.Costs) != want {
			t.Errorf("%s: %+v", id, b)
		}
	}
	if find(before, "stop-a").Bill.Unanswered != 0 {
		t.Error("an old progress was changed")
	}
	if got := find(p, "stop-a").Cost(); got != "4 requests unanswered" {
		t.Error(got)
	}
}

// What came of a server that ended between two steps is of neither; unless that end
// is what a step was found done by.
func TestWhatEndsBetweenStepsIsBookedToNone(t *testing.T) {
	t0 := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }
	lost := func(s int) cluster.FleetChanged {
		return cluster.FleetChanged{Costs: []cluster.Cost{{At: at(s), Kind: cluster.CostTimedOut, For: time.Second}}}
	}
	began := upgrade.Progress{}.Apply(t0, upgrade.Planned{Outline: upgrade.Rolling(spec(t, 2, true)).Outline()}).
		Apply(at(10), upgrade.StepBegan{ID: "start-c"}).
		Apply(at(11), upgrade.StepEnded{ID: "start-c", Status: upgrade.Verified}).
		Apply(at(12), upgrade.StepReady{ID: "stop-a"})
	ends := map[string]cluster.Event{
		"by somebody else": cluster.Exited{Node: "A"},
		"by a key":         upgrade.Doing{By: upgrade.DoerKey, Deed: upgrade.Deed{Verb: upgrade.VerbStop, Node: "A"}},
	}
	for name, e := range ends {
		p := began.Apply(at(20), e).Apply(at(22), lost(20))
		if p.Between.Unanswered != 1 || find(p, "start-c").Bill.Unanswered != 0 {
			t.Errorf("%s: between %+v, start-c %+v", name, p.Between, find(p, "start-c").Bill)
		}
		p = began.Apply(at(20), e).Apply(at(21), upgrade.StepBegan{ID: "stop-a", How: upgrade.ByHand}).Apply(at(22), lost(20))
		if p.Between.Unanswered != 0 || find(p, "stop-a").Bill.Unanswered != 1 || !find(p, "stop-a").Began.Equal(at(20)) {
			t.Errorf("%s, which was the step: between %+v, stop-a %+v", name, p.Between, find(p, "stop-a").Bill)
		}
	}
	p := began.Apply(at(13), upgrade.StepBegan{ID: "stop-a"}).Apply(at(20), ends["by somebody else"]).Apply(at(22), lost(20))
	if p.Between.Unanswered != 0 || find(p, "stop-a").Bill.Unanswered != 1 {
		t.Errorf("in a step: between %+v, stop-a %+v", p.Between, find(p, "stop-a").Bill)
	}
}

// What the text predicts of a stop is counted from where the clients were before.
func TestPredicted(t *testing.T) {
	t0 := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	p := upgrade.Progress{}.Apply(t0, upgrade.Planned{Outline: upgrade.Rolling(spec(t, 2, true)).Outline()})
	if !p.Predicted().None() {
		t.Error(p.Predicted())
	}
	for _, st := range []struct {
		id   string
		on   map[string]int
		want map[string]int
	}{
		{"start-c", map[string]int{"A": 21, "B": 1}, nil},
		{"stop-a", map[string]int{"B": 12, "C": 10}, map[string]int{"B": 11, "C": 11}},
		{"replace-a", map[string]int{"B": 12, "C": 10}, map[string]int{"B": 11, "C": 11}},
		{"restart-a", map[string]int{"A": 0, "B": 12, "C": 10}, map[string]int{"B": 11, "C": 11}},
		{"restart-a", map[string]int{"A": 5, "B": 10, "C": 7}, nil}, // they moved, and nobody foretold it
		{"restart-a", map[string]int{"B": 12, "C": 10}, map[string]int{"B": 11, "C": 11}},
		{"stop-b", map[string]int{"C": 22}, map[string]int{"A": 6, "C": 16}},
	} {
		p = p.Apply(t0, upgrade.StepEnded{ID: st.id, Status: upgrade.Verified, On: st.on})
		if got := p.Predicted(); !maps.Equal(got.Text, st.want) || got.Lists != nil {
			t.Errorf("after %s: %v, want %v", st.id, got, st.want)
		}
	}
}

// Which moment of a server's turn a step is, and what of a start came after it.
func TestMoments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := begin(t, spec(t, 2, true), false, nil).end()
		if err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]upgrade.Moment{"start-a": "start", "stop-a": "stop", "replace-a": "swap", "restart-a": "start", "connect-clients": "", "stop-c": "stop"} {
			if got := find(s.Plan, id).Moment; got != want {
				t.Errorf("%s is %q", id, got)
			}
		}
		for _, st := range s.Plan.Steps {
			if st.Join.Lost > st.Impact.Lost || st.Moment != upgrade.MomentStart && st.Join.Published > 0 {
				t.Errorf("%s: %+v of %+v", st.ID, st.Join, st.Impact)
			}
		}
		if j := find(s.Plan, "restart-a").Join; j.Published == 0 {
			t.Errorf("nothing was published while A joined: %+v", j)
		}
	})
}
