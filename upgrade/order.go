package upgrade

import (
	"fmt"
	"slices"
	"time"

	"nats-roll/cluster"
)

// The order of turns, which may depend on what is seen; and how long checks hold.

// Reordered says in which order steps will be walked that are still to come. They
// share the places that they had.
type Reordered struct {
	IDs    []string `json:"ids"`
	Reason string   `json:"reason"`
}

// Kind is the event's name in the log.
func (Reordered) Kind() string { return "reordered" }

// reorder asks, when the step at a place begins a turn, whose turn it is, and has
// that node's steps walked first.
func (r *Runner) reorder(at int) {
	steps := r.Plan.Steps
	round := steps[at].Turn
	if r.Plan.Order == nil || round == "" || at > 0 && steps[at-1].Turn == round && steps[at-1].Node == steps[at].Node {
		return
	}
	end := at
	var left []string
	for ; end < len(steps) && steps[end].Turn == round; end++ {
		if !slices.Contains(left, steps[end].Node) {
			left = append(left, steps[end].Node)
		}
	}
	o, _ := r.World.Observe()
	next, why := r.Plan.Order(o, left)
	if next == left[0] || !slices.Contains(left, next) {
		return
	}
	var first, later []Step
	e := Reordered{Reason: why}
	for _, s := range steps[at:end] {
		if s.Node == next {
			first = append(first, s)
		} else {
			later = append(later, s)
		}
	}
	turns := slices.Concat(first, later)
	if at <= r.until && r.until < end && steps[r.until].ID == r.toward { // wherever that is now
		r.until = at + slices.IndexFunc(turns, func(s Step) bool { return s.ID == r.toward })
	}
	for _, s := range turns {
		e.IDs = append(e.IDs, s.ID)
	}
	r.Plan.Steps = slices.Concat(steps[:at], turns, steps[end:])
	r.Sink(e)
}

// reordered moves the steps to where they will be walked.
func (p Progress) reordered(e Reordered) Progress {
	outline, steps := slices.Clone(p.Outline.Steps), slices.Clone(p.Steps)
	next := 0
	for i := range p.Steps {
		if next == len(e.IDs) || !slices.Contains(e.IDs, p.Steps[i].ID) {
			continue
		}
		from := slices.IndexFunc(p.Steps, func(s StepProgress) bool { return s.ID == e.IDs[next] })
		if from < 0 {
			return p
		}
		outline[i], steps[i] = p.Outline.Steps[from], p.Steps[from]
		next++
	}
	p.Outline.Steps, p.Steps = outline, steps
	return p
}

// leaderLast is an Order: who leads the meta group comes last, so that the group
// has to elect a leader only once.
func leaderLast(o cluster.Observation, left []string) (next, why string) {
	leader, ok := o.MetaLeader()
	if !ok || len(left) < 2 || leader.Node.Name != left[0] {
		return left[0], ""
	}
	return left[1], fmt.Sprintf("%s leads the meta group, and who leads comes last", left[0])
}

func holding(d time.Duration) string { return fmt.Sprintf("all of this holds for %g s", d.Seconds()) }

// steady adds to the verdicts on a step's checks the one on how long they have
// held, if that is asked for.
func (t *turn) steady(rs []Result) []Result {
	if t.Hold <= 0 {
		return rs
	}
	v := unknown("")
	switch met := allMet(rs); {
	case !met:
		t.green = time.Time{}
	case t.green.IsZero():
		t.green = time.Now()
		fallthrough
	default:
		if held := time.Since(t.green); held < t.Hold {
			v = no(fmt.Sprintf("for %s so far", held.Truncate(time.Second)))
		} else {
			v = yes("without a break")
		}
	}
	return append(rs, Result{Text: holding(t.Hold), Verdict: v})
}
