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
	Taken   []Taken // steps that were taken back, in that order
	Between Bill    // what came of servers that ended while no step was under way

	ends []end // of those servers
}

// end is when a server ended, or was stopped with a key, that no step had stopped.
type end struct {
	at   time.Time
	node string
}

// Taken is a step that was taken back: what it had come to until then, and what
// taking it back cost. It is not part of the step any more, which may be done anew.
type Taken struct {
	Was    StepProgress
	Undo   Impact
	Bill   Bill
	Reason string
	Began  time.Time // when taking it back did
	Took   time.Duration
}

// StepProgress is how far one step has come.
type StepProgress struct {
	StepOutline
	Status   Status
	Reversed bool // it is being taken back
	How      How
	Given    []Result
	Checks   []Result
	Findings []Finding
	Told     []string       // what else was seen
	Listed   map[string]int // where the clients will be, by what was seen just before
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
			var sp StepProgress
			sp.fresh(s)
			p.Steps = append(p.Steps, sp)
		}
	case Reordered:
		return p.reordered(e)
	case StepReady:
		return p.with(e.ID, func(s *StepProgress) {
			s.Status, s.Given, s.Command, s.Shell, s.Listed, s.Reason = Ready, e.Given, e.Command, e.Shell, e.Listed, e.Reason
			if !allMet(e.Given) {
				s.Status = Blocked
			}
		})
	case StepBegan:
		ends := p.ends
		p = p.with(e.ID, func(s *StepProgress) {
			s.Status, s.How, s.Began, s.Listed, s.Reason = Acting, e.How, at, e.Listed, ""
			if n := len(ends); e.How == ByHand && n > 0 && ends[n-1].node == s.Node && s.Stops {
				s.Began, ends = ends[n-1].at, ends[:n-1] // that was it
			}
			s.unchecked()
			if e.Command != "" {
				s.Command = e.Command
			}
		})
		p.ends = ends
		return p
	case StepActed:
		return p.with(e.ID, func(s *StepProgress) {
			if s.Status != Undoing {
				s.Status = Checking
			}
		})
	case StepChecked:
		return p.with(e.ID, func(s *StepProgress) { s.Checks = e.Checks })
	case StepStuck:
		return p.with(e.ID, func(s *StepProgress) {
			s.Status, s.Reason = Stuck, e.Reason
			if e.Command != "" {
				s.Command, s.Shell = e.Command, e.Shell
			}
		})
	case StepReturns:
		return p.with(e.ID, func(s *StepProgress) {
			s.Status, s.Reason, s.Checks = Returning, e.Reason, nil
			s.Command, s.Shell = strings.Join(e.Commands, " && "), "" // that is what is done now
		})
	case StepUndoing:
		return p.undoing(at, e)
	case StepUndone:
		return p.undone(e)
	case StepEnded:
		p = p.with(e.ID, func(s *StepProgress) {
			s.Status, s.How, s.Reason, s.Took, s.Ended = e.Status, e.How, e.Reason, e.Took, at
			s.Checks, s.Findings, s.Told, s.Impact, s.Join, s.On = e.Checks, e.Findings, e.Told, e.Impact, e.Join, e.On
		})
		p.Current++
	case cluster.Exited:
		if !e.Exit.Asked {
			return p.ended(at, e.Node)
		}
	case Doing:
		if e.By == DoerKey && e.Deed.Verb == VerbStop {
			return p.ended(at, e.Deed.Node)
		}
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

// ended notes the end of a server that belongs to no step.
func (p Progress) ended(at time.Time, node string) Progress {
	st, ok := p.Step()
	if ok && (slices.Contains(st.Expect, node) || !st.Status.Over() && st.Status != Pending && st.Status != Ready && st.Status != Blocked) {
		return p
	}
	p.ends = append(slices.Clone(p.ends), end{at, node})
	return p
}

// book adds costs to what caused them: the step, the taking back of one, or the end
// of a server between steps, that was the last to have begun, or that stopped a
// server just then, while it was in flight. What came before the first step is
// nobody's.
func (p Progress) book(costs []cluster.Cost) Progress {
	if len(costs) == 0 {
		return p
	}
	p.Steps, p.Taken = slices.Clone(p.Steps), slices.Clone(p.Taken)
	for _, c := range costs {
		var last time.Time
		var bill *Bill
		try := func(began time.Time, stops bool, b *Bill) {
			at := c.At
			if stops {
				at = at.Add(min(c.For, cluster.StallFrom))
			}
			if !began.IsZero() && !at.Before(began) && !began.Before(last) {
				last, bill = began, b
			}
		}
		for i := range p.Taken {
			t := &p.Taken[i]
			try(t.Was.Began, t.Was.Stops, &t.Was.Bill)
			try(t.Began, true, &t.Bill)
		}
		for i := range p.Steps {
			try(p.Steps[i].Began, p.Steps[i].Stops, &p.Steps[i].Bill)
		}
		for _, e := range p.ends {
			try(e.at, true, &p.Between)
		}
		if bill != nil {
			*bill = bill.add(c)
		}
	}
	return p
}

// undoing puts aside what a step had come to, unless this is another attempt. A later
// one that could be done cannot any more, until it is told anew.
func (p Progress) undoing(at time.Time, e StepUndoing) Progress {
	p.Outcome, p.Reason, p.Ended = "", "", time.Time{}
	i := slices.IndexFunc(p.Steps, func(s StepProgress) bool { return s.ID == e.ID })
	if i < 0 {
		return p
	}
	if !p.Steps[i].Reversed {
		p.Taken = append(slices.Clone(p.Taken), Taken{Was: p.Steps[i], Began: at})
	}
	if st, ok := p.Step(); ok && p.Current > i && (st.Status == Ready || st.Status == Blocked) {
		p = p.with(st.ID, func(s *StepProgress) { s.fresh(p.Outline.Steps[p.Current]) })
	}
	return p.with(e.ID, func(s *StepProgress) {
		s.fresh(p.Outline.Steps[i])
		s.Status, s.Reversed, s.Command, s.Shell, s.Checks = Undoing, true, e.Command, "", nil
		for _, c := range s.Undone {
			s.Checks = append(s.Checks, Result{Text: c})
		}
	})
}

// undone makes the step one that is still to be done.
func (p Progress) undone(e StepUndone) Progress {
	i := slices.IndexFunc(p.Steps, func(s StepProgress) bool { return s.ID == e.ID })
	if i < 0 || len(p.Taken) == 0 {
		return p
	}
	p.Taken = slices.Clone(p.Taken)
	last := &p.Taken[len(p.Taken)-1]
	last.Undo, last.Reason, last.Took = e.Impact, e.Reason, e.Took
	return p.with(e.ID, func(s *StepProgress) { s.fresh(p.Outline.Steps[i]) })
}

// fresh is a step of which nothing was done yet.
func (s *StepProgress) fresh(o StepOutline) {
	*s = StepProgress{StepOutline: o, Status: Pending}
	s.unchecked()
}

// unchecked puts the checks back to what nobody has looked at yet.
func (s *StepProgress) unchecked() {
	s.Checks = nil
	for _, c := range s.StepOutline.Checks {
		s.Checks = append(s.Checks, Result{Text: c})
	}
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

// Predicted is how many clients each node would have after the last stop, or will
// have after the one that is next: if the text were right, those it had before and
// its part of the stopped node's; and by the lists of servers that the clients had
// just before. It is empty before the first such stop, and once clients have moved
// for another reason.
func (p Progress) Predicted() Prediction {
	for i := len(p.Steps) - 1; i > 0; i-- {
		st, before := p.Steps[i], p.Steps[i-1].On
		soon := i == p.Current && !st.Status.Over() && st.Listed != nil
		if st.Status.Over() && st.Listed == nil && len(st.Predict) == 0 && before != nil && st.On != nil && !equal(st.On, before, p.Outline.Topology.Nodes) {
			return Prediction{} // nobody foretold this, and what was foretold before is over
		}
		if st.Status != Verified && !soon || len(st.Predict) == 0 && st.Listed == nil || before == nil {
			continue
		}
		out := Prediction{Lists: st.Listed, Ahead: soon && (st.Status == Ready || st.Status == Blocked)}
		if len(st.Predict) > 0 {
			out.Text = parts(before, st.Node, st.Predict)
		}
		return out
	}
	return Prediction{}
}
