package upgrade_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// world is what undo has to bring back, in words: what runs, what lies on disk, and
// whether there are clients whose messages are counted.
func world(o cluster.Observation) string {
	var out []string
	for _, s := range o.Servers {
		if s.Config != "" {
			out = append(out, s.Node.Name+" is configured with "+s.Config)
		}
		runs := "nothing"
		if s.Process.Alive() {
			runs = fmt.Sprintf("%s %s", s.Process.Build, strings.Join(s.Process.Args, " "))
		}
		out = append(out, fmt.Sprintf("%s has %s and runs %s", s.Node.Name, s.Disk, runs))
	}
	out = append(out, fmt.Sprintf("%d clients, counted %t", len(o.Fleet.Clients), len(o.Fleet.Clients) > 0 && !o.Fleet.Settled))
	return strings.Join(out, "; ")
}

// theEnd is where a walk is when no step is left.
const theEnd = "the end"

// along walks a plan by Enter from the step that is current to another one, and
// notes the world before each.
func (w *walk) along(to string, worlds map[string]string) {
	w.Helper()
	for {
		id := w.rests()
		o, _ := w.lab.Observe()
		if was, ok := worlds[id]; !ok {
			worlds[id] = world(o)
		} else if was != world(o) {
			w.Fatalf("before %s:\n%s\nand the first time it was\n%s", id, world(o), was)
		}
		if id == to {
			return
		}
		w.press(id)
		w.leaves(id)
	}
}

// rests waits until nothing goes on by itself, and says at which step.
func (w *walk) rests() string {
	w.Helper()
	for {
		w.until("at rest", func(p upgrade.Progress) bool { return resting(p) != "" })
		synctest.Wait() // what is done without a word is ready for a moment, too
		if s, _ := w.lab.State(); resting(s.Plan) != "" {
			return resting(s.Plan)
		}
	}
}

// resting is the step that can be done, or the end; empty while something goes on.
func resting(p upgrade.Progress) string {
	st, ok := p.Step()
	switch {
	case ok && st.Status == upgrade.Ready:
		return st.ID
	case !ok && p.Outcome == upgrade.OutcomeVerified:
		return theEnd
	}
	return ""
}

func (w *walk) leaves(id string) {
	w.Helper()
	w.until("past "+id, func(p upgrade.Progress) bool {
		st, ok := p.Step()
		return !ok || st.ID != id || st.Status != upgrade.Ready
	})
}

// says passes an intent for the step at which the plan rests.
func (w *walk) says(in upgrade.Intent) {
	w.Helper()
	in.Step = w.rests()
	w.lab.Say(in)
	synctest.Wait()
}

// goes to a step, and looks whether the world is as it was before that step.
func (w *walk) goes(to string, worlds map[string]string) {
	w.Helper()
	w.says(upgrade.Intent{To: to})
	w.until("at "+to, func(p upgrade.Progress) bool {
		st, ok := p.Step()
		return ok && st.ID == to && st.Status == upgrade.Ready
	})
	synctest.Wait()
	if o, _ := w.lab.Observe(); world(o) != worlds[to] {
		w.Fatalf("gone to %s:\n%s\nwalked there:\n%s", to, world(o), worlds[to])
	}
}

func onScreen(r *upgrade.Runner) { r.Lingers = true }

// specs are what undo is tried on.
func specs(t *testing.T) map[string]upgrade.Spec {
	same := spec(t, 2, true)
	same.From = same.To
	ldm := spec(t, 3, false)
	ldm.Stop = cluster.StopLameDuck
	with := spec(t, 2, true)
	with.Workload.Applications = []string{"sleep 600"}
	return map[string]upgrade.Spec{
		"2 and a spare": spec(t, 2, true), "3": spec(t, 3, false), "3 and a spare, lame duck": ldm, "same build": same, "with an application": with,
	}
}

// Undo from every step brings back versions, processes and files, and the step can
// be done again.
func TestUndoFromEveryStep(t *testing.T) {
	for name, s := range specs(t) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := begin(t, s, true, nil, onScreen)
				worlds := map[string]string{}
				for i, st := range w.plan.Steps {
					w.along(st.ID, worlds)
					w.press(st.ID)
					w.leaves(st.ID)
					after := w.rests()
					w.says(upgrade.Intent{Undo: true})
					w.at(st.ID, upgrade.Ready)
					w.along(after, worlds) // which compares
					w.says(upgrade.Intent{Again: true})
					w.until("again", func(p upgrade.Progress) bool { return len(p.Taken) == 2*(i+1) })
					if again := w.rests(); again != after {
						t.Fatalf("%s done again leads to %s, not to %s", st.ID, again, after)
					}
					w.along(after, worlds)
				}
				w.cancel()
				s, err := w.end()
				if err != nil || s.Plan.Outcome != upgrade.OutcomeVerified {
					t.Errorf("%v, %s %s", err, s.Plan.Outcome, s.Plan.Reason)
				}
				for _, x := range s.Plan.Taken {
					if x.Was.Status != upgrade.Verified {
						t.Errorf("%s was %s", x.Was.ID, x.Was.Status)
					}
				}
			})
		})
	}
}

// Going to a step, back or forward, ends in the same world as walking there.
func TestGoToEveryStep(t *testing.T) {
	for name, s := range specs(t) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := begin(t, s, true, nil, onScreen)
				worlds := map[string]string{}
				w.along(theEnd, worlds)
				random := rand.New(rand.NewPCG(1, 2))
				for range 20 {
					w.goes(w.plan.Steps[random.IntN(len(w.plan.Steps))].ID, worlds)
				}
				w.goes(w.plan.Steps[0].ID, worlds)
				for _, st := range slices.Backward(w.plan.Steps) { // the longest ways there are
					w.goes(st.ID, worlds)
					w.goes(w.plan.Steps[0].ID, worlds)
				}
				w.along(theEnd, worlds)
				w.cancel()
				if s, err := w.end(); err != nil || s.Plan.Outcome != upgrade.OutcomeVerified {
					t.Errorf("%v, %s %s", err, s.Plan.Outcome, s.Plan.Reason)
				}
			})
		})
	}
}

// A step after which nothing has to be brought back is no bar to those before it.
func TestNothingHasToBeUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := spec(t, 2, true)
		p := upgrade.Rolling(s)
		at := slices.IndexFunc(p.Steps, func(st upgrade.Step) bool { return st.ID == "start-c" })
		p.Steps[at].Undo, p.Steps[at].NoUndo, p.Steps[at].Loose = nil, "C may run or not", true
		w := begin(t, s, true, nil, func(r *upgrade.Runner) { r.Plan = p })
		w.enterTo(p.Steps[at+1].ID)
		w.at(p.Steps[at+1].ID, upgrade.Ready)
		w.says(upgrade.Intent{To: "connect-clients"})
		w.at("connect-clients", upgrade.Ready)
		w.cancel()
		got, _ := w.end()
		if x := got.Plan.Taken; len(x) != 2 || x[0].Was.ID != "start-c" || x[0].Reason != "nothing has to be done: C may run or not" || x[1].Was.ID != "connect-clients" {
			t.Errorf("%+v", x)
		}
	})
}

// A chapter whose undo is an action alone has a proof by its kind; of several, the
// last that is done to a server counts.
func TestUndoIsProved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := spec(t, 2, true)
		plan := upgrade.Rolling(s)
		for i := range plan.Steps {
			if st := &plan.Steps[i]; st.ID == "replace-a" {
				st.Until = []upgrade.Check{upgrade.Up{Node: "A"}}
				st.Met, st.Past, st.Back, st.Undone = nil, nil, nil, nil
				args := s.Topology.Args(s.Topology.Nodes[0])
				start, stop := upgrade.StartNode{Node: "A", Args: args}, upgrade.StopNode{Node: "A", How: cluster.StopInt}
				st.Do = upgrade.Series{upgrade.Configure{Node: "A", Text: "debug: true\n"}, upgrade.Replace{Node: "A", Build: newBuild}, start}
				st.Undo = upgrade.Series{stop, start, stop, upgrade.Replace{Node: "A", Build: oldBuild}, upgrade.Configure{Node: "A"}}
			}
		}
		w := begin(t, s, true, nil, func(r *upgrade.Runner) { r.Plan = plan })
		w.enterTo("replace-a")
		w.at("replace-a", upgrade.Ready)
		synctest.Wait()
		before, _ := w.lab.Observe()
		w.press("replace-a")
		w.at("stop-b", upgrade.Ready)
		w.says(upgrade.Intent{To: "replace-a"})
		st := w.at("replace-a", upgrade.Ready)
		o, _ := w.lab.Observe()
		if world(o) != world(before) {
			t.Errorf("%s\nand before\n%s", world(o), world(before))
		}
		want := []string{"A has exited", "A's binary is 2.15.1", "A is configured as before"}
		if !slices.Equal(st.Undone, want) {
			t.Errorf("proved by %q", st.Undone)
		}
		w.cancel()
		_, _ = w.end()
	})
}

// What does not come about on the way is left to the person, where it stands.
func TestGoingOnEndsWhereSomethingIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, spec(t, 2, true), true, broken)
		w.says(upgrade.Intent{To: "look-back"})
		w.at("start-c", upgrade.Stuck)
		w.lab.Say(upgrade.Intent{Step: "start-c", Undo: true}) // the step itself, which has acted
		w.at("start-c", upgrade.Ready)
		s, _ := w.lab.State()
		if got := s.World.Alive(); !slices.Equal(got, []string{"A", "B"}) || len(s.Plan.Taken) != 1 || s.Plan.Taken[0].Was.Status != upgrade.Stuck {
			t.Errorf("alive %v, taken back %+v", got, s.Plan.Taken)
		}
		w.cancel()
		_, _ = w.end()
	})
}

// A step that cannot be taken back stays the person's: they may try again, or go on.
func TestUndoThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, spec(t, 2, true), true, nil)
		w.enterTo("replace-a")
		w.at("replace-a", upgrade.Ready)
		w.fake.Swap("A", cluster.Build{}) // from which nothing is started
		w.says(upgrade.Intent{Undo: true})
		st := w.at("stop-a", upgrade.Stuck)
		if !strings.Contains(st.Reason, "its slot is empty") || !st.Reversed {
			t.Errorf("stuck because %q, reversed %t", st.Reason, st.Reversed)
		}
		w.press("stop-a")
		synctest.Wait()
		w.at("stop-a", upgrade.Stuck)
		w.fake.Swap("A", oldBuild)
		w.press("stop-a")
		w.at("stop-a", upgrade.Ready)
		s, _ := w.lab.State()
		if v := (upgrade.Running{Node: "A", Build: oldBuild}).Eval(s.World); !v.Met || len(s.Plan.Taken) != 1 || s.Plan.Taken[0].Was.Status != upgrade.Verified {
			t.Errorf("%s; %d taken back", v.Detail, len(s.Plan.Taken))
		}
		w.cancel()
		_, _ = w.end()
	})
}

// What was rolled back needs no undo: going back leads before the node's turn, and
// the turn is taken anew.
func TestGoBackAcrossARollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, spec(t, 2, true), true, nil, onScreen)
		worlds := map[string]string{}
		w.along("replace-a", worlds)
		w.lab.Say(upgrade.Intent{Step: "replace-a", Back: true})
		w.at("stop-b", upgrade.Ready)
		w.says(upgrade.Intent{Undo: true})
		w.at("stop-a", upgrade.Ready)
		w.along(theEnd, worlds)
		w.cancel()
		if s, err := w.end(); err != nil || s.Plan.Outcome != upgrade.OutcomeVerified {
			t.Errorf("%v, %s %s", err, s.Plan.Outcome, s.Plan.Reason)
		}
	})
}

// The numbers do not lie after an undo: what a step had cost is put aside with it,
// and a new ledger begins at nothing while the traffic over time goes on.
func TestWhatWasTakenBackIsStillToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, spec(t, 2, true), true, nil, onScreen)
		worlds := map[string]string{}
		w.along("replace-a", worlds)
		s, _ := w.lab.State()
		cost := find(s.Plan, "stop-a").Impact
		w.says(upgrade.Intent{Undo: true})
		w.at("stop-a", upgrade.Ready)
		s, _ = w.lab.State()
		if im := find(s.Plan, "stop-a").Impact; !im.Quiet() {
			t.Errorf("the step is still booked %+v", im)
		}
		if x := s.Plan.Taken[0]; x.Was.Impact.Moved["B"] == 0 || !maps.Equal(x.Was.Impact.Moved, cost.Moved) || x.Was.Impact.Lost != cost.Lost {
			t.Errorf("taken back %+v, it cost %+v", x.Was.Impact, cost)
		}
		w.along(theEnd, worlds)
		end, _ := w.lab.State()
		w.says(upgrade.Intent{Undo: true})
		w.at("look-back", upgrade.Ready)
		s, _ = w.lab.State()
		if s.Plan.Outcome != "" || len(s.Closed) != 1 || s.Closed[0].Published != end.World.Fleet.Published || s.World.Fleet.Published >= s.Closed[0].Published {
			t.Errorf("outcome %q, closed %+v, now %+v", s.Plan.Outcome, s.Closed, s.World.Fleet.Totals)
		}
		if n := s.Traffic.Len(); s.Traffic.At(n-1).Published < end.World.Fleet.Published {
			t.Errorf("the traffic fell back to %d", s.Traffic.At(n-1).Published)
		}
		w.cancel()
		_, _ = w.end()
	})
}

// beyond is the step of a chapter from which on the fake cannot walk it: its clients
// are not told that their server is going to end, nor refused; and it has no streams.
var beyond = map[string]string{"spread": "warn-clients", "parity": "connect-clients", "jetstream": "connect-clients"}

// Undo brings back what was in every chapter, wherever a step has one.
func TestUndoInEveryChapter(t *testing.T) {
	for _, c := range upgrade.Chapters {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := chapterSpec(t, c, 0)
				plan := c.Plan(s)
				w := begin(t, s, true, nil, onScreen, func(r *upgrade.Runner) { r.Plan = plan })
				w.plan = plan
				worlds := map[string]string{}
				for _, st := range plan.Steps {
					if st.ID == beyond[c.Name] {
						break
					}
					w.along(st.ID, worlds)
					w.press(st.ID)
					w.leaves(st.ID)
					after := w.rests()
					if st.Do != nil && st.Undo == nil {
						continue // for a reason, which is asked for elsewhere
					}
					w.says(upgrade.Intent{Undo: true})
					w.at(st.ID, upgrade.Ready)
					w.along(after, worlds)
				}
				w.cancel()
				_, _ = w.end()
			})
		})
	}
}
