package upgrade

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"nats-roll/cluster"
)

// Holding says how a claim of the text stands.
type Holding string

// A claim holds as the text says, differs, or cannot be decided here.
const (
	Holds     Holding = "holds"
	Differs   Holding = "differs"
	Undecided Holding = "undecided"
)

// Claim is a sentence of the tutorial that a step puts to the test, and the
// judge that compares it with what was observed before the step and after it.
type Claim struct {
	Text  string
	Judge func(before, after cluster.Observation) Finding
}

// Finding is what was seen of a claim.
type Finding struct {
	Text   string  `json:"text"`
	Stands Holding `json:"stands"`
	Detail string  `json:"detail"`
}

func judge(claims []Claim, before, after cluster.Observation) []Finding {
	var out []Finding
	for _, c := range claims {
		f := c.Judge(before, after)
		f.Text = c.Text
		out = append(out, f)
	}
	return out
}

func holds(format string, args ...any) Finding {
	return Finding{Stands: Holds, Detail: fmt.Sprintf(format, args...)}
}

func differs(format string, args ...any) Finding {
	return Finding{Stands: Differs, Detail: fmt.Sprintf(format, args...)}
}

func undecided(format string, args ...any) Finding {
	return Finding{Stands: Undecided, Detail: fmt.Sprintf(format, args...)}
}

// refusedRoute: what the text says of the first server's complaint.
func refusedRoute(n cluster.Node, peer cluster.Node) Claim {
	return Claim{
		Text: "Error trying to connect to route: dial tcp localhost:6333: connect: connection refused",
		Judge: func(_, after cluster.Observation) Finding {
			v := Complains{Node: n.Name, Peer: peer}.Eval(after)
			if v.Detail == notOurLog {
				return undecided("%s", v.Detail)
			}
			if !v.Met {
				return undecided("%s has not complained", n.Name)
			}
			return holds("%s says: %s", n.Name, v.Detail)
		},
	}
}

// selfRoute: no server counts itself among its peers.
func selfRoute(n cluster.Node) Claim {
	return Claim{
		Text: "The NATS server will ignore the self-route",
		Judge: func(_, after cluster.Observation) Finding {
			s, _ := after.Server(n.Name)
			if !s.Answer.Known() {
				return undecided("%s has not answered", n.Name)
			}
			if slices.ContainsFunc(s.Answer.Peers, func(p cluster.Peer) bool { return p.ID == s.Answer.ServerID }) {
				return differs("/routez of %s lists %s itself", n.Name, n.Name)
			}
			return holds("/routez of %s lists no route to itself; it logs nothing about it either", n.Name)
		},
	}
}

// connectedTo: the tutorial's subscriber is seen by its server.
func connectedTo(n cluster.Node) Claim {
	return Claim{
		Text: "After starting the subscriber you should see a message on 'A' that a new client connected",
		Judge: func(_, after cluster.Observation) Finding {
			s, _ := after.Server(n.Name)
			if len(after.Fleet.Clients) == 0 {
				return undecided("no client was started")
			}
			for _, c := range s.Answer.Clients {
				if c.Name == after.Fleet.Clients[0].Name {
					return holds("%s lists it as cid %d from %s", n.Name, c.CID, c.Addr)
				}
			}
			return undecided("it is not on the page of /connz that is read")
		},
	}
}

// learned: gossip tells clients about the server that joined.
func learned(joined cluster.Node, servers int) Claim {
	text := "clients on 'A' learn of the new cluster member that joined"
	if servers == 3 {
		text += " … `nats sub` is now aware of 3 possible servers"
	}
	return Claim{
		Text: text,
		Judge: func(_, after cluster.Observation) Finding {
			v := Know{Nodes: []cluster.Node{joined}}.Eval(after)
			if len(after.Fleet.Clients) == 0 {
				return undecided("no client was started")
			}
			known := len(after.Fleet.Clients[0].Known)
			if !v.Met {
				return differs("%s know %s; nats sub knows %d servers", v.Detail, joined.Name, known)
			}
			return holds("nats sub knows %d servers", known)
		},
	}
}

// subscriberMoves: the tutorial's one subscriber turns up elsewhere.
func subscriberMoves(from string) Claim {
	return Claim{
		Text: "observe that either 'B' or 'C' reports that a new client connected. That is our `nats sub` client",
		Judge: func(before, after cluster.Observation) Finding {
			if len(before.Fleet.Clients) == 0 || len(after.Fleet.Clients) == 0 {
				return undecided("no client was started")
			}
			if was := before.Fleet.Clients[0]; was.Node != from {
				return undecided("nats sub was on %s before", was.Node)
			}
			c := after.Fleet.Clients[0]
			if c.Status != cluster.ClientConnected || c.Node == from {
				return differs("nats sub is %s", c.Status)
			}
			return holds("nats sub is on %s, %s after it lost %s", c.Node, Round(c.LastAway), from)
		},
	}
}

// evenly: the text's half and half. The order in which a client tries its known
// servers is shuffled when it hears of one that it never knew, so a fair share
// is a matter of chance: within 2.6 standard deviations is called even. It can
// also be no chance at all: when C joins, A and C may dial each other at once,
// drop each other's connections as duplicates, and meet again. Clients on A then
// hear that C left and that it is back, which is nothing new to them, and it
// stands last in every list. (nats.go processInfo; seen about once in ten walks)
func evenly(from cluster.Node, to []cluster.Node) Claim {
	return Claim{
		Text: "1/2 of the clients on 'A' will jump over to 'B' and the remaining half to 'C'",
		Judge: func(before, after cluster.Observation) Finding {
			moved := movedFrom(from.Name, before, after)
			n := sum(moved)
			if n < 8 {
				return undecided("%s; %d clients are too few to tell halves from chance", spread(moved, to), n)
			}
			fair := float64(n) / float64(len(to))
			sigma := math.Sqrt(fair * (1 - 1/float64(len(to))))
			for _, t := range to {
				if math.Abs(float64(moved[t.Name])-fair) > 2.6*sigma {
					return differs("%s%s", spread(moved, to), asListed(moved, listed(from, to, before), to,
						"lists are shuffled when a server is new to the client, and one that drops out and comes back goes to the end"))
				}
			}
			return holds("%s", spread(moved, to))
		},
	}
}

// redistribute: the text lets the clients of a later server spread again. The
// client library tries the servers it knows in a fixed order, the one it lost
// last; a server that has come back is at the end of the list.
// (nats.go selectNextServer; processInfo appends a returning server)
func redistribute(text string, from cluster.Node, to []cluster.Node) Claim {
	return Claim{
		Text: text,
		Judge: func(before, after cluster.Observation) Finding {
			moved := movedFrom(from.Name, before, after)
			n := sum(moved)
			if n < 2 {
				return undecided("%d clients left %s", n, from.Name)
			}
			for _, t := range to {
				if moved[t.Name] == 0 {
					return differs("%s%s", spread(moved, to), asListed(moved, listed(from, to, before), to,
						"a server that has just come back stands at the end"))
				}
			}
			return holds("%s", spread(moved, to))
		},
	}
}

// samePath: the way down is the way up. Without JetStream it is; what newer
// servers stored, older ones may not read.
func samePath(permanent []cluster.Node, to cluster.Builds) Claim {
	return Claim{
		Text: "the downgrade path is the same as the upgrade path",
		Judge: func(_, after cluster.Observation) Finding {
			run := map[string]cluster.Version{}
			for _, n := range permanent {
				if v := (Running{Node: n.Name, Build: to.Of(n.Name)}).Eval(after); !v.Met {
					return differs("%s: %s", n.Name, v.Detail)
				}
				run[n.Name] = to.Of(n.Name).Version
			}
			return holds("%s after the same steps, without JetStream", running(run))
		},
	}
}

// running says who runs what: "A and B run 2.15.1".
func running(versions map[string]cluster.Version) string {
	var out []string
	for _, g := range cluster.Alike(versions) {
		verb := "run"
		if len(g.Nodes) == 1 {
			verb = "runs"
		}
		out = append(out, fmt.Sprintf("%s %s %s", List(g.Nodes), verb, g.Of))
	}
	return List(out)
}

// movedFrom counts where the clients went that were on a node before.
func movedFrom(from string, before, after cluster.Observation) map[string]int {
	moved := map[string]int{}
	for i, was := range before.Fleet.Clients {
		if was.Node != from || i >= len(after.Fleet.Clients) {
			continue
		}
		if now := after.Fleet.Clients[i]; now.Status == cluster.ClientConnected && now.Node != from {
			moved[now.Node]++
		}
	}
	return moved
}

// listed counts, for the clients that were on a node, which server stood next
// in the list of those they know.
func listed(from cluster.Node, to []cluster.Node, before cluster.Observation) map[string]int {
	next := map[string]int{}
	for _, c := range before.Fleet.Clients {
		if c.Node != from.Name {
			continue
		}
		for _, known := range c.Known {
			if i := slices.IndexFunc(to, func(n cluster.Node) bool { return at(known, n) }); i >= 0 {
				next[to[i].Name]++
				break
			}
		}
	}
	return next
}

// asListed explains where the clients went with the lists they had before, if
// that is what the lists say.
func asListed(moved, listed map[string]int, to []cluster.Node, why string) string {
	for _, t := range to {
		if moved[t.Name] != listed[t.Name] {
			return fmt.Sprintf("; next in their lists before were %s", spread(listed, to))
		}
	}
	return ", each to the next in its own list; " + why
}

func sum(m map[string]int) int {
	n := 0
	for _, v := range m {
		n += v
	}
	return n
}

func spread(moved map[string]int, to []cluster.Node) string {
	var out []string
	for _, t := range to {
		out = append(out, fmt.Sprintf("%d to %s", moved[t.Name], t.Name))
	}
	return strings.Join(out, ", ")
}
