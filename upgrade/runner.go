package upgrade

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"nats-roll/cluster"
)

// World is where the runner sees what its actions brought about.
type World interface {
	// Observe returns what is known now and a channel that is closed when more
	// is known.
	Observe() (cluster.Observation, <-chan struct{})
}

// Intent is what a person says to a step: do it (its action, what it needs and
// lacks, or its action once more when it is stuck), with Force go on although
// something does not hold, or with Back bring the node's old server back. Undo
// takes back the step, if it has acted, or else the one before it; Again does it
// once more then. To goes to another step: back, by taking one after the other
// back, or forward, by doing one after the other. One that was meant for another
// step is ignored.
type Intent struct {
	Step  string
	Force bool
	Back  bool
	Undo  bool
	Again bool
	To    string
}

// OnFailure is what an unattended run does when a step has failed.
type OnFailure string

// The ways to go on after a failure. To stop leaves the servers as they are; to
// abort has whoever runs the program end them.
const (
	FailStop     OnFailure = "stop"
	FailRollback OnFailure = "rollback"
	FailAbort    OnFailure = "abort"
)

// OnFailures lists them, the default first.
var OnFailures = []OnFailure{FailStop, FailRollback, FailAbort}

// Runner walks a plan. With Intents it waits for a person before every step,
// keeps watching while they read, and never gives up by itself; without, it
// goes on as soon as it can and ends at the first failure.
type Runner struct {
	Plan    Plan
	Driver  Driver
	World   World
	Sink    cluster.Sink
	Intents <-chan Intent // nil for an unattended run
	Lingers bool          // with a person: at the end, they are waited for until the context ends
	Failing OnFailure     // of an unattended run

	at     int             // the current step
	until  int             // steps before this one are done without a word
	wish   *course         // where a person wants to go instead
	ended  map[string]Over // the steps that are over, by their ids
	starts map[string]int  // of nodes with steps that were taken back: what does not count

	began   time.Time
	back    map[string]cluster.Build // nodes that were rolled back, and to what
	amiss   []*StepError             // what a person went on from
	excused map[int]bool             // processes that ended in a step that lets them
}

// StepError is the failure of a step in an unattended run.
type StepError struct {
	ID     string
	Reason string
}

func (e *StepError) Error() string { return fmt.Sprintf("step %s: %s", e.ID, e.Reason) }

// Run prepares the slots and walks every step. It returns nil when all steps
// are behind it, a *StepError when one failed, and the context's error when it
// was ended. Finished is told in every case, and again when a person has led back
// from the end.
func (r *Runner) Run(ctx context.Context) error {
	r.began = time.Now()
	r.Sink(Planned{Outline: r.Plan.Outline()})
	err := r.finish(ctx, r.walk(ctx))
	if r.Lingers && r.Intents != nil {
		return r.linger(ctx, err)
	}
	return err
}

// finish tells how it ended.
func (r *Runner) finish(ctx context.Context, err error) error {
	switch {
	case err == nil:
		r.Sink(Finished{Outcome: OutcomeVerified})
	case ctx.Err() != nil:
		r.Sink(Finished{Outcome: OutcomeAborted, Reason: "ended before the plan was through"})
	default:
		r.Sink(Finished{Outcome: OutcomeFailed, Reason: err.Error()})
	}
	return err
}

func (r *Runner) walk(ctx context.Context) error {
	ahead, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer stop()
	filled, err := r.fill(ahead, &beside)
	if err != nil {
		return err
	}
	steps := r.Plan.Steps
	beside.Go(func() { r.stage(ahead, filled, steps) })
	return r.onward(ctx, filled)
}

// onward walks from the current step to the end.
func (r *Runner) onward(ctx context.Context, filled func(node string) error) error {
	for r.at < len(r.Plan.Steps) {
		r.reorder(r.at)
		st := r.Plan.Steps[r.at]
		if err := filled(st.Node); err != nil {
			return err
		}
		if b, ok := r.rolledBack(st); ok {
			r.Sink(StepEnded{ID: st.ID, Status: Skipped, Reason: fmt.Sprintf("%s was rolled back to %s", st.Node, b)})
			r.at++
			continue
		}
		if err := r.step(ctx, r.adjusted(st)); err != nil {
			return err
		}
		if r.wish == nil {
			if _, ok := r.starts[st.Node]; ok && st.Back == nil {
				r.forget(st.Node) // that was once more, and no turn
			}
			r.at++
			continue
		}
		if err := r.lead(ctx); err != nil {
			return err
		}
	}
	return r.wrong()
}

// rolledBack says to what the step's node was rolled back in the turn that the
// step is part of.
func (r *Runner) rolledBack(st Step) (cluster.Build, bool) {
	b, ok := r.back[st.Node]
	return b, ok && st.Back != nil
}

// wrong is what a person went on from, as one error. A walk with such steps is
// over, but nobody can say that it was verified.
func (r *Runner) wrong() error {
	if len(r.amiss) == 0 {
		return nil
	}
	first := *r.amiss[0]
	for _, e := range r.amiss[1:] {
		first.Reason += "; " + e.Error()
	}
	return &first
}

// adjusted is a step that expects of rolled-back nodes what they run now, and that
// does not take what was taken back for done.
func (r *Runner) adjusted(st Step) Step {
	st.Until = slices.Clone(st.Until)
	for i, c := range st.Until {
		if run, ok := c.(Running); ok {
			if b, ok := r.back[run.Node]; ok {
				st.Until[i] = Running{Node: run.Node, Build: b}
			}
		}
	}
	if past, ok := st.Past.(Restarted); ok {
		past.After = r.starts[past.Node]
		st.Past = past
	}
	return st
}

// fill puts the builds into the slots, into the first one at once and into the
// others, one after the other so that they do not hold each other up, while it is
// started. What it returns waits for a node's.
func (r *Runner) fill(ctx context.Context, beside *sync.WaitGroup) (filled func(node string) error, err error) {
	install := func(node string) error {
		slot := r.Plan.slotOf(node)
		if text, ok := r.Plan.Configs[node]; ok {
			if err := r.carry(ctx, Configure{Node: node, Text: text, Slot: slot}, DoerPlan, ""); err != nil {
				return err
			}
		}
		return r.carry(ctx, Replace{Node: node, Build: r.Plan.Slots[node], Slot: slot}, DoerPlan, "")
	}
	nodes := r.Plan.Topology.Nodes
	if err := install(nodes[0].Name); err != nil {
		return nil, err
	}
	done := map[string]func() error{}
	for _, n := range nodes[1:] {
		done[n.Name] = sync.OnceValue(func() error { return install(n.Name) })
	}
	beside.Go(func() {
		for _, n := range nodes[1:] {
			_ = done[n.Name]() // whoever needs the slot is told
		}
	})
	return func(node string) error {
		if wait, ok := done[node]; ok {
			return wait()
		}
		return nil
	}, nil
}

// stage brings the builds of later steps to their slots, and looks at them,
// while earlier steps run. What goes wrong here goes wrong again, and is told, at
// the step itself.
func (r *Runner) stage(ctx context.Context, filled func(node string) error, steps []Step) {
	for _, n := range r.Plan.Topology.Nodes { // which need the room first
		if filled(n.Name) != nil {
			return
		}
	}
	for _, st := range steps {
		for _, g := range st.Given {
			if g.Look && g.Remedy.Run(ctx, r.Driver) != nil {
				return
			}
		}
	}
}

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
	told    []Result // the verdicts as last told
	stuck   bool
	listed  map[string]int // what Foretell said
	undoing bool           // it is the way back from the step
	green   time.Time      // since when all checks have held
	dead    int            // the process whose end is known: what is observed next may still show it
}

func (r *Runner) step(ctx context.Context, st Step) error {
	t := &turn{Runner: r, Step: st}
	err := t.walk(ctx)
	failed, ok := errors.AsType[*StepError](err)
	if !ok || r.Failing != FailRollback {
		return err
	}
	back := t.amissNow()
	if len(back) == 0 {
		return err
	}
	if err := t.turnBack(ctx, failed.Reason, back); err != nil {
		return fmt.Errorf("%w; and the way back failed: %w", failed, err)
	}
	for _, n := range slices.Sorted(maps.Keys(back)) {
		failed.Reason += fmt.Sprintf("; %s was rolled back to %s", n, back[n].Build)
	}
	return failed
}

func (t *turn) walk(ctx context.Context) error {
	past, err := t.admit(ctx)
	if err != nil || past || t.wish != nil {
		return err
	}
	t.tellBegun()
	if err := t.act(ctx); err != nil {
		return err
	}
	return t.await(ctx)
}

func (t *turn) tellBegun() {
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
		if t.Do != nil {
			t.command = t.Do.Command(o)
		}
		given := t.given(o)
		if !looked && t.unseen(given) {
			looked = true
			t.look(ctx)
			continue
		}
		if now := (StepReady{ID: t.ID, Given: given, Command: t.command, Listed: t.foretold(), Reason: trouble}); told == nil || told.Command != now.Command || !slices.Equal(told.Given, given) || !maps.Equal(told.Listed, now.Listed) {
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
		} else if why := cmp.Or(t.died(o), t.departed(o)); why != "" && !t.stuck {
			t.strand(why)
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
			if in.Step != t.ID || !t.stuck || in.Back || in.leads() {
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

// logLag is how much later than answers the lines of a log are read, at most.
const logLag = 400 * time.Millisecond

// heard says that what the claims are judged by is there, or that it was waited for
// long enough.
func (t *turn) heard(o cluster.Observation) bool {
	return t.undoing || time.Since(t.acted) > logLag ||
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
	t.stuck = false
	t.tellBegun()
	_ = t.act(ctx) // a failure is told as StepStuck
}

// strand leaves the step to the person, who has keys for it.
func (t *turn) strand(reason string) {
	t.stuck, t.until = true, 0
	t.Sink(StepStuck{ID: t.ID, Reason: reason})
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
