package upgrade

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"nats-roll/cluster"
)

// The way back: what a turn does when its node's old server is wanted again.

// wayBack is turnBack for a person: when it fails, the step stays theirs.
func (t *turn) wayBack(ctx context.Context) (past bool, err error) {
	if err := t.turnBack(ctx, "", map[string]*Way{t.Node: t.Back}); err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		t.strand("the way back: " + err.Error())
		return false, nil
	}
	return true, nil
}

// amissNow is the way back of every node that is not as it was before its turn:
// the step's own, and any that died. One whose old server runs from its old file
// is left alone.
func (t *turn) amissNow() map[string]*Way {
	o, _ := t.World.Observe()
	back := map[string]*Way{}
	for _, st := range t.Plan.Steps {
		s, _ := o.Server(st.Node)
		if st.Back == nil || !t.fell(s) && (st.Node != t.Node || t.Back == nil) {
			continue
		}
		was := []Check{Running{Node: st.Node, Build: st.Back.Build}, OnDisk{Node: st.Node, Build: st.Back.Build}}
		if !allMet(evaluate(was, o)) {
			back[st.Node] = st.Back
		}
	}
	return back
}

// turnBack brings the old servers of nodes back, and closes the step when that is
// seen to be so.
func (t *turn) turnBack(ctx context.Context, why string, back map[string]*Way) error {
	o, _ := t.World.Observe()
	nodes := slices.Sorted(maps.Keys(back))
	var commands []string
	for _, n := range nodes {
		commands = append(commands, back[n].Commands(o)...)
	}
	t.Sink(StepReturns{ID: t.ID, Reason: why, Commands: commands})
	began := time.Now()
	if s, _ := o.Server(t.Node); s.Process.Exit != nil {
		t.dead = s.Process.PID
	}
	var checks []Check
	for _, n := range nodes {
		for _, a := range back[n].Do {
			act, cancel := context.WithTimeout(ctx, t.Timeout)
			err := t.carry(act, a, DoerBack, t.ID)
			cancel()
			if err != nil {
				return err
			}
		}
		for _, c := range back[n].Until {
			if !slices.ContainsFunc(checks, func(d Check) bool { return d.String() == c.String() }) {
				checks = append(checks, c)
			}
		}
	}
	acted := time.Now()
	t.Driver.Look()
	rs, o, err := t.hold(ctx, checks, acted, began.Add(t.Timeout))
	if err != nil {
		return err
	}
	if t.back == nil {
		t.back = map[string]cluster.Build{}
	}
	for _, n := range nodes {
		t.back[n] = back[n].Build
		t.amiss = append(t.amiss, &StepError{ID: t.ID, Reason: fmt.Sprintf("%s was rolled back to %s", n, back[n].Build)})
	}
	t.began = began
	t.end(o, Returned, rs, why)
	return nil
}

// hold waits until checks are met by what was asked after since.
func (t *turn) hold(ctx context.Context, checks []Check, since, until time.Time) ([]Result, cluster.Observation, error) {
	deadline := time.NewTimer(time.Until(until))
	defer deadline.Stop()
	look := time.NewTicker(lookPause)
	defer look.Stop()
	for {
		o, changed := t.World.Observe()
		rs := evaluate(checks, o.Since(since))
		t.tell(rs)
		if allMet(rs) {
			return rs, o, nil
		}
		if why := t.died(o); why != "" {
			return rs, o, errors.New(why)
		}
		select {
		case <-ctx.Done():
			return rs, o, ctx.Err()
		case <-changed:
		case <-look.C:
			t.Driver.Look()
		case <-deadline.C:
			return rs, o, fmt.Errorf("after %s: %s", t.Timeout, unmet(rs))
		}
	}
}

// died says how the step's own server ended without being asked, if it did since
// the step began.
func (t *turn) died(o cluster.Observation) string {
	s, ok := o.Server(t.Node)
	if !ok || s.Process.Exit == nil || s.Process.Exit.Asked || s.Process.Exit.At.Before(t.began) || s.Process.PID == t.dead || !t.fell(s) {
		return ""
	}
	t.dead = s.Process.PID
	return notUp(s).Detail
}
