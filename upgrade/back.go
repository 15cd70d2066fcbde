package upgrade

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nats-roll/cluster"
)

// The way back: what a turn does when its node's old server is wanted again.

// wayBack is turnBack for a person: when it fails, the step stays theirs.
func (t *turn) wayBack(ctx context.Context) (past bool, err error) {
	if err := t.turnBack(ctx, ""); err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		t.strand("the way back: " + err.Error())
		return false, nil
	}
	return true, nil
}

// turnBack brings the node's old server back, and closes the step when that is
// seen to be so.
func (t *turn) turnBack(ctx context.Context, why string) error {
	o, _ := t.World.Observe()
	t.Sink(StepReturns{ID: t.ID, Reason: why, Commands: t.Back.Commands(o)})
	began := time.Now()
	if s, _ := o.Server(t.Node); s.Process.Exit != nil {
		t.dead = s.Process.PID
	}
	for _, a := range t.Back.Do {
		act, cancel := context.WithTimeout(ctx, t.Timeout)
		err := a.Run(act, t.Driver)
		cancel()
		if err != nil {
			return err
		}
	}
	acted := time.Now()
	t.Driver.Look()
	rs, o, err := t.hold(ctx, t.Back.Until, acted, began.Add(t.Timeout))
	if err != nil {
		return err
	}
	if t.back == nil {
		t.back = map[string]cluster.Build{}
	}
	t.back[t.Node] = t.Back.Build
	t.amiss = append(t.amiss, &StepError{ID: t.ID, Reason: fmt.Sprintf("%s was rolled back to %s", t.Node, t.Back.Build)})
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
	if !ok || s.Process.Exit == nil || s.Process.Exit.Asked || s.Process.Exit.At.Before(t.began) || s.Process.PID == t.dead {
		return ""
	}
	t.dead = s.Process.PID
	return notUp(s).Detail
}
