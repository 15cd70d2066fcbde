package report

import (
	"fmt"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// Versions puts the two sides of a rehearsal into words.
func Versions(from, to cluster.Builds) string {
	if from.Same(to) {
		return fmt.Sprintf("%s on both sides (a restart, no version changes)", to)
	}
	return fmt.Sprintf("%s → %s", from, to)
}

// Servers puts a topology into words: "A, B and the temporary C".
func Servers(t cluster.Topology) string {
	var names []string
	for _, n := range t.Permanent() {
		names = append(names, n.Name)
	}
	if c, ok := t.Spare(); ok {
		return upgrade.List(append(names, "the temporary "+c.Name))
	}
	return upgrade.List(names) + ", without a temporary server"
}

// Sentence is a report in one line: "verified: 2.15.1 → 2.15.2, 12 steps, …".
func Sentence(r Report) string {
	s := fmt.Sprintf("%s: nats-server %s → %s", r.Outcome, r.Builds["from"], r.Builds["to"])
	if r.Reason != "" {
		s += ": " + r.Reason
	}
	if r.Messages.Settled {
		s += fmt.Sprintf("; %d of %d messages received, %d lost, %d duplicated",
			r.Messages.Received-r.Messages.Duplicated, r.Messages.Expected, r.Messages.Lost, r.Messages.Duplicated)
	}
	return s
}
