package upgradetest

import (
	"slices"
	"sync"
	"testing"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// Witness looks whether every step of a walk brings something about: that at least
// one of its checks does not hold before its action. That all hold afterwards is
// what ends a step. It stands between a Runner and its sink:
//
//	w := upgradetest.NewWitness(plan, lab, lab.Emit)
//	r := upgrade.Runner{Plan: plan, World: lab, Sink: w.Sink, …}
//	… walk …
//	w.Report(t, "spread", map[string]string{"wait-c": "it only looks for how long that lasts"})
type Witness struct {
	world upgrade.World
	next  cluster.Sink
	steps map[string]upgrade.Step

	mu    sync.Mutex
	seen  map[string]bool
	idle  []string // steps whose checks held before
	ended map[string]upgrade.StepEnded
}

// NewWitness makes one for a walk of a plan.
func NewWitness(p upgrade.Plan, world upgrade.World, next cluster.Sink) *Witness {
	w := &Witness{world: world, next: next, steps: map[string]upgrade.Step{}, seen: map[string]bool{}, ended: map[string]upgrade.StepEnded{}}
	for _, s := range p.Steps {
		w.steps[s.ID] = s
	}
	return w
}

// Sink passes on what the runner tells.
func (w *Witness) Sink(e cluster.Event) {
	switch e := e.(type) {
	case upgrade.StepBegan:
		o, _ := w.world.Observe()
		w.mu.Lock()
		w.seen[e.ID] = true
		if holds(w.steps[e.ID].Until, o) {
			w.idle = append(w.idle, e.ID)
		}
		w.mu.Unlock()
	case upgrade.StepEnded:
		w.mu.Lock()
		w.ended[e.ID] = e
		w.mu.Unlock()
	}
	w.next(e)
}

func holds(checks []upgrade.Check, o cluster.Observation) bool {
	for _, c := range checks {
		if !c.Eval(o).Met {
			return false
		}
	}
	return true
}

// Idle lists the steps whose checks all held before their action.
func (w *Witness) Idle() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.idle)
}

// Report complains about steps that were true before they were done, about those
// that were not done by the plan, and about those that did not end well. A step that
// only looks stands in looks, with the reason why it is there.
func (w *Witness) Report(t testing.TB, chapter string, looks map[string]string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range w.idle {
		if looks[id] == "" {
			t.Errorf("chapter %s, step %s: rule “do fails the check before”: all its checks hold before its action", chapter, id)
		}
	}
	for id := range w.steps {
		switch e, ok := w.ended[id]; {
		case !ok:
			t.Errorf("chapter %s, step %s: rule “do passes the check after”: the walk did not come so far", chapter, id)
		case e.Status != upgrade.Verified:
			t.Errorf("chapter %s, step %s: rule “do passes the check after”: it is %s: %s", chapter, id, e.Status, e.Reason)
		case !w.seen[id] || e.How != upgrade.ByPlan:
			t.Errorf("chapter %s, step %s: rule “do is what brings it about”: it was found done", chapter, id)
		}
	}
}
