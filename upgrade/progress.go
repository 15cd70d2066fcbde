package upgrade

import (
	"slices"
	"strings"
	"time"

	"nats-roll/cluster"
)

// Progress is how far a plan has come: a fold over the plan's events.
type Progress struct {
	Outline Outline
	Steps   []StepProgress
	Current int     // the step that is current; len(Steps) once the plan is through
	Outcome Outcome // empty while it goes on
	Reason  string
	Began   time.Time
	Ended   time.Time
}

// StepProgress is how far one step has come.
type StepProgress struct {
	StepOutline
	Status   Status
	How      How
	Given    []Result
	Checks   []Result
	Findings []Finding
	Impact   Impact
	Join     Impact // the part of it that was while a server joined
	Bill     Bill
	On       map[string]int
	Reason   string
	Began    time.Time // when its action began
	Ended    time.Time
	Took     time.Duration
}

// Apply folds one event into the progress and returns the result; the old
// progress stays as it was.
func (p Progress) Apply(at time.Time, e cluster.Event) Progress {
	switch e := e.(type) {
	case Planned:
		p = Progress{Outline: e.Outline, Began: at}
		for _, s := range e.Outline.Steps {
			sp := StepProgress{StepOutline: s, Status: Pending}
			for _, c := range s.Checks {
				sp.Checks = append(sp.Checks, Result{Text: c})
			}
			p.Steps = append(p.Steps, sp)
		}
	case Reordered:
		return p.reordered(e)
	case StepReady:
		return p.with(e.ID, func(s *StepProgress) {
			s.Status, s.Given, s.Command, s.Reason = Ready, e.Given, e.Command, e.Reason
			if !allMet(e.Given) {
				s.Status = Blocked
			}
		})
	case StepBegan:
		return p.with(e.ID, func(s *StepProgress) {
			s.Status, s.How, s.Began, s.Reason = Acting, e.How, at, ""
			if e.Command != "" {
				s.Command = e.Command
			}
		})
	case StepActed:
		return p.with(e.ID, func(s *StepProgress) { s.Status = Checking })
	case StepChecked:
		return p.with(e.ID, func(s *StepProgress) { s.Checks = e.Checks })
	case StepStuck:
		return p.with(e.ID, func(s *StepProgress) { s.Status, s.Reason = Stuck, e.Reason })
	case StepReturns:
		return p.with(e.ID, func(s *StepProgress) {
			s.Status, s.Reason, s.Checks = Returning, e.Reason, nil
			s.Command, s.Shell = strings.Join(e.Commands, " && "), "" // that is what is done now
		})
	case StepEnded:
		p = p.with(e.ID, func(s *StepProgress) {
			s.Status, s.How, s.Reason, s.Took, s.Ended = e.Status, e.How, e.Reason, e.Took, at
			s.Checks, s.Findings, s.Impact, s.Join, s.On = e.Checks, e.Findings, e.Impact, e.Join, e.On
		})
		p.Current++
	case cluster.FleetChanged:
		return p.book(e.Costs)
	case Finished:
		if st, ok := p.Step(); ok && e.Outcome == OutcomeFailed && !st.Status.Over() && !p.failedBefore() {
			current := p.Current // it never came to that step
			p = p.with(st.ID, func(s *StepProgress) { s.Status, s.Reason = Failed, e.Reason })
			p.Current = current
		}
		p.Outcome, p.Reason, p.Ended = e.Outcome, e.Reason, at
	}
	return p
}

// book adds costs to the steps that caused them: the last that had begun, or one
// that stopped a server just then, while it was in flight. What came before the
// first step is nobody's.
func (p Progress) book(costs []cluster.Cost) Progress {
	for n, c := range costs {
		if n == 0 {
			p.Steps = slices.Clone(p.Steps)
		}
		for i := len(p.Steps) - 1; i >= 0; i-- {
			at := c.At
			if p.Steps[i].Stops {
				at = at.Add(min(c.For, cluster.StallFrom))
			}
			if b := p.Steps[i].Began; !b.IsZero() && !at.Before(b) {
				p.Steps[i].Bill = p.Steps[i].Bill.add(c)
				break
			}
		}
	}
	return p
}

func (p Progress) with(id string, change func(*StepProgress)) Progress {
	i := slices.IndexFunc(p.Steps, func(s StepProgress) bool { return s.ID == id })
	if i < 0 {
		return p
	}
	p.Steps = slices.Clone(p.Steps)
	p.Current = i
	change(&p.Steps[i])
	return p
}

// failedBefore says that the step before the current one is what ended the
// rehearsal: the current one was not reached.
func (p Progress) failedBefore() bool {
	if p.Current == 0 {
		return false
	}
	before := p.Steps[p.Current-1].Status
	return before == Failed || before == Returned
}

// Step is the current step; false when there is no plan or it is through.
func (p Progress) Step() (StepProgress, bool) {
	if p.Current < 0 || p.Current >= len(p.Steps) {
		return StepProgress{}, false
	}
	return p.Steps[p.Current], true
}

// Predicted is how many clients each node would have if the text were right
// about the last stop: those it had before, and its part of the stopped node's.
// It is nil before the first such stop.
func (p Progress) Predicted() map[string]int {
	for i := len(p.Steps) - 1; i > 0; i-- {
		st, before := p.Steps[i], p.Steps[i-1].On
		if len(st.Predict) == 0 || st.Status != Verified || before == nil {
			continue
		}
		out := map[string]int{}
		left := before[st.Node]
		for k, n := range st.Predict {
			part := left / (len(st.Predict) - k)
			left -= part
			out[n] = before[n] + part
		}
		return out
	}
	return nil
}
