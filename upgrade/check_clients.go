package upgrade

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"nats-roll/cluster"
)

// Nobody asks of the members of a party what is asked of the other clients.

// Census holds when the servers, in their own words, have the clients that the
// clients say they have: every fleet client connected, none gone for good.
type Census struct{ Without string } // a node that must have none, if any

func (c Census) String() string {
	if c.Without != "" {
		return "every client is on another server than " + c.Without
	}
	return "every client is connected"
}

// Eval compares the fleet with each server's count and, where /connz fits on
// one page, with the names there.
func (c Census) Eval(o cluster.Observation) Verdict {
	f := o.Fleet
	if len(f.Clients) == 0 {
		return unknown("no word from the clients")
	}
	if v := everyone(f, c.Without); !v.Met {
		return v
	}
	on := f.On()
	var words []string
	for _, s := range o.Servers {
		if !s.Process.Alive() {
			continue
		}
		n := s.Node.Name
		switch {
		case !s.Answer.Known():
			return unknown("no word from " + n)
		case s.Answer.Connections < on[n]:
			return no(fmt.Sprintf("%s reports %d clients, %d say they are there", n, s.Answer.Connections, on[n]))
		}
		if len(s.Answer.Clients) == s.Answer.Connections {
			if name, ok := missing(f, s); ok {
				return no(fmt.Sprintf("%s does not list %s", n, name))
			}
		}
		words = append(words, fmt.Sprintf("%s %d", n, s.Answer.Connections))
	}
	return yes("/connz: " + strings.Join(words, ", ") + beside(f))
}

func everyone(f cluster.Fleet, without string) Verdict {
	away, closed := 0, 0
	for _, cl := range f.Clients {
		switch {
		case cl.Party != "":
		case cl.Status == cluster.ClientClosed:
			closed++
		case cl.Status != cluster.ClientConnected || (without != "" && cl.Node == without):
			away++
		}
	}
	switch {
	case closed > 0:
		return no(fmt.Sprintf("%d of %d are closed for good", closed, len(f.Clients)))
	case away > 0:
		return no(fmt.Sprintf("%d of %d are not", away, len(f.Clients)))
	}
	return yes("")
}

// missing finds a fleet client that says it is on s and that s does not list.
func missing(f cluster.Fleet, s cluster.Server) (string, bool) {
	listed := make(map[string]bool, len(s.Answer.Clients))
	for _, c := range s.Answer.Clients {
		listed[c.Name] = true
	}
	for _, c := range f.Clients {
		if c.Party == "" && c.Status == cluster.ClientConnected && c.Node == s.Node.Name && !listed[c.Name] {
			return c.Name, true
		}
	}
	return "", false
}

// Present holds when the fleet has told of all its clients.
type Present struct{ Clients int }

func (c Present) String() string { return fmt.Sprintf("%d clients are there", c.Clients) }

// Eval asks the fleet.
func (c Present) Eval(o cluster.Observation) Verdict {
	if n := len(o.Fleet.Clients); n < c.Clients {
		return no(fmt.Sprintf("%d are", n))
	}
	return yes(fmt.Sprint(c.Clients))
}

// StartedOn holds when the subscribers are where they were started.
type StartedOn struct{ Node string }

func (c StartedOn) String() string { return "every subscriber is on " + c.Node }

// Eval asks the fleet.
func (c StartedOn) Eval(o cluster.Observation) Verdict {
	subs, there := 0, 0
	for _, cl := range o.Fleet.Clients {
		if !cl.Role.Hears() || cl.Pinned != "" {
			continue
		}
		subs++
		if cl.Status == cluster.ClientConnected && cl.Node == c.Node {
			there++
		}
	}
	switch {
	case subs == 0:
		return unknown("no word from the clients")
	case there < subs:
		return no(fmt.Sprintf("%d of %d are", there, subs))
	}
	return yes(fmt.Sprintf("%d of %d", there, subs))
}

// Know holds when every client knows all these servers.
type Know struct{ Nodes []cluster.Node }

func (c Know) String() string {
	return fmt.Sprintf("every client knows %s", List(names(c.Nodes)))
}

func names(nodes []cluster.Node) []string {
	out := make([]string, len(nodes))
	for i, n := range nodes {
		out[i] = n.Name
	}
	return out
}

// Eval compares ports: a server may be known by another name of this machine.
func (c Know) Eval(o cluster.Observation) Verdict {
	if len(o.Fleet.Clients) == 0 {
		return unknown("no word from the clients")
	}
	knowing, all := 0, 0
	for _, cl := range o.Fleet.Clients {
		if cl.Party != "" {
			continue
		}
		all++
		if !slices.ContainsFunc(c.Nodes, func(n cluster.Node) bool { return !knows(cl, n) }) {
			knowing++
		}
	}
	if knowing < all {
		return no(fmt.Sprintf("%d of %d do", knowing, all))
	}
	words := fmt.Sprintf("%d of %d, by gossip", knowing, all)
	if others := len(o.Fleet.Clients) - all; others > 0 {
		words += fmt.Sprintf("; the chapter's own %d are not asked", others)
	}
	return yes(words)
}

func knows(c cluster.Client, n cluster.Node) bool {
	return slices.ContainsFunc(c.Known, func(known string) bool { return at(known, n) })
}

// at says whether a URL is that of a node.
func at(known string, n cluster.Node) bool {
	u, err := url.Parse(known)
	return err == nil && u.Port() == fmt.Sprint(n.ClientPort)
}

// Reached holds when every subscriber has had a message since it last
// connected.
type Reached struct{}

func (Reached) String() string { return "messages reach every subscriber" }

// Eval asks the ledger.
func (Reached) Eval(o cluster.Observation) Verdict {
	f := o.Fleet
	switch {
	case len(f.Clients) == 0:
		return unknown("no word from the clients")
	case f.Rate == 0:
		return yes("no numbered messages were asked for")
	case f.Behind > 0:
		return no(fmt.Sprintf("%d wait for their first since they came back", f.Behind))
	}
	return yes(fmt.Sprintf("%d a second, %d so far", f.Rate, f.Published))
}

// Absent holds when no client of the rehearsal is connected any more.
type Absent struct{}

func (Absent) String() string { return "the clients are gone" }

// Eval asks the fleet, whose end is told once.
func (Absent) Eval(o cluster.Observation) Verdict {
	switch f := o.Fleet; {
	case len(f.Clients) > 0:
		return no(fmt.Sprintf("%d are there", len(f.Clients)))
	case f.Ledger == 0:
		return unknown("no word from the clients")
	}
	return yes("")
}

// Counting holds while the clients' messages are counted, and the books are open.
type Counting struct{}

func (Counting) String() string { return "messages are counted" }

// Eval asks the ledger.
func (Counting) Eval(o cluster.Observation) Verdict {
	switch f := o.Fleet; {
	case len(f.Clients) == 0:
		return unknown("no word from the clients")
	case f.Settled:
		return no("the books are closed")
	}
	return yes("")
}

// Accounted holds when the traffic has settled and every message that every
// subscriber should have had is received or known to be lost.
type Accounted struct{}

func (Accounted) String() string { return "every message is accounted for" }

// Eval does the sum.
func (Accounted) Eval(o cluster.Observation) Verdict {
	f := o.Fleet
	switch {
	case !f.Settled:
		return unknown("messages are still in flight")
	case f.Expected != f.Received-f.Duplicated+f.Lost:
		return no(fmt.Sprintf("%d expected, but %d received − %d duplicated + %d lost", f.Expected, f.Received, f.Duplicated, f.Lost))
	}
	return yes(fmt.Sprintf("%d expected = %d received − %d duplicated + %d lost", f.Expected, f.Received, f.Duplicated, f.Lost))
}

// NoneGone holds when no client is closed for good.
type NoneGone struct {
	Other bool // there are parties, of which some may be
}

func (c NoneGone) String() string {
	if c.Other {
		return "no other client is gone for good"
	}
	return "no client is gone for good"
}

// Eval asks the fleet.
func (NoneGone) Eval(o cluster.Observation) Verdict {
	if len(o.Fleet.Clients) == 0 {
		return unknown("no word from the clients")
	}
	all := 0
	for _, c := range o.Fleet.Clients {
		if c.Party != "" {
			continue
		}
		all++
		if c.Status == cluster.ClientClosed {
			return no(fmt.Sprintf("%s is closed%s", c.Name, because(c.Err)))
		}
	}
	return yes(fmt.Sprintf("%d clients", all) + beside(o.Fleet))
}

// beside names the members of parties that are closed, whom nobody asks; empty if
// there are none.
func beside(f cluster.Fleet) string {
	var order []string
	closed := map[string]int{}
	for _, c := range f.Clients {
		if c.Party == "" || c.Status != cluster.ClientClosed {
			continue
		}
		if closed[c.Party] == 0 {
			order = append(order, c.Party)
		}
		closed[c.Party]++
	}
	out := ""
	for _, p := range order {
		out += fmt.Sprintf("; %d %s closed for good", closed[p], p)
	}
	return out
}
