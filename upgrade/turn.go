package upgrade

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"nats-roll/cluster"
)

// turn is the walk through one step.
type turn struct {
	*Runner
	Step
	how     How
	before  cluster.Observation
	began   time.Time // when the action began; what is observed before proves nothing
	acted   time.Time // when the action was over
	met     time.Time // since when all checks hold
	then    cluster.Observation
	command string
	shell   string
	told    []Result       // the verdicts as last told
	stuck   string         // why it is the person's; empty when it is not
	listed  map[string]int // what Foretell said
	undoing bool           // it is the way back from the step
	green   time.Time      // since when all checks have held
	dead    int            // the process whose end is known: what is observed next may still show it
}

func (t *turn) walk(ctx context.Context) error {
	past, err := t.admit(ctx)
	if err != nil || past || t.wish != nil {
		return err
	}
	t.Until = beginning(t.Until, t.before)
	t.tellBegun()
	if err := t.act(ctx); err != nil {
		return err
	}
	return t.await(ctx)
}

func (t *turn) tellBegun() {
	t.told = nil
	if t.undoing {
		t.Sink(StepUndoing{ID: t.ID, Command: t.command})
		return
	}
	t.listed = t.foretold()
	t.Sink(StepBegan{ID: t.ID, How: t.how, Command: t.command, Listed: t.listed})
}

// foretold is where the clients will be, by what was seen last before the step.
func (t *turn) foretold() map[string]int {
	if t.Foretell == nil || t.undoing {
		return nil
	}
	return t.Foretell(t.before)
}

// admit waits until the step may act: what it needs holds, and the person has
// said so. A step that the world has done already needs no word; past says that
// nothing of it is left to do.
func (t *turn) admit(ctx context.Context) (past bool, err error) {
	deadline := t.deadline()
	defer deadline.Stop()
	var told *StepReady
	looked, trouble := false, ""
	for {
		o, changed := t.World.Observe()
		if t.Past != nil {
			if v := t.Past.Eval(o); v.Met {
				t.how, t.before, t.Claims = ByHand, o, nil // nobody saw what it did
				t.end(o, Verified, []Result{{Text: t.Past.String(), Verdict: v}}, "")
				return true, nil
			}
		}
		if t.Met != nil && t.Met.Eval(o).Met {
			t.how = ByHand
			if told == nil {
				t.before = o
			} // else what was seen just before it was begun
			return false, nil
		}
		if s, _ := o.Server(t.Node); told == nil || s.Process.Stop == "" {
			t.before = o
		} // else it is on its way out: what that does to the clients is the step's
		t.renew(o)
		given := t.given(o)
		if !looked && t.unseen(given) {
			looked = true
			t.look(ctx)
			continue
		}
		if now := (StepReady{ID: t.ID, Given: given, Command: t.command, Shell: t.shell, Listed: t.foretold(), Reason: trouble}); told == nil || told.Command != now.Command || !slices.Equal(told.Given, given) || !maps.Equal(told.Listed, now.Listed) {
			if told != nil {
				now.Reason, trouble = "", "" // things have changed since
			}
			told = &now
			t.Sink(now)
		}
		if t.Intents == nil {
			if err := t.collapsed(o); err != nil {
				return false, t.fail(o, given, err.Error())
			}
			if allMet(given) {
				return false, nil
			}
			if why := t.unfit(given); why != "" {
				return false, t.fail(o, given, why)
			}
		} else if t.hasty() {
			if allMet(given) {
				return false, nil
			}
			if t.collapsed(o) != nil || t.unfit(given) != "" {
				t.until = 0 // that is for the person
			}
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-changed:
		case <-deadline.C:
			if t.Intents != nil {
				t.until = 0
				continue
			}
			return false, t.fail(o, given, "not ready after "+t.Timeout.String()+": "+unmet(given))
		case in := <-t.Intents:
			switch {
			case in.Step != t.ID:
			case in.leads():
				if t.wish = t.chart(in, false); t.wish != nil {
					return false, nil
				}
				deadline.Reset(t.Timeout) // of no use unless it is to be done without a word
			case in.Back && t.Back != nil:
				if past, err := t.wayBack(ctx); past || err != nil {
					return past, err
				}
				told = nil
			case in.Back:
			case in.Force || allMet(given):
				return false, nil
			default:
				trouble = t.remedy(ctx, o)
				told = nil
			}
		}
	}
}

// hasty says that nobody is asked before the step.
func (t *turn) hasty() bool { return t.Intents == nil || t.at < t.until }

// deadline is the step's time limit, and never comes while a person decides.
func (t *turn) deadline() *time.Timer {
	d := time.NewTimer(t.Timeout)
	if !t.hasty() {
		d.Stop()
	}
	return d
}

// act runs the action, unless the world has done it.
func (t *turn) act(ctx context.Context) error {
	t.began = time.Now()
	if t.Do != nil && t.how != ByHand {
		t.Driver.Look() // quicken: something is about to change
		act, cancel := context.WithTimeout(ctx, t.Timeout)
		by := DoerPlan
		if t.undoing {
			by = DoerUndo
		}
		err := t.carry(act, t.Do, by, t.ID)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if t.Intents == nil {
				o, _ := t.World.Observe()
				return t.fail(o, evaluate(t.Until, o), err.Error())
			}
			t.acted = time.Now()
			t.strand(err.Error())
			return nil
		}
	}
	t.acted = time.Now()
	t.then, _ = t.World.Observe()
	t.Driver.Look()
	t.Sink(StepActed{ID: t.ID})
	return nil
}

// lookPause is how often everything is asked anew while a step waits for its
// checks; the longer it waits, the rarer.
const lookPause = 30 * time.Millisecond

// await watches the checks until all of them hold on what was observed after
// the action. Unattended, the time limit and a server that dies end it; a
// person is told, and may do it again, go on by force, or mend it by hand.
func (t *turn) await(ctx context.Context) error {
	deadline := time.NewTimer(time.Until(t.began.Add(t.Timeout)))
	defer deadline.Stop()
	look := time.NewTimer(lookPause)
	defer look.Stop()
	for {
		o, changed := t.World.Observe()
		rs := t.steady(evaluate(t.Until, o.Since(t.acted)))
		t.tell(rs)
		if !allMet(rs) {
			t.met = time.Time{}
		} else if t.met.IsZero() {
			t.met = time.Now()
		}
		if allMet(rs) && t.heard(o) {
			t.end(o, Verified, rs, "")
			return nil
		}
		if t.Intents == nil {
			if err := t.collapsed(o); err != nil {
				return t.fail(o, rs, err.Error())
			}
			if why := t.departed(o); why != "" {
				return t.fail(o, rs, why)
			}
		} else if why := cmp.Or(t.died(o), t.departed(o)); why != "" && t.stuck == "" {
			t.strand(why)
		} else if t.stuck != "" && t.renew(o) { // what it names is another process now
			t.strand(t.stuck)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-look.C:
			t.Driver.Look()
			look.Reset(max(lookPause, time.Since(t.acted)/20))
		case <-deadline.C:
			reason := fmt.Sprintf("after %s: %s", Round(time.Since(t.began)), unmet(rs))
			if t.Intents == nil {
				return t.fail(o, rs, reason)
			}
			t.strand(reason)
		case in := <-t.Intents:
			if in.Step == t.ID && in.leads() && !t.undoing {
				if t.wish = t.chart(in, true); t.wish != nil {
					return nil
				}
				continue
			}
			if in.Step == t.ID && in.Back && t.Back != nil {
				if past, err := t.wayBack(ctx); past || err != nil {
					return err
				}
				continue
			}
			if in.Step != t.ID || t.stuck == "" || in.Back || in.leads() {
				continue
			}
			if in.Force {
				if !t.undoing {
					t.amiss = append(t.amiss, &StepError{ID: t.ID, Reason: "passed by force: " + unmet(rs)})
				}
				t.end(o, Forced, rs, unmet(rs))
				return nil
			}
			t.again(ctx, o)
			deadline.Reset(t.Timeout)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
}

// heard says that what the claims are judged by is there, or that it was waited for
// long enough after all checks were met.
func (t *turn) heard(o cluster.Observation) bool {
	return t.undoing || time.Since(t.met) > logLag ||
		!slices.ContainsFunc(t.Claims, func(c Claim) bool { return c.Late != nil && c.Late(o) })
}

// again does a stuck step once more: what it lacks, and its action. A server
// that was started and is not what it should be is stopped first.
func (t *turn) again(ctx context.Context, o cluster.Observation) {
	t.remedy(ctx, o)
	if a, ok := t.Do.(StartNode); ok && t.Undo != nil {
		if s, _ := o.Server(a.Node); s.Process.Alive() && !t.Met.Eval(o).Met {
			undo, cancel := context.WithTimeout(ctx, t.Timeout)
			_ = t.carry(undo, t.Undo, DoerPlan, t.ID) // if it cannot be stopped, starting it says so
			cancel()
			o, _ = t.World.Observe()
		}
	}
	t.how = ByPlan
	if t.Met != nil && t.Met.Eval(o).Met {
		t.how = ByHand
	}
	t.stuck = ""
	t.renew(o)
	t.tellBegun()
	_ = t.act(ctx) // a failure is told as StepStuck
}

// strand leaves the step to the person, who has keys for it.
func (t *turn) strand(reason string) {
	t.stuck, t.until, t.told = reason, 0, nil
	o, _ := t.World.Observe()
	t.renew(o)
	t.Sink(StepStuck{ID: t.ID, Reason: reason, Command: t.command, Shell: t.shell})
}

// renew words the step's command by what is seen now, and says whether that is new.
func (t *turn) renew(o cluster.Observation) bool {
	if t.Do == nil {
		return false
	}
	was := t.command
	t.command, t.shell = t.Do.Command(o), shellOf(t.Do, o)
	return t.command != was
}

// tell reports verdicts when one of them changed.
func (t *turn) tell(rs []Result) {
	if !slices.Equal(t.told, rs) {
		t.told = rs
		t.Sink(StepChecked{ID: t.ID, Checks: rs})
	}
}

// collapsed finds a server that ended without being asked since the run began,
// in a step that does not expect that.
func (t *turn) collapsed(o cluster.Observation) error {
	for _, s := range o.Servers {
		if t.fell(s) {
			return errors.New(notUp(s).Detail)
		}
	}
	return nil
}

// fell says that a server ended without being asked since the run began. One
// that ended in a step that expects it is excused, then and later.
func (t *turn) fell(s cluster.Server) bool {
	e := s.Process.Exit
	if e == nil || e.Asked || !e.At.After(t.Runner.began) || t.excused[s.Process.PID] {
		return false
	}
	if !slices.Contains(t.Expect, s.Node.Name) {
		return true
	}
	if t.excused == nil {
		t.excused = map[int]bool{}
	}
	t.excused[s.Process.PID] = true
	return false
}

// departed finds an application that the step has started and that has ended.
func (t *turn) departed(o cluster.Observation) string {
	for _, c := range t.Until {
		j, ok := c.(Joined)
		if !ok {
			continue
		}
		if a, _ := o.Application(j.Application); a.Exit != nil && !a.Exit.At.Before(t.began) {
			return parted(a)
		}
	}
	return ""
}

func (t *turn) fail(o cluster.Observation, rs []Result, reason string) error {
	t.end(o, Failed, rs, reason)
	return &StepError{ID: t.ID, Reason: reason}
}

func (t *turn) end(o cluster.Observation, status Status, rs []Result, reason string) {
	for _, s := range o.Servers {
		t.fell(s) // what ended in a step that expects it is excused from now on
	}
	if t.undoing && status != Failed {
		t.Sink(StepUndone{ID: t.ID, Reason: reason, Took: time.Since(t.began), Checks: rs, Impact: Measure(t.before, o), On: o.Fleet.On()})
		return
	}
	e := StepEnded{
		ID: t.ID, Status: status, How: t.how, Reason: reason, Checks: rs,
		Impact: Measure(t.before, o), On: o.Fleet.On(),
	}
	if momentOf(t.Do) == MomentStart && !t.acted.IsZero() {
		e.Join = Measure(t.then, o)
	}
	if status == Verified || status == Forced { // what did not happen says nothing about the text
		e.Findings = judge(t.Claims, t.before, o)
		if t.Tell != nil {
			e.Told = t.Tell(Told{Before: t.before, After: o, Listed: t.listed, Over: t.ended})
		}
	}
	if !t.began.IsZero() {
		e.Took = time.Since(t.began)
		if status == Verified && !t.met.IsZero() {
			e.Took = t.met.Sub(t.began)
		}
	}
	if t.ended == nil {
		t.ended = map[string]Over{}
	}
	t.ended[t.ID] = Over{StepEnded: e, Before: t.before.Fleet.On(), Listed: t.listed}
	t.Sink(e)
}
