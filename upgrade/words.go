package upgrade

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"nats-roll/cluster"
)

// List joins names as a sentence does: "A", "A and B", "A, B and C".
func List(names []string) string {
	switch n := len(names); n {
	case 0:
		return "none"
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

// AtMost tells a time that may have been shorter: "12 ms", or "≤ 12 ms" where it
// may have been shorter by a millisecond or more.
func AtMost(s cluster.Span) string {
	if s.Blur < time.Millisecond {
		return Round(s.Most)
	}
	return "≤ " + Round(s.Most)
}

// Words says how a claim stands, the same on screen and in print.
func (h Holding) Words() string {
	switch h {
	case Holds:
		return "as the text says"
	case Differs:
		return "differs"
	default:
		return "cannot be decided here"
	}
}

// Went tells where clients came to: "9 to B, 11 to C".
func (im Impact) Went() string {
	nodes := make([]string, 0, len(im.Moved))
	for n := range im.Moved {
		nodes = append(nodes, n)
	}
	slices.Sort(nodes)
	for i, n := range nodes {
		nodes[i] = fmt.Sprintf("%d to %s", im.Moved[n], n)
	}
	return strings.Join(nodes, ", ")
}

// Cost tells what the step did to the clients, as far as it is known.
func (s StepProgress) Cost() string {
	out := slices.DeleteFunc([]string{s.Impact.Words(), s.Bill.Words()}, func(w string) bool { return w == "" })
	return strings.Join(out, "; ")
}

// TakenWords tells which steps were taken back, and what doing them and taking them
// back had cost.
func TakenWords(taken []Taken) string {
	var titles []string
	var lost, twice uint64
	for _, x := range taken {
		titles = append(titles, x.Was.Title)
		lost += x.Was.Impact.Lost + x.Undo.Lost
		twice += x.Was.Impact.Duplicated + x.Undo.Duplicated
	}
	return fmt.Sprintf("%s; %d lost and %d duplicated meanwhile, which are of no step that stands", List(titles), lost, twice)
}

// Harm tells only what was lost, came twice, or was waited for.
func (s StepProgress) Harm() string {
	var out []string
	if s.Impact.Lost > 0 {
		out = append(out, fmt.Sprintf("%d lost", s.Impact.Lost))
	}
	if s.Impact.Duplicated > 0 {
		out = append(out, fmt.Sprintf("%d twice", s.Impact.Duplicated))
	}
	if w := s.Bill.Words(); w != "" {
		out = append(out, w)
	}
	return strings.Join(out, ", ")
}

// Words tells what a step did to the clients: "9 to B, 11 to C; longest away
// 22 ms; 3 lost, 0 duplicated". It is empty for a quiet step.
func (im Impact) Words() string {
	if im.Quiet() {
		return ""
	}
	var out []string
	if len(im.Moved) > 0 {
		out = append(out, im.Went())
	}
	if im.GaveUp > 0 {
		out = append(out, count(im.GaveUp, "client")+" gave up for good")
	}
	if im.LongestAway > 0 {
		out = append(out, "longest away "+Round(im.LongestAway))
	}
	return strings.Join(append(out, fmt.Sprintf("%d lost, %d duplicated", im.Lost, im.Duplicated)), "; ")
}
