package report

import (
	"fmt"
	"slices"
	"strings"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// Stands puts how a claim stands into words.
func Stands(h upgrade.Holding) string {
	switch h {
	case upgrade.Holds:
		return "as the text says"
	case upgrade.Differs:
		return "differs"
	default:
		return "cannot be decided here"
	}
}

// Impact puts what a step did to the clients into words: "9 to B, 11 to C;
// longest away 22 ms; 3 lost, 0 duplicated". It is empty for a quiet step.
func Impact(im upgrade.Impact) string {
	if im.Quiet() {
		return ""
	}
	var out []string
	if len(im.Moved) > 0 {
		nodes := make([]string, 0, len(im.Moved))
		for n := range im.Moved {
			nodes = append(nodes, n)
		}
		slices.Sort(nodes)
		for i, n := range nodes {
			nodes[i] = fmt.Sprintf("%d to %s", im.Moved[n], n)
		}
		out = append(out, strings.Join(nodes, ", "))
	}
	if im.LongestAway > 0 {
		out = append(out, "longest away "+upgrade.Round(im.LongestAway))
	}
	return strings.Join(append(out, fmt.Sprintf("%d lost, %d duplicated", im.Lost, im.Duplicated)), "; ")
}

// Versions puts the two sides of a rehearsal into words.
func Versions(from, to cluster.Build) string {
	if from.Same(to) {
		return fmt.Sprintf("%s on both sides (a restart, no version changes)", to)
	}
	return fmt.Sprintf("%s → %s", from, to)
}

// Servers puts a topology into words: "A and B, temporary C".
func Servers(t cluster.Topology) string {
	var names []string
	for _, n := range t.Permanent() {
		names = append(names, n.Name)
	}
	s := strings.Join(names, " ")
	if c, ok := t.Spare(); ok {
		s += ", temporary " + c.Name
	}
	return s
}

// Sentence is a report in one line: "verified: 2.15.1 → 2.15.2, 12 steps, …".
func Sentence(r Report) string {
	s := fmt.Sprintf("%s: nats-server %s → %s", r.Outcome, r.From, r.To)
	if r.Reason != "" {
		s += ": " + r.Reason
	}
	if r.Messages.Settled {
		s += fmt.Sprintf("; %d of %d messages received, %d lost, %d duplicated",
			r.Messages.Received-r.Messages.Duplicated, r.Messages.Expected, r.Messages.Lost, r.Messages.Duplicated)
	}
	return s
}
