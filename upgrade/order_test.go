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

// turns is the rolling chapter with turns in an order that is seen.
func turns(t *testing.T, order func(o cluster.Observation, left []string) (string, string)) upgrade.Plan {
	s := spec(t, 3, false)
	s.Topology.JetStream = true
	p := upgrade.Rolling(s)
	for i, st := range p.Steps {
		if strings.HasPrefix(st.ID, "stop-") || strings.HasPrefix(st.ID, "replace-") || strings.HasPrefix(st.ID, "restart-") {
			p.Steps[i].Turn = "upgrade"
		}
	}
	p.Order = order
	return p
}

// stops are the nodes whose turns are told, in their order.
func stops(ids []string) (out []string) {
	for _, id := range ids {
		if n, ok := strings.CutPrefix(id, "stop-"); ok {
			out = append(out, strings.ToUpper(n))
		}
	}
	return out
}

// The leader comes last, and is looked for before each turn: it moves twice.
func TestTheOrderOfTurnsFollowsTheLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked [][]string
		p := turns(t, func(o cluster.Observation, left []string) (string, string) {
			asked = append(asked, left)
			l, _ := o.MetaLeader()
			for _, n := range left {
				if n != l.Node.Name {
					return n, l.Node.Name + " leads"
				}
			}
			return left[0], ""
		})
		var w *walk
		var walked []string
		r := func(r *upgrade.Runner) {
			r.Plan = p
			sink := r.Sink
			r.Sink = func(e cluster.Event) {
				sink(e)
				switch e := e.(type) {
				case upgrade.StepBegan:
					walked = append(walked, e.ID)
				case upgrade.StepEnded:
					switch e.ID {
					case "connect-clients":
						w.fake.Lead("A")
					case "restart-b": // after B's turn it leads nothing; now it is C that does
						w.fake.Lead("C")
					}
					time.Sleep(time.Second) // until everybody has told so
				}
			}
		}
		w = begin(t, spec(t, 3, false), false, func(f *upgradetest.Fake) { f.Topology.JetStream = true }, func(ru *upgrade.Runner) {
			w = &walk{fake: ru.Driver.(*upgradetest.Fake)}
			r(ru)
		})
		state, err := w.end()
		if err != nil {
			t.Fatal(err)
		}
		if got := stops(walked); !slices.Equal(got, []string{"B", "A", "C"}) {
			t.Errorf("walked %v, asked with %v", got, asked)
		}
		var shown, outlined []string
		for i, st := range state.Plan.Steps {
			shown, outlined = append(shown, st.ID), append(outlined, state.Plan.Outline.Steps[i].ID)
			if st.Status != upgrade.Verified {
				t.Errorf("%s is %s", st.ID, st.Status)
			}
		}
		if !slices.Equal(shown, walked) || !slices.Equal(outlined, walked) {
			t.Errorf("shown %v\noutlined %v\nwalked %v", shown, outlined, walked)
		}
	})
}

// Who goes to a step comes to that step, also when turns change places on the way: to
// one in the middle of the round, and to the one that begins it.
func TestGoToAStepWhoseTurnMoves(t *testing.T) {
	for to, done := range map[string]map[string]upgrade.Status{
		"stop-b": {"restart-c": upgrade.Verified, "stop-a": upgrade.Pending},
		"stop-a": {"restart-c": upgrade.Verified, "restart-b": upgrade.Verified},
	} {
		t.Run(to, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := turns(t, func(_ cluster.Observation, left []string) (string, string) {
					return map[int]string{3: "C", 2: "B", 1: "A"}[len(left)], "the last one first"
				})
				w := begin(t, spec(t, 3, false), true, nil, func(r *upgrade.Runner) { r.Plan = p })
				w.at("start-a", upgrade.Ready)
				w.lab.Say(upgrade.Intent{Step: "start-a", To: to})
				w.at(to, upgrade.Ready)
				s, _ := w.lab.State()
				for id, want := range done {
					if st := find(s.Plan, id); st.Status != want {
						t.Errorf("%s is %s, want %s", id, st.Status, want)
					}
				}
				w.cancel()
				_, _ = w.end()
			})
		})
	}
}

func TestReorderedMovesOnlyWhatIsNamed(t *testing.T) {
	p := turns(t, nil)
	state := rehearsal.State{}.Apply(time.Now(), upgrade.Planned{Outline: p.Outline()})
	ids := func(s rehearsal.State) (out []string) {
		for _, st := range s.Plan.Steps {
			out = append(out, st.ID)
		}
		return out
	}
	before := ids(state)
	after := state.Apply(time.Now(), upgrade.Reordered{IDs: []string{"stop-c", "replace-c", "restart-c", "stop-b", "replace-b", "restart-b"}})
	want := "start-a start-b start-c connect-clients stop-a replace-a restart-a stop-c replace-c restart-c stop-b replace-b restart-b look-back"
	if got := strings.Join(ids(after), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !slices.Equal(ids(state), before) {
		t.Error("the old state was changed")
	}
	if got := ids(state.Apply(time.Now(), upgrade.Reordered{IDs: []string{"stop-x"}})); !slices.Equal(got, before) {
		t.Errorf("steps that are not there: %v", got)
	}
}

// A step that could be done cannot any more while the one before it is taken back: its turn
// may be another's then.
func TestWhatWasReadyIsNotAfterAnUndo(t *testing.T) {
	state := rehearsal.State{}.Apply(time.Now(), upgrade.Planned{Outline: turns(t, nil).Outline()})
	for _, e := range []cluster.Event{
		upgrade.StepEnded{ID: "connect-clients", Status: upgrade.Verified},
		upgrade.StepReady{ID: "stop-a", Given: []upgrade.Result{{Text: "B is up", Verdict: upgrade.Verdict{Known: true, Met: true}}}},
		upgrade.StepUndoing{ID: "connect-clients"},
		upgrade.StepUndone{ID: "connect-clients"},
		upgrade.StepEnded{ID: "connect-clients", Status: upgrade.Verified},
	} {
		state = state.Apply(time.Now(), e)
	}
	st, _ := state.Plan.Step()
	if st.ID != "stop-a" || st.Status != upgrade.Pending || st.Given != nil {
		t.Errorf("%s is %s, given %v", st.ID, st.Status, st.Given)
	}
}

// What has to hold for a while begins anew when it does not.
func TestChecksHoldForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := turns(t, nil)
		last := len(p.Steps) - 1
		began := time.Now()
		p.Steps[last].Hold = 3 * time.Second
		p.Steps[last].Until = append(p.Steps[last].Until, flicker{began})
		w := begin(t, spec(t, 3, false), false, nil, func(r *upgrade.Runner) { r.Plan = p })
		s, err := w.end()
		if err != nil {
			t.Fatal(err)
		}
		st := s.Plan.Steps[last]
		held := st.Checks[len(st.Checks)-1]
		if took := s.Plan.Ended.Sub(began); took < 8*time.Second || !held.Met || held.Text != "all of this holds for 3 s" {
			t.Errorf("over after %s: %+v", took, held)
		}
	})
}

// flicker holds but for a moment in the fifth second.
type flicker struct{ began time.Time }

func (flicker) String() string { return "it holds" }

func (f flicker) Eval(o cluster.Observation) upgrade.Verdict {
	since := o.At.Sub(f.began)
	return upgrade.Verdict{Known: true, Met: since < 4*time.Second && since > 2*time.Second || since > 5*time.Second}
}
