package upgrade_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
	"nats-roll/upgrade/upgradetest"
)

// walk is a rehearsal on the fake, inside a synctest bubble.
type walk struct {
	*testing.T
	lab    *rehearsal.Lab
	fake   *upgradetest.Fake
	plan   upgrade.Plan
	done   chan error
	cancel context.CancelFunc
}

func spec(t testing.TB, permanent int, spare bool) upgrade.Spec {
	return upgrade.Spec{
		Topology: topology(t, permanent, spare), From: cluster.Builds{Build: oldBuild}, To: cluster.Builds{Build: newBuild},
		Workload: cluster.Workload{Subscribers: 20, Rate: 100}, Stop: cluster.StopInt,
	}
}

// begin starts a walk. prepare may change the fake before anything runs.
func begin(t *testing.T, s upgrade.Spec, attended bool, prepare func(*upgradetest.Fake), opts ...func(*upgrade.Runner)) *walk {
	t.Helper()
	w := &walk{T: t, lab: rehearsal.New(), plan: upgrade.Rolling(s), done: make(chan error, 1)}
	w.fake = upgradetest.NewFake(s.Topology, w.lab.Emit)
	if prepare != nil {
		prepare(w.fake)
	}
	r := &upgrade.Runner{Plan: w.plan, Driver: w.fake, World: w.lab, Sink: w.lab.Emit}
	if attended {
		r.Intents = w.lab.Intents()
	}
	for _, o := range opts {
		o(r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.cancel = cancel
	go func() { w.done <- r.Run(ctx) }()
	return w
}

// end stops everything and returns what the runner came to.
func (w *walk) end() (rehearsal.State, error) {
	w.Helper()
	err := <-w.done
	w.cancel()
	w.fake.Close()
	w.lab.Close()
	s, _ := w.lab.State()
	return s, err
}

// until waits for a state that the condition accepts.
func (w *walk) until(what string, cond func(upgrade.Progress) bool) upgrade.Progress {
	w.Helper()
	deadline := time.After(10 * time.Minute)
	for {
		s, changed := w.lab.State()
		if cond(s.Plan) {
			return s.Plan
		}
		select {
		case <-changed:
		case <-deadline:
			st, _ := s.Plan.Step()
			w.Fatalf("never %s; step %s is %s: %s", what, st.ID, st.Status, st.Reason)
		}
	}
}

func (w *walk) at(id string, status upgrade.Status) upgrade.StepProgress {
	w.Helper()
	p := w.until(id+" "+string(status), func(p upgrade.Progress) bool {
		st, ok := p.Step()
		return ok && st.ID == id && st.Status == status
	})
	st, _ := p.Step()
	return st
}

func (w *walk) press(id string) { w.lab.Say(upgrade.Intent{Step: id}) }

// enterTo presses Enter through the steps before this one.
func (w *walk) enterTo(id string) {
	w.Helper()
	for _, st := range w.plan.Steps {
		if st.ID == id {
			return
		}
		w.at(st.ID, upgrade.Ready)
		w.press(st.ID)
	}
}

func find(p upgrade.Progress, id string) upgrade.StepProgress {
	for _, s := range p.Steps {
		if s.ID == id {
			return s
		}
	}
	return upgrade.StepProgress{}
}

func TestUnattendedWalkVerifiesEveryStep(t *testing.T) {
	for _, tc := range []struct {
		name      string
		permanent int
		spare     bool
		stop      cluster.Stop
	}{
		{"as the tutorial", 2, true, cluster.StopInt},
		{"without the temporary server", 2, false, cluster.StopInt},
		{"five servers, lame duck", 5, true, cluster.StopLameDuck},
		{"nine servers, kill", 9, true, cluster.StopKill},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sp := spec(t, tc.permanent, tc.spare)
				sp.Stop = tc.stop
				s, err := begin(t, sp, false, nil).end()
				if err != nil || s.Plan.Outcome != upgrade.OutcomeVerified {
					t.Fatalf("outcome %s, %v", s.Plan.Outcome, err)
				}
				for _, st := range s.Plan.Steps {
					if st.Status != upgrade.Verified || st.How != upgrade.ByPlan {
						t.Errorf("%s is %s %s: %s", st.ID, st.Status, st.How, st.Reason)
					}
				}
				f := s.World.Fleet
				if f.Expected == 0 || f.Expected != f.Received-f.Duplicated+f.Lost {
					t.Errorf("%d expected, %d received, %d duplicated, %d lost", f.Expected, f.Received, f.Duplicated, f.Lost)
				}
			})
		})
	}
}

func TestUnattendedWalkFailsWithTheReason(t *testing.T) {
	for _, tc := range []struct {
		name    string
		prepare func(*upgradetest.Fake)
		step    string
		want    string
	}{
		{"the new binary exits", func(f *upgradetest.Fake) { f.Broken = newBuild.Version }, "start-c", "C died: exit status 1, broken on purpose"},
		{"the new binary never answers", func(f *upgradetest.Fake) { f.Deaf = newBuild.Version }, "start-c", "C runs 2.15.2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, err := begin(t, spec(t, 2, true), false, tc.prepare).end()
				var se *upgrade.StepError
				if !errors.As(err, &se) || se.ID != tc.step || !strings.Contains(se.Reason, tc.want) {
					t.Fatalf("got %v, want step %s: … %s", err, tc.step, tc.want)
				}
				if s.Plan.Outcome != upgrade.OutcomeFailed || find(s.Plan, tc.step).Status != upgrade.Failed {
					t.Errorf("outcome %s, step %s", s.Plan.Outcome, find(s.Plan, tc.step).Status)
				}
				if next := find(s.Plan, "stop-a"); next.Status != upgrade.Pending {
					t.Errorf("%s, which was not reached, is %s", next.ID, next.Status)
				}
			})
		})
	}
}

func TestUnattendedWalkFailsWhenAServerDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sp := spec(t, 2, true)
		sp.Stop = cluster.StopLameDuck // takes long enough to be hit meanwhile
		w := begin(t, sp, false, nil)
		w.at("stop-a", upgrade.Acting)
		w.fake.Kill("B")
		_, err := w.end()
		if err == nil || !strings.Contains(err.Error(), "B died: ended by SIGKILL") {
			t.Fatalf("got %v", err)
		}
	})
}

func TestNothingAdvancesWithoutAWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, spec(t, 2, true), true, nil)
		w.at("start-a", upgrade.Ready)
		time.Sleep(time.Hour) // virtual
		w.press("stop-b")     // meant for another step
		synctest.Wait()
		if st := w.at("start-a", upgrade.Ready); st.Began != (time.Time{}) {
			t.Errorf("began %s", st.Began)
		}
		w.cancel()
		if s, err := w.end(); !errors.Is(err, context.Canceled) || s.Plan.Outcome != upgrade.OutcomeAborted {
			t.Errorf("outcome %s, %v", s.Plan.Outcome, err)
		}
	})
}

func TestAStepDoneByHandCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, spec(t, 2, true), true, nil)
		w.enterTo("stop-a")
		w.at("stop-a", upgrade.Ready)
		w.fake.Kill("A") // from another terminal
		w.at("replace-a", upgrade.Ready)
		s, _ := w.lab.State()
		st := find(s.Plan, "stop-a")
		if st.Status != upgrade.Verified || st.How != upgrade.ByHand {
			t.Errorf("stop-a is %s %q", st.Status, st.How)
		}
		if n := st.Impact.Moved["B"] + st.Impact.Moved["C"]; n != 21 {
			t.Errorf("moved %v, want all 21", st.Impact.Moved)
		}
		w.cancel()
		_, _ = w.end()
	})
}

func TestATurnTakenByHandIsPast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, spec(t, 2, true), true, nil)
		w.enterTo("stop-a")
		w.at("stop-a", upgrade.Ready)
		ctx, d := t.Context(), w.fake
		b, _ := w.plan.Topology.Node("B")
		for _, err := range []error{ // B first, although it is A's turn
			d.Stop(ctx, "B", cluster.StopInt),
			d.Install(ctx, "B", newBuild),
			d.Start(ctx, "B", w.plan.Topology.Args(b)),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, id := range []string{"stop-a", "replace-a", "restart-a"} {
			w.at(id, upgrade.Ready)
			w.press(id)
		}
		w.at("stop-c", upgrade.Ready)
		s, _ := w.lab.State()
		for _, id := range []string{"stop-b", "replace-b", "restart-b"} {
			if st := find(s.Plan, id); st.Status != upgrade.Verified || st.How != upgrade.ByHand {
				t.Errorf("%s is %s %q", id, st.Status, st.How)
			}
		}
		w.cancel()
		_, _ = w.end()
	})
}

func TestAMissingServerBlocksTheStepAndEnterMendsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, spec(t, 2, true), true, nil)
		w.enterTo("stop-a")
		w.at("stop-a", upgrade.Ready)
		w.fake.Kill("B") // the wrong one
		st := w.at("stop-a", upgrade.Blocked)
		if !strings.Contains(st.Given[0].Detail, "B died: ended by SIGKILL") {
			t.Errorf("given %+v", st.Given)
		}
		w.press("stop-a") // mends it, stops nothing
		w.at("stop-a", upgrade.Ready)
		s, _ := w.lab.State()
		if a, _ := s.World.Server("A"); a.Condition() != cluster.Up {
			t.Errorf("A is %s", a.Condition())
		}
		w.press("stop-a")
		w.at("replace-a", upgrade.Ready)
		w.cancel()
		_, _ = w.end()
	})
}

func TestAStuckStepIsTriedAgainOrForced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, spec(t, 2, true), true, func(f *upgradetest.Fake) { f.Deaf = newBuild.Version })
		w.enterTo("start-c")
		w.at("start-c", upgrade.Ready)
		w.press("start-c")
		st := w.at("start-c", upgrade.Stuck)
		if !strings.Contains(st.Reason, "C runs 2.15.2") {
			t.Errorf("reason %q", st.Reason)
		}
		w.press("start-c")
		w.at("start-c", upgrade.Checking)
		w.at("start-c", upgrade.Stuck)
		w.lab.Say(upgrade.Intent{Step: "start-c", Force: true})
		w.until("past start-c", func(p upgrade.Progress) bool { return find(p, "start-c").Status == upgrade.Forced })
		w.cancel()
		_, _ = w.end()
	})
}

// Who tries again sees what is so now, and not what was seen the last time. A way
// back that failed leaves the step's own command and checks: they are what is tried.
func TestWhatIsTriedAgainIsLookedAtAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // builds are brought meanwhile
		var p upgrade.Progress
		begun := 0
		w := begin(t, spec(t, 2, false), true, func(f *upgradetest.Fake) { f.Deaf = newBuild.Version }, func(r *upgrade.Runner) {
			sink := r.Sink
			r.Sink = func(e cluster.Event) {
				sink(e)
				mu.Lock()
				defer mu.Unlock()
				p = p.Apply(time.Now(), e)
				if b, ok := e.(upgrade.StepBegan); ok && b.ID == "restart-a" {
					begun++
					for _, c := range find(p, b.ID).Checks {
						if c.Known {
							t.Errorf("begun for the %d. time, and told already: %+v", begun, c)
						}
					}
				}
			}
		})
		w.enterTo("restart-a")
		ready := w.at("restart-a", upgrade.Ready)
		w.press("restart-a")
		w.at("restart-a", upgrade.Stuck)
		w.press("restart-a")
		w.at("restart-a", upgrade.Checking)
		w.at("restart-a", upgrade.Stuck)
		if begun != 2 {
			t.Errorf("begun %d times", begun)
		}

		if err := w.fake.Stop(t.Context(), "A", cluster.StopKill); err != nil {
			t.Fatal(err)
		}
		if err := w.fake.Occupy(t.Context(), "A", true); err != nil {
			t.Fatal(err)
		}
		w.lab.Say(upgrade.Intent{Step: "restart-a", Back: true})
		st := find(w.until("back from the way back", func(p upgrade.Progress) bool {
			return strings.HasPrefix(find(p, "restart-a").Reason, "the way back: ")
		}), "restart-a")
		if st.Command != ready.Command || st.Shell != ready.Shell {
			t.Errorf("trying again does %s, and not %s", st.Command, ready.Command)
		}
		st = find(w.until("told what it is to be", func(p upgrade.Progress) bool { return len(find(p, "restart-a").Checks) > 0 }), "restart-a")
		if st.Checks[0].Text != ready.Checks[0].Text {
			t.Errorf("checks %+v", st.Checks)
		}
		w.cancel()
		_, _ = w.end()
	})
}

// With one build on both sides the file looks replaced from the start; it is
// replaced and restarted all the same.
func TestRestartRehearsalWithOneBuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sp := spec(t, 2, true)
		sp.From = sp.To
		s, err := begin(t, sp, false, nil).end()
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range s.Plan.Steps {
			if st.How != upgrade.ByPlan {
				t.Errorf("%s was taken for done", st.ID)
			}
		}
		for _, srv := range s.World.Servers[:2] {
			if srv.Starts != 2 {
				t.Errorf("%s was started %d times", srv.Node.Name, srv.Starts)
			}
		}
	})
}

// A log of what happened tells the same story as the state did.
func TestTheEventLogFoldsToTheSameState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		j := rehearsal.NewJournal(&log, rehearsal.Header{Tool: "test"})
		lab := rehearsal.New(j.Watch)
		sp := spec(t, 2, true)
		fake := upgradetest.NewFake(sp.Topology, lab.Emit)
		r := &upgrade.Runner{Plan: upgrade.Rolling(sp), Driver: fake, World: lab, Sink: lab.Emit}
		err := r.Run(t.Context())
		fake.Close()
		lab.Close()
		if err := errors.Join(err, j.Close()); err != nil {
			t.Fatal(err)
		}
		want, _ := lab.State()
		var got rehearsal.State
		if _, err := rehearsal.ReadJournal(strings.NewReader(log.String()+`{"cut":"o`), func(r rehearsal.Record) {
			got = got.Apply(r.At, r.Event)
		}); err != nil {
			t.Fatal(err)
		}
		if got.Plan.Outcome != want.Plan.Outcome || got.World.Fleet.Totals != want.World.Fleet.Totals {
			t.Errorf("replayed to %s %+v, want %s %+v", got.Plan.Outcome, got.World.Fleet.Totals, want.Plan.Outcome, want.World.Fleet.Totals)
		}
	})
}
