package upgrade

import (
	"context"
	"fmt"

	"nats-roll/cluster"
)

// What a step needs before its action, and how that is looked at and brought
// about.

func (t *turn) given(o cluster.Observation) []Result {
	out := make([]Result, len(t.Given))
	for i, g := range t.Given {
		out[i] = Result{Text: g.String(), Verdict: g.Eval(o)}
	}
	return out
}

// unseen says that something which only has to be looked at was not yet.
func (t *turn) unseen(given []Result) bool {
	for i, g := range t.Given {
		if g.Look && !given[i].Known {
			return true
		}
	}
	return false
}

// look has what only has to be looked at looked at.
func (t *turn) look(ctx context.Context) {
	for _, g := range t.Given {
		if g.Look {
			act, cancel := context.WithTimeout(ctx, t.Timeout)
			_ = g.Remedy.Run(act, t.Driver) // what it could not find out stays unknown
			cancel()
		}
	}
}

// unfit is what was found wrong that waiting does not mend.
func (t *turn) unfit(given []Result) string {
	for i, g := range t.Given {
		if g.Look && given[i].Known && !given[i].Met {
			text := given[i].Text
			if d, ok := g.Check.(denial); ok {
				text = d.Denied()
			}
			return text + ": " + given[i].Detail
		}
	}
	return ""
}

// remedy brings about what the step needs and lacks, and says what it could not.
func (t *turn) remedy(ctx context.Context, o cluster.Observation) (trouble string) {
	for _, g := range t.Given {
		if g.Remedy == nil || g.Eval(o).Met {
			continue
		}
		if a, ok := g.Remedy.(StartNode); ok {
			if s, _ := o.Server(a.Node); s.Process.Alive() {
				trouble = fmt.Sprintf("%s runs, but is not up: wait for it, or end it and start it again", a.Node)
				continue
			}
		}
		act, cancel := context.WithTimeout(ctx, t.Timeout)
		if err := t.bring(act, g); err != nil {
			trouble = err.Error()
		}
		cancel()
	}
	t.Driver.Look()
	return trouble
}

// bring runs a remedy. One that only looks changes nothing, and is not told.
func (t *turn) bring(ctx context.Context, g Requirement) error {
	if g.Look {
		return g.Remedy.Run(ctx, t.Driver)
	}
	return t.carry(ctx, g.Remedy, DoerRemedy, t.ID)
}
