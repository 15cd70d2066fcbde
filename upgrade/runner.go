package upgrade

import (
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
	toward string          // the step that was asked for, if that one is it
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

// logLag is how much later than answers the lines of a log are read, at most.
const logLag = 400 * time.Millisecond
