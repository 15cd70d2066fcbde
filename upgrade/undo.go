package upgrade

import (
	"context"
	"fmt"
	"slices"

	"nats-roll/cluster"
)

// Taking steps back, and going to another one.

// final says that the step acts, and that nothing takes it back.
func (s Step) final() bool { return s.Do != nil && s.Undo == nil && !s.Loose }

// undone is what must be true once the step is taken back.
func (s Step) undone() []Check {
	if s.Undone != nil || s.Undo == nil {
		return s.Undone
	}
	return brings(s.Undo)
}

// brings is what an action brings about, whatever it is done for. Of several on a
// server that are against each other, the last counts.
func brings(a Action) []Check {
	switch a := a.(type) {
	case StartNode:
		return []Check{Up{Node: a.Node}}
	case StopNode:
		return []Check{Exited{Node: a.Node}}
	case Replace:
		return []Check{OnDisk{Node: a.Node, Build: a.Build}}
	case DisconnectClients:
		return []Check{Absent{}}
	case Configure:
		return []Check{onServer{"is configured as before", a.Node, func(s cluster.Server) bool { return s.Config == a.Text }}}
	case Hold:
		return []Check{onServer{"is let go on", a.Node, func(s cluster.Server) bool { return s.Process.Held == a.On }}}
	case Occupy:
		return []Check{onServer{"has its port", a.Node.Name, func(s cluster.Server) bool { return s.Occupied == a.On }}}
	case Series:
		var out []Check
		runs := map[string]bool{} // servers that are known to run in the end, or not to
		for _, one := range slices.Backward(a) {
			node := ""
			switch one := one.(type) {
			case StartNode:
				node = one.Node
			case StopNode:
				node = one.Node
			}
			if node == "" || !runs[node] {
				out = append(out, brings(one)...)
			}
			runs[node] = true
		}
		slices.Reverse(out)
		return out
	}
	return nil
}

// onServer holds when what was told last of a server is so.
type onServer struct {
	what string
	node string
	is   func(cluster.Server) bool
}

func (c onServer) String() string { return c.node + " " + c.what }

// Eval looks at what is told when it happens.
func (c onServer) Eval(o cluster.Observation) Verdict {
	if s, ok := o.Server(c.node); ok && c.is(s) {
		return yes("")
	}
	return no("not yet")
}

// leads says that the intent is about another place in the plan.
func (in Intent) leads() bool { return in.Undo || in.Again || in.To != "" }

// course is where a person wants to go: steps are taken back from one down to
// another, and then done up to a third.
type course struct{ from, back, until int }

// chart finds the course of an intent, and remembers that steps which lie ahead
// are to be done without a word. It is nil if nothing has to be taken back, or
// cannot be. Acted says that the current step has.
func (r *Runner) chart(in Intent, acted bool) *course {
	c := course{from: r.at - 1}
	if acted {
		c.from = r.at
	}
	c.back = c.from
	if in.Again {
		c.until = c.from + 1
	}
	if in.To != "" {
		to := slices.IndexFunc(r.Plan.Steps, func(s Step) bool { return s.ID == in.To })
		if to > c.from {
			r.until, r.toward = to, in.To
			return nil
		}
		c.back = to
	}
	if c.back < 0 {
		return nil
	}
	for i := c.from; i >= c.back; i-- {
		st := r.Plan.Steps[i]
		if st.final() {
			return nil
		}
		if _, ok := r.rolledBack(st); ok && i == c.back && i > 0 {
			if _, ok := r.rolledBack(r.Plan.Steps[i-1]); ok && r.Plan.Steps[i-1].Node == st.Node {
				c.back-- // its old server runs, as it did before the turn
			}
		}
	}
	return &c
}

// lead takes back what the wished course says.
func (r *Runner) lead(ctx context.Context) error {
	c := r.wish
	r.wish, r.until, r.toward = nil, 0, ""
	for r.at = c.from; ; r.at-- {
		if err := r.takeBack(ctx, r.Plan.Steps[r.at]); err != nil {
			return err
		}
		if r.at == c.back {
			break
		}
	}
	for _, st := range r.Plan.Steps[c.back : c.from+1] {
		delete(r.back, st.Node)
	}
	r.until = c.until
	return nil
}

// takeBack undoes a step and waits until that is seen. What cannot be undone stays
// the person's, as a step that is stuck.
func (r *Runner) takeBack(ctx context.Context, st Step) error {
	t := &turn{Runner: r, undoing: true, Step: Step{ID: st.ID, Node: st.Node, Timeout: st.Timeout}}
	o, _ := r.World.Observe()
	t.before = o
	b, asBefore := r.rolledBack(st)
	if !asBefore {
		t.Until = st.undone()
	}
	// A server that somebody has started already is not started again; all else can
	// be done twice.
	start, starts := st.Undo.(StartNode)
	up, _ := o.Server(start.Node)
	byHand := starts && up.Process.Alive() && allMet(evaluate(t.Until, o))
	if st.Undo != nil && !asBefore && !byHand {
		t.Do, t.command = st.Undo, st.Undo.Command(o)
	}
	t.tellBegun()
	if err := t.act(ctx); err != nil {
		return err
	}
	if asBefore {
		t.end(o, Verified, nil, fmt.Sprintf("%s was rolled back to %s: nothing had to be done", st.Node, b))
	} else if st.Loose {
		t.end(o, Verified, nil, "nothing has to be done: "+st.NoUndo)
	} else if err := t.await(ctx); err != nil {
		return err
	}
	r.amiss = slices.DeleteFunc(r.amiss, func(e *StepError) bool { return e.ID == st.ID })
	r.forget(st.Node)
	return nil
}

// forget says that no start of a node's server until now makes a turn of it.
func (r *Runner) forget(node string) {
	if r.starts == nil {
		r.starts = map[string]int{}
	}
	o, _ := r.World.Observe()
	s, _ := o.Server(node)
	r.starts[node] = s.Starts
}

// Last is the number of the step that Undo takes back: the current one if it has
// acted, or else the one before it. It is -1 before there is one.
func (p Progress) Last() int {
	st, ok := p.Step()
	if ok && !st.Reversed && (st.Status == Checking || st.Status == Stuck) {
		return p.Current
	}
	return p.Current - 1
}

// Reversal lists the steps that are taken back until the one with this number is
// current, the last one first; final is one of them that nothing takes back.
func (p Progress) Reversal(to int) (steps []StepProgress, final *StepProgress) {
	for i := p.Last(); i >= max(to, 0); i-- {
		if p.Steps[i].Final {
			final = &p.Steps[i]
		}
		steps = append(steps, p.Steps[i])
	}
	return steps, final
}

// linger waits at the end for the person to lead back, and walks on from there. It
// ends with its context and returns what the last walk came to.
func (r *Runner) linger(ctx context.Context, came error) error {
	for r.at == len(r.Plan.Steps) {
		select {
		case <-ctx.Done():
			return came
		case in := <-r.Intents:
			if !in.leads() {
				continue
			}
			if r.wish = r.chart(in, false); r.wish == nil {
				continue
			}
			came = r.lead(ctx)
			if came == nil {
				came = r.onward(ctx, func(string) error { return nil })
			}
			came = r.finish(ctx, came)
		}
	}
	return came
}
