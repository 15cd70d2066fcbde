package upgrade

// What the tutorial says of clients.

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"nats-roll/cluster"
)

// clientMessage: the tutorial's subscriber is seen by its server, which says so.
func clientMessage(n cluster.Node) Claim {
	c := claim("client-message", func(_, after cluster.Observation) Finding {
		if len(after.Fleet.Clients) == 0 {
			return undecided("no client was started")
		}
		return reported(after, after.Fleet.Clients[0].Name, n.Name)
	})
	c.Late = messageToCome
	return c
}

// messageToCome says that the tutorial's subscriber is on a server which writes such
// messages, and that this one was not read yet.
func messageToCome(o cluster.Observation) bool {
	if len(o.Fleet.Clients) == 0 {
		return false
	}
	c := o.Fleet.Clients[0]
	s, _ := o.Server(c.Node)
	return s.Debug != "" && !s.Process.Guest && c.Status == cluster.ClientConnected && reported(o, c.Name, c.Node).Stands != Holds
}

// reported looks for a client in the answers and in the lines of a server.
func reported(o cluster.Observation, client, node string) Finding {
	s, _ := o.Server(node)
	i := slices.IndexFunc(s.Answer.Clients, func(c cluster.Connection) bool { return c.Name == client })
	if i < 0 {
		return undecided("it is not on the page of /connz of %s that is read", node)
	}
	c := s.Answer.Clients[i]
	cid := fmt.Sprintf("cid:%d ", c.CID)
	line := slices.IndexFunc(s.Greeted, func(l cluster.LogLine) bool { return strings.Contains(l.Text, cid) })
	switch {
	case s.Process.Guest:
		return undecided("/connz of %s lists it as cid %d; the message was %s", node, c.CID, notOurLog)
	case line < 0:
		return undecided("/connz of %s lists it as cid %d; its message is not among the lines that were read", node, c.CID)
	}
	return holds("%s says: [%s] %s (because of -D)", node, s.Greeted[line].Level, s.Greeted[line].Text)
}

// selectRandomly: where clients are after they have connected.
func selectRandomly(w cluster.Workload, first cluster.Node) Claim {
	return claim("select-randomly", func(_, after cluster.Observation) Finding {
		on := map[string]int{}
		for _, c := range after.Fleet.Clients {
			if c.Role.Hears() && c.Status == cluster.ClientConnected && c.Pinned == "" {
				on[c.Node]++
			}
		}
		n := sum(on)
		switch {
		case n < 8:
			return undecided("%s are too few to tell", count(n, "client"))
		case !w.Behaviour.All && on[first.Name] == n:
			return differs("all %d are on %s, the only address that they were given", n, first.Name).because("one-address")
		case w.Behaviour.All && w.Behaviour.NoRandomize:
			return undecided("they were told to keep the order of their list")
		case len(on) < 2:
			return differs("all %d are on one server", n).because("one-address")
		}
		return holds("%s", Impact{Moved: on}.Went())
	})
}

// joinsWhile: a server joins, and nobody moves for that.
func joinsWhile(joined cluster.Node, all []cluster.Node) Claim {
	return claim("joins-while", func(before, after cluster.Observation) Finding {
		v := Meshed{Among: names(all)}.Eval(after)
		if !v.Met {
			return undecided("%s", v.Detail)
		}
		moved := 0
		for i, was := range before.Fleet.Clients {
			if i < len(after.Fleet.Clients) && after.Fleet.Clients[i].Node != was.Node {
				moved++
			}
		}
		return holds("%s; %d of %d clients moved because %s joined", v.Detail, moved, len(before.Fleet.Clients), joined.Name)
	})
}

// becomeAware: gossip tells every client about the servers.
func becomeAware(nodes []cluster.Node) Claim {
	return claim("clients-become-aware", func(before, after cluster.Observation) Finding {
		v := Know{Nodes: nodes}.Eval(after)
		switch {
		case len(after.Fleet.Clients) == 0:
			return undecided("no client was started")
		case !v.Met:
			return differs("%s know %s", v.Detail, List(names(nodes)))
		}
		if n := after.Fleet.Reconnects - before.Fleet.Reconnects; n > 0 {
			return undecided("%d clients had to reconnect meanwhile", n)
		}
		return holds("%s clients know %s by gossip; none had to reconnect for that", strings.TrimSuffix(v.Detail, ", by gossip"), List(names(nodes)))
	})
}

// clientsLearn: gossip tells clients about the server that joined.
func clientsLearn(joined cluster.Node) Claim {
	return claim("clients-learn", func(_, after cluster.Observation) Finding {
		v := Know{Nodes: []cluster.Node{joined}}.Eval(after)
		switch {
		case len(after.Fleet.Clients) == 0:
			return undecided("no client was started")
		case !v.Met:
			return differs("%s know %s", v.Detail, joined.Name)
		}
		return holds("%s clients know %s", strings.TrimSuffix(v.Detail, ", by gossip"), joined.Name)
	})
}

// threePossible: what the tutorial's one subscriber knows.
func threePossible() Claim {
	return claim("three-possible", func(_, after cluster.Observation) Finding {
		if len(after.Fleet.Clients) == 0 {
			return undecided("no client was started")
		}
		known := after.Fleet.Clients[0].Known
		if len(known) != 3 {
			return differs("nats sub knows %d: %s", len(known), strings.Join(known, ", "))
		}
		return holds("nats sub knows %s", strings.Join(known, ", "))
	})
}

// listOnDisconnect: the client that lost its server goes to one that it was not
// given.
func listOnDisconnect(given cluster.Node) Claim {
	return claim("list-on-disconnect", func(before, after cluster.Observation) Finding {
		if len(before.Fleet.Clients) == 0 || len(after.Fleet.Clients) == 0 {
			return undecided("no client was started")
		}
		was, is := before.Fleet.Clients[0], after.Fleet.Clients[0]
		switch {
		case was.Node != given.Name:
			return undecided("nats sub was on %s before", was.Node)
		case is.Status != cluster.ClientConnected || is.Node == given.Name:
			return differs("nats sub is %s", is.Status)
		}
		return holds("nats sub was given %s; it knew %s, and is on %s", given.ClientURL(), strings.Join(was.Known, ", "), is.Node)
	})
}

// newClientReported: the tutorial's one subscriber turns up elsewhere, and the
// server there says so.
func newClientReported(from string) Claim {
	c := claim("new-client-reported", func(before, after cluster.Observation) Finding {
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
		f := reported(after, c.Name, c.Node)
		f.Detail = fmt.Sprintf("nats sub is on %s, %s after it lost %s; %s", c.Node, Round(c.LastAway), from, f.Detail)
		if f.Stands == Undecided { // where it is, is what the sentence is about
			f.Stands = Holds
		}
		return f
	})
	c.Late = messageToCome
	return c
}

// anotherPlace: somebody went to the temporary server.
func anotherPlace(from, spare cluster.Node) Claim {
	return claim("another-place", func(before, after cluster.Observation) Finding {
		moved := movedFrom(from.Name, before, after)
		n := sum(moved)
		switch {
		case n < 8:
			return undecided("%s left %s, too few to tell", count(n, "client"), from.Name)
		case moved[spare.Name] == 0:
			return differs("none of %d went to %s", n, spare.Name).because("shuffled-once")
		}
		return holds("%d of %d went to %s", moved[spare.Name], n, spare.Name)
	})
}

// fair is the bounds of an even share of n clients between so many servers.
func fair(n, servers int) (low, high int) {
	share := float64(n) / float64(servers)
	by := chance * math.Sqrt(share*(1-1/float64(servers)))
	return int(math.Ceil(max(0, share-by))), int(math.Floor(share + by))
}

// even says whether every server has about its part, and the bounds that this means.
func even(moved map[string]int, to []cluster.Node) (ok bool, bounds string) {
	n := sum(moved)
	low, high := fair(n, len(to))
	ok = !slices.ContainsFunc(to, func(t cluster.Node) bool { return moved[t.Name] < low || moved[t.Name] > high })
	return ok, fmt.Sprintf("of %d clients, %d to %d each is what chance allows", n, low, high)
}

// evenly: the text's half and half. The order in which a client tries its known
// servers is shuffled when it hears of one that it never knew, so a fair share
// is a matter of chance: within 2.6 standard deviations is called even. It can
// also be no chance at all: when C joins, A and C may dial each other at once,
// drop each other's connections as duplicates, and meet again. Clients on A then
// hear that C left and that it is back, which is nothing new to them, and it
// stands last in every list. (nats.go processInfo; seen about once in ten walks)
func evenly(from cluster.Node, to []cluster.Node) Claim {
	return claim("half-and-half", func(before, after cluster.Observation) Finding {
		moved := movedFrom(from.Name, before, after)
		n := sum(moved)
		if n < 8 {
			return undecided("%s; %d clients are too few to tell halves from chance", spread(moved, to), n)
		}
		ok, bounds := even(moved, to)
		if !ok {
			return differs("%s; %s%s", spread(moved, to), bounds, asListed(moved, listed(from, to, before), to)).because("shuffled-once")
		}
		return holds("%s; %s", spread(moved, to), bounds)
	})
}

// redistribute: the text lets the clients of a later server spread again. The
// client library tries the servers it knows in a fixed order, the one it lost
// last; a server that has come back is at the end of the list.
// (nats.go selectNextServer; processInfo appends a returning server)
func redistribute(id string, from cluster.Node, to []cluster.Node) Claim {
	return claim(id, func(before, after cluster.Observation) Finding {
		moved := movedFrom(from.Name, before, after)
		n := sum(moved)
		if n < 2 {
			return undecided("%s left %s", count(n, "client"), from.Name)
		}
		for _, t := range to {
			if moved[t.Name] == 0 {
				return differs("%s%s", spread(moved, to), asListed(moved, listed(from, to, before), to)).because("in-order")
			}
		}
		return holds("%s", spread(moved, to))
	})
}

// aboutEvenly: how the clients stand when all is over.
func aboutEvenly(permanent []cluster.Node) Claim {
	return claim("about-evenly", func(_, after cluster.Observation) Finding {
		on := after.Fleet.On()
		if n := sum(on); n < 8 {
			return undecided("%s are too few to tell", count(n, "client"))
		}
		ok, bounds := even(on, permanent)
		where := fmt.Sprintf("in the end %s; %s", standing(on, permanent), bounds)
		if !ok {
			return differs("%s", where).because("in-order")
		}
		return holds("%s", where)
	})
}

// standing says where clients are: "20 on A, 2 on B".
func standing(on map[string]int, nodes []cluster.Node) string {
	return strings.ReplaceAll(spread(on, nodes), " to ", " on ")
}

// clientMoves: one and the same client, from server to server.
func clientMoves() Claim {
	return claim("client-moves", func(_, after cluster.Observation) Finding {
		if len(after.Fleet.Clients) == 0 {
			return undecided("no client was started")
		}
		c := after.Fleet.Clients[0]
		var trail []string
		for _, h := range c.Trail {
			trail = append(trail, h.Node)
		}
		way := strings.Join(trail, " → ")
		switch {
		case c.Status != cluster.ClientConnected:
			return differs("nats sub is %s after %s%s", c.Status, way, because(c.Err))
		case len(trail) < 2:
			return undecided("nats sub never lost its server")
		}
		return holds("nats sub went %s, the same process all the time: it was never started again", way)
	})
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

// asListed sets where the clients went beside the lists that they had before.
func asListed(moved, listed map[string]int, to []cluster.Node) string {
	for _, t := range to {
		if moved[t.Name] != listed[t.Name] {
			return fmt.Sprintf("; next in their lists before were %s", spread(listed, to))
		}
	}
	return ", each to the next in its own list"
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
