package upgrade

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"nats-roll/cluster"
)

// Impact is what a step did to the clients: the difference between what the
// fleet knew before its action and after its checks.
type Impact struct {
	Moved       map[string]int `json:"moved,omitempty"` // node → clients that came to it
	Disconnects int            `json:"disconnects,omitempty"`
	Reconnects  int            `json:"reconnects,omitempty"`
	GaveUp      int            `json:"gave_up,omitempty"` // clients that closed for good
	Published   uint64         `json:"published,omitempty"`
	Lost        uint64         `json:"lost"`
	Duplicated  uint64         `json:"duplicated"`
	Reordered   uint64         `json:"reordered,omitempty"`
	LongestAway time.Duration  `json:"longest_away"` // of one client without a server
}

// Measure compares two observations of the fleet.
func Measure(before, after cluster.Observation) Impact {
	b, a := before.Fleet, after.Fleet
	if b.Ledger != a.Ledger { // other clients, which are counted from nothing
		b = cluster.Fleet{}
	}
	im := Impact{
		Published:  a.Published - b.Published,
		Lost:       a.Lost - min(b.Lost, a.Lost),
		Duplicated: a.Duplicated - b.Duplicated,
		Reordered:  a.Reordered - b.Reordered,
	}
	for i, now := range a.Clients {
		if i >= len(b.Clients) {
			continue // it was not there before: it joined, it did not move
		}
		was := b.Clients[i]
		im.Disconnects += now.Disconnects - was.Disconnects
		im.Reconnects += now.Reconnects - was.Reconnects
		if now.Status == cluster.ClientClosed && was.Status != cluster.ClientClosed {
			im.GaveUp++
		}
		if now.Node != was.Node && now.Status == cluster.ClientConnected {
			if im.Moved == nil {
				im.Moved = map[string]int{}
			}
			im.Moved[now.Node]++
		}
		for _, hop := range now.Trail[min(len(was.Trail), len(now.Trail)):] {
			im.LongestAway = max(im.LongestAway, hop.Away)
		}
	}
	return im
}

// Quiet says that the step did nothing to the clients.
func (im Impact) Quiet() bool {
	return len(im.Moved) == 0 && im.Disconnects == 0 && im.GaveUp == 0 && im.Lost == 0 && im.Duplicated == 0
}

// Bill is what was booked to a step by when it was caused, although it became
// known later.
type Bill struct {
	Unanswered int            // requests
	Stalls     int            // messages or values that took long to be acknowledged
	Longest    time.Duration  // of these
	Costs      []cluster.Cost // the newest
}

// keepCosts bounds the costs that a bill lists; all are counted.
const keepCosts = 100

func (b Bill) add(c cluster.Cost) Bill {
	switch c.Kind {
	case cluster.CostTimedOut, cluster.CostUnserved, cluster.CostFailed:
		b.Unanswered++
	case cluster.CostStalled:
		b.Stalls++
		b.Longest = max(b.Longest, c.For)
	}
	b.Costs = append(slices.Clone(b.Costs[max(0, len(b.Costs)+1-keepCosts):]), c)
	return b
}

// Words tells it; empty if there is nothing.
func (b Bill) Words() string {
	var out []string
	if b.Unanswered > 0 {
		out = append(out, count(b.Unanswered, "request")+" unanswered")
	}
	if b.Stalls > 0 {
		out = append(out, fmt.Sprintf("%s in JetStream, %s at most", count(b.Stalls, "stall"), Round(b.Longest)))
	}
	return strings.Join(out, "; ")
}
