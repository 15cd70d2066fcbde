package upgrade

import (
	"fmt"
	"slices"
	"strings"

	"nats-roll/cluster"
)

// Foretell predicts how many clients each node will have after a step, from what
// was observed before it.
type Foretell func(before cluster.Observation) map[string]int

// Told is what a step's sentences are made from.
type Told struct {
	Before, After cluster.Observation
	Listed        map[string]int  // what its Foretell said
	Over          map[string]Over // the steps that came before it, by their ids
}

// Over is a step that has ended, with where the clients were before it, and where
// they were to be by their lists.
type Over struct {
	StepEnded
	Before, Listed map[string]int
}

// Prediction is how many clients each node has after the last stop: if the text is
// right, and if each client goes to the next server in its own list. Either may be
// nil.
type Prediction struct {
	Text, Lists map[string]int
	Ahead       bool // it is of the step that is next
}

// None says that there is no prediction.
func (p Prediction) None() bool { return p.Text == nil && p.Lists == nil }

// nextInList says that every client for which leaves is true goes to the first
// other server in the list of those it knows that is up and is not gone, and that
// all others stay. That is what nats.go does: the list is shuffled when the client
// connects and when it hears of a server that it never knew; the server that it
// loses goes to the end; and one that has come back is put at the end. (nats.go
// selectNextServer, processInfo)
func nextInList(gone string, leaves func(i int, c cluster.Client) bool) Foretell {
	return func(o cluster.Observation) map[string]int {
		if len(o.Fleet.Clients) == 0 {
			return nil
		}
		out := map[string]int{}
		for i, c := range o.Fleet.Clients {
			if c.Status != cluster.ClientConnected {
				continue
			}
			to := c.Node
			if leaves(i, c) {
				to = next(o, c, gone)
			}
			if to != "" {
				out[to]++
			}
		}
		return out
	}
}

// listsAfter is the prediction for the clients of a server that ends, or that is
// started anew while they look for another. Those that know no other wait.
func listsAfter(n cluster.Node) Foretell {
	return nextInList(n.Name, func(_ int, c cluster.Client) bool { return c.Node == n.Name })
}

// next is the server to which a client goes that has to leave its own; empty if it
// knows no other that is up.
func next(o cluster.Observation, c cluster.Client, gone string) string {
	for _, known := range c.Known {
		for _, s := range o.Servers {
			if n := s.Node; at(known, n) && n.Name != c.Node && n.Name != gone && s.Process.Alive() {
				return n.Name
			}
		}
	}
	return ""
}

// on writes how many clients the servers of these nodes have: "A 0, B 302".
func on(clients map[string]int, nodes []cluster.Node) string {
	var out []string
	for _, n := range nodes {
		out = append(out, fmt.Sprintf("%s %d", n.Name, clients[n.Name]))
	}
	return strings.Join(out, ", ")
}

// parts is a prediction of the text's: the clients of one node go to others in equal
// parts.
func parts(before map[string]int, from string, to []string) map[string]int {
	out := map[string]int{}
	left := before[from]
	for k, n := range to {
		part := left / (len(to) - k)
		left -= part
		out[n] = before[n] + part
	}
	return out
}

// sayWhere sets what was seen of the clients beside what was predicted.
func sayWhere(text []string, from cluster.Node, nodes []cluster.Node) func(Told) []string {
	return func(t Told) []string {
		s := "where the clients are: " + on(t.After.Fleet.On(), nodes)
		if t.Listed != nil {
			s += "; by their lists " + on(t.Listed, nodes)
		}
		if len(text) > 0 {
			s += "; by the text " + on(parts(t.Before.Fleet.On(), from.Name, text), nodes)
		}
		return []string{s}
	}
}

// fullest is the node with the most clients, how many it has, and how many there
// are on these nodes.
func fullest(clients map[string]int, nodes []cluster.Node) (name string, most, all int) {
	for _, n := range nodes {
		all += clients[n.Name]
		if name == "" || clients[n.Name] > most {
			name, most = n.Name, clients[n.Name]
		}
	}
	return name, most, all
}

// share is how much of the clients the fullest of these nodes has, in per cent.
func share(clients map[string]int, nodes []cluster.Node) int {
	_, most, all := fullest(clients, nodes)
	if all == 0 {
		return 0
	}
	return (100*most + all/2) / all
}

// without leaves out nodes by name.
func without(nodes []cluster.Node, name string) []cluster.Node {
	return slices.DeleteFunc(slices.Clone(nodes), func(n cluster.Node) bool { return n.Name == name })
}
