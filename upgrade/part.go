package upgrade

import (
	"time"
)

// PartCost is what a part of a chapter came to, so that it can be set beside
// another.
type PartCost struct {
	Part       string
	Stops      int           // servers that were stopped
	Away       time.Duration // the longest that a client was without a server
	Reconnects int
	Lost       uint64
	Duplicated uint64
	Unanswered int           // requests
	Stalls     int           // messages and values that took long to be acknowledged
	Stall      time.Duration // the longest of these
	Took       time.Duration // actions and checks; nobody's reading
}

// Compared sums the parts that are to be set side by side, in the plan's order.
func (p Progress) Compared() []PartCost {
	var out []PartCost
	for _, part := range p.Outline.Compare {
		c := PartCost{Part: part}
		for _, st := range p.Steps {
			if st.Part == part && st.Status.Over() {
				c = c.with(st)
			}
		}
		out = append(out, c)
	}
	return out
}

func (c PartCost) with(st StepProgress) PartCost {
	if st.Stops {
		c.Stops++
	}
	im, b := st.Impact, st.Bill
	c.Away = max(c.Away, im.LongestAway)
	c.Reconnects += im.Reconnects
	c.Lost += im.Lost
	c.Duplicated += im.Duplicated
	c.Unanswered += b.Unanswered
	c.Stalls += b.Stalls
	c.Stall = max(c.Stall, b.Longest)
	c.Took += st.Took
	return c
}
