package upgrade_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
	"nats-roll/upgrade/upgradetest"
)

func broken(f *upgradetest.Fake) { f.Broken = newBuild.Version }

func rollback(r *upgrade.Runner) { r.Failing = upgrade.FailRollback }

// Unattended, a new binary that does not start is taken back, and the run says
// that it failed and what runs now.
func TestUnattendedRollback(t *testing.T) {
	for name, spoil := range map[string]func(*upgradetest.Fake){
		"exits": broken, "never answers": func(f *upgradetest.Fake) { f.Deaf = newBuild.Version },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, err := begin(t, spec(t, 2, false), false, spoil, rollback).end()
				if err == nil || !strings.Contains(err.Error(), "step restart-a: ") || !strings.HasSuffix(err.Error(), "; A was rolled back to 2.15.1") {
					t.Fatalf("got %v", err)
				}
				st := find(s.Plan, "restart-a")
				if st.Status != upgrade.Returned || st.Reason == "" || s.Plan.Outcome != upgrade.OutcomeFailed {
					t.Errorf("%s %q, outcome %s", st.Status, st.Reason, s.Plan.Outcome)
				}
				if next := find(s.Plan, "stop-b"); next.Status != upgrade.Pending {
					t.Errorf("%s, which was not reached, is %s", next.ID, next.Status)
				}
				for _, c := range st.Checks {
					if !c.Met {
						t.Errorf("%s: %s", c.Text, c.Detail)
					}
				}
				for _, n := range []string{"A", "B"} {
					if v := (upgrade.Running{Node: n, Build: oldBuild}).Eval(s.World); !v.Met {
						t.Errorf("%s: %s", n, v.Detail)
					}
				}
			})
		})
	}
}

// Without a word on failures, nothing is done about one.
func TestUnattendedStopsWhereItFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := begin(t, spec(t, 2, false), false, broken).end()
		if a, _ := s.World.Server("A"); err == nil || a.Process.Alive() || !a.Disk.Same(newBuild) {
			t.Errorf("%v; A %+v", err, a.Process)
		}
	})
}

// A build that is no good is found before anything is stopped for it.
func TestUnfitBuildsStopNothing(t *testing.T) {
	unfit := func(f *upgradetest.Fake) { f.Unfit = newBuild.Version }
	synctest.Test(t, func(t *testing.T) {
		s, err := begin(t, spec(t, 2, true), false, unfit).end()
		if err == nil || !strings.Contains(err.Error(), "step stop-a: 2.15.2 is not fit for A: asked") {
			t.Errorf("got %v", err)
		}
		if a, _ := s.World.Server("A"); !a.Process.Alive() || a.Starts != 1 {
			t.Errorf("A %+v", a.Process)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, spec(t, 2, true), true, unfit)
		w.enterTo("stop-a")
		st := w.at("stop-a", upgrade.Blocked)
		if g := st.Given[len(st.Given)-1]; g.Met || !g.Known || g.Detail != "asked" {
			t.Errorf("given %+v", g)
		}
		w.press("stop-a") // look once more, and it is no better
		synctest.Wait()
		if s, _ := w.lab.State(); len(s.World.Alive()) != 3 {
			t.Errorf("alive %v", s.World.Alive())
		}
		w.lab.Say(upgrade.Intent{Step: "stop-a", Force: true}) // the person's word
		w.at("replace-a", upgrade.Ready)
		w.cancel()
		_, _ = w.end()
	})
}

// A person turns back, and goes on: the rest of that node's turn is skipped, the
// others are upgraded, and the end does not say that all is well.
func TestAPersonTurnsBack(t *testing.T) {
	for _, from := range []string{"stop-a", "replace-a", "restart-a"} {
		t.Run(from, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := begin(t, spec(t, 2, true), true, nil)
				w.enterTo(from)
				w.at(from, upgrade.Ready)
				w.lab.Say(upgrade.Intent{Step: from, Back: true})
				for _, st := range []string{"stop-b", "replace-b", "restart-b", "stop-c", "look-back"} {
					w.at(st, upgrade.Ready)
					w.press(st)
				}
				s, err := w.end()
				if err == nil || s.Plan.Outcome != upgrade.OutcomeFailed || s.Plan.Reason != "step "+from+": A was rolled back to 2.15.1" {
					t.Errorf("%v; %s %q", err, s.Plan.Outcome, s.Plan.Reason)
				}
				want := upgrade.Verified
				for _, id := range []string{"stop-a", "replace-a", "restart-a"} {
					if id == from {
						want = upgrade.Returned
					}
					if st := find(s.Plan, id); st.Status != want {
						t.Errorf("%s is %s, want %s", id, st.Status, want)
					}
					if id == from {
						want = upgrade.Skipped
					}
				}
				for n, b := range map[string]upgrade.Running{"A": {Node: "A", Build: oldBuild}, "B": {Node: "B", Build: newBuild}} {
					if v := b.Eval(s.World); !v.Met {
						t.Errorf("%s: %s", n, v.Detail)
					}
				}
			})
		})
	}
}

// On screen a binary that exits is told at once, not when the time is over, and
// the way back is one word.
func TestAPersonTurnsBackFromABrokenBinary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, spec(t, 2, false), true, broken)
		w.enterTo("restart-a")
		w.at("restart-a", upgrade.Ready)
		w.press("restart-a")
		st := w.at("restart-a", upgrade.Stuck)
		if !strings.Contains(st.Reason, "A died: exit status 1, broken on purpose") {
			t.Errorf("stuck because %q", st.Reason)
		}
		if s, _ := w.lab.State(); s.At.Sub(st.Began) > time.Second {
			t.Errorf("told after %s", s.At.Sub(st.Began))
		}
		w.lab.Say(upgrade.Intent{Step: "restart-a", Back: true})
		w.at("stop-b", upgrade.Ready)
		w.cancel()
		_, _ = w.end()
	})
}

// The way down is the same path, in words of its own.
func TestDowngradeIsWalked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sp := spec(t, 2, true)
		sp.From, sp.To = sp.To, sp.From
		w := begin(t, sp, false, nil, func(r *upgrade.Runner) { r.Plan = upgrade.Downgrade(sp) })
		s, err := w.end()
		if err != nil || s.Plan.Outline.Title != "Rolling downgrade" || s.Plan.Outcome != upgrade.OutcomeVerified {
			t.Fatalf("%v %q %s", err, s.Plan.Outline.Title, s.Plan.Outcome)
		}
		end := find(s.Plan, "look-back")
		if len(end.Findings) != 2 {
			t.Errorf("findings %+v", end.Findings)
		}
		for _, f := range end.Findings {
			if f.Stands != upgrade.Holds {
				t.Errorf("%+v", f)
			}
		}
		for _, st := range s.Plan.Steps {
			if words := st.Why + st.Quote; strings.Contains(words, "upgraded") || strings.Contains(words, "the upgrade begins") {
				t.Errorf("%s speaks of an upgrade: %s", st.ID, words)
			}
		}
	})
}

// Servers may have builds of their own: each turn ends with its own, the way back
// leads to its own, and the cluster may stay mixed.
func TestServersWithBuildsOfTheirOwn(t *testing.T) {
	mine := cluster.Build{Version: "2.16.0-dev", SHA256: "03e", Source: "path"}
	first := cluster.Build{Version: "2.14.9", SHA256: "04e", Source: "store"}
	runs := func(s rehearsal.State, want map[string]cluster.Build) {
		t.Helper()
		for n, b := range want {
			if v := (upgrade.Running{Node: n, Build: b}).Eval(s.World); !v.Met {
				t.Errorf("%s: %s", n, v.Detail)
			}
		}
	}
	own := func(t *testing.T) upgrade.Spec {
		sp := spec(t, 3, false)
		sp.From.Own = map[string]cluster.Build{"C": first}
		sp.To.Own = map[string]cluster.Build{"A": mine, "B": oldBuild}
		return sp
	}
	synctest.Test(t, func(t *testing.T) {
		s, err := begin(t, own(t), false, nil).end()
		if err != nil || s.Plan.Outcome != upgrade.OutcomeVerified {
			t.Fatalf("%s, %v", s.Plan.Outcome, err)
		}
		runs(s, map[string]cluster.Build{"A": mine, "B": oldBuild, "C": newBuild})
		ran := map[string]string{}
		for _, l := range s.Lives {
			ran[l.Node] += " " + string(l.Version)
		}
		if ran["A"] != " 2.15.1 2.16.0-dev" || ran["B"] != " 2.15.1 2.15.1" || ran["C"] != " 2.14.9 2.15.2" {
			t.Errorf("ran %v", ran)
		}
		if intro := s.Plan.Outline.Intro; !strings.Contains(intro, "from 2.15.1 (C 2.14.9) to 2.15.2 (A 2.16.0-dev, B 2.15.1)") || !strings.Contains(intro, "side by side") {
			t.Error(intro)
		}
	})
	synctest.Test(t, func(t *testing.T) { // C's turn fails: it goes back to what it had
		s, err := begin(t, own(t), false, broken, rollback).end()
		if err == nil || !strings.Contains(err.Error(), "C was rolled back to 2.14.9") {
			t.Error(err)
		}
		runs(s, map[string]cluster.Build{"A": mine, "B": oldBuild, "C": first})
	})
}

// A server that dies in another's turn is brought back as well as that one; and a
// turn that has changed nothing yet is left alone.
func TestUnattendedRollbackOfWhatIsAmiss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, spec(t, 3, false), false, nil, rollback)
		w.until("B is started again", func(p upgrade.Progress) bool {
			st := find(p, "restart-b")
			return st.Status == upgrade.Acting || st.Status == upgrade.Checking
		})
		w.fake.Kill("A")
		s, err := w.end()
		if err == nil || !strings.HasSuffix(err.Error(), "; A was rolled back to 2.15.1; B was rolled back to 2.15.1") || find(s.Plan, "restart-b").Status != upgrade.Returned {
			t.Fatalf("%v", err)
		}
		for _, n := range []string{"A", "B", "C"} {
			if v := (upgrade.Running{Node: n, Build: oldBuild}).Eval(s.World); !v.Met {
				t.Errorf("%s: %s", n, v.Detail)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s, err := begin(t, spec(t, 2, true), false, func(f *upgradetest.Fake) { f.Unfit = newBuild.Version }, rollback).end()
		if a, _ := s.World.Server("A"); err == nil || a.Starts != 1 || strings.Contains(err.Error(), "rolled back") {
			t.Errorf("A was started %d times: %v", a.Starts, err)
		}
	})
}

// A rehearsal that is to hold waits until the youngest server has run that long,
// and finds one that dies meanwhile.
func TestHold(t *testing.T) {
	for _, dies := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			sp := spec(t, 2, false)
			sp.Hold = time.Minute
			w := begin(t, sp, false, nil)
			if dies {
				w.until("the end is held", func(p upgrade.Progress) bool {
					st, ok := p.Step()
					return ok && st.ID == "look-back" && st.Status == upgrade.Blocked
				})
				time.Sleep(30 * time.Second)
				w.fake.Kill("A")
			}
			s, err := w.end()
			held := s.Plan.Ended.Sub(s.Plan.Began)
			switch {
			case dies && (err == nil || !strings.Contains(err.Error(), "step look-back: A died")):
				t.Errorf("%v", err)
			case !dies && (err != nil || held < time.Minute || held > 2*time.Minute):
				t.Errorf("held %s, %v", held, err)
			}
		})
	}
}
