package upgrade

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"nats-roll/cluster"
)

// Alone holds when the node's server is up and says that it has no routes.
type Alone struct{ Node string }

func (c Alone) String() string { return c.Node + " has no peers" }

// Eval reads /routez.
func (c Alone) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	switch {
	case s.Condition() != cluster.Up:
		return notUp(s)
	case s.Answer.Routes > 0:
		return no(fmt.Sprintf("/routez of %s: peers %s", c.Node, List(peers(o, c.Node))))
	}
	return yes(fmt.Sprintf("/routez of %s: no peers", c.Node))
}

// peers names those that a server has routes with.
func peers(o cluster.Observation, node string) []string {
	var out []string
	for n := range o.Peers(node) {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Linked holds when two servers have all their routes, and says which side dialed:
// with Gossip, none of the two was configured to, and otherwise one was.
type Linked struct {
	A, B   string
	Gossip bool
}

func (c Linked) String() string {
	if c.Gossip {
		return fmt.Sprintf("%s and %s see each other, which nobody configured", c.A, c.B)
	}
	return fmt.Sprintf("%s and %s see each other, as configured", c.A, c.B)
}

// Eval reads did_solicit and is_configured in /routez of both: they are true on the
// side that dialed, the second only if its own list of routes made it.
// (nats-server server/monitor.go RouteInfo)
func (c Linked) Eval(o cluster.Observation) Verdict {
	if v := (Meshed{Among: []string{c.A, c.B}}).Eval(o); !v.Met {
		return v
	}
	a, b := o.Links(c.A)[c.B], o.Links(c.B)[c.A]
	detail := fmt.Sprintf("/routez: %s %s; did_solicit: %s; is_configured: %s", count(a.Routes, "route connection"), c.A+"⇄"+c.B,
		sides(c, a.Dialed, b.Dialed), sides(c, a.Configured, b.Configured))
	if configured := a.Configured+b.Configured > 0; configured == c.Gossip {
		return no(detail)
	}
	return yes(detail)
}

// sides tells on which side something is so, and of how many connections.
func sides(c Linked, a, b int) string {
	switch {
	case a > 0 && b > 0:
		return fmt.Sprintf("%d on %s, %d on %s", a, c.A, b, c.B)
	case a > 0:
		return "on " + c.A
	case b > 0:
		return "on " + c.B
	}
	return "on neither"
}

// Apart holds when two servers have run for so long and do not see each other.
type Apart struct {
	A, B string
	For  time.Duration
}

func (c Apart) String() string {
	return fmt.Sprintf("%s and %s do not see each other for %s", c.A, c.B, Round(c.For))
}

// Eval asks both, and counts from the start of the younger one.
func (c Apart) Eval(o cluster.Observation) Verdict {
	a, _ := o.Server(c.A)
	b, _ := o.Server(c.B)
	for _, s := range []cluster.Server{a, b} {
		if s.Condition() != cluster.Up {
			return notUp(s)
		}
	}
	if o.Peers(c.A)[c.B] > 0 || o.Peers(c.B)[c.A] > 0 {
		return no("they do: /routez of " + c.A + " lists " + List(peers(o, c.A)))
	}
	young, at := a.Process.Started, a.Answer.Ended
	if b.Process.Started.After(young) {
		young = b.Process.Started
	}
	if b.Answer.Ended.Before(at) {
		at = b.Answer.Ended
	}
	seen := fmt.Sprintf("/routez of %s: peers %s; of %s: %s", c.A, List(peers(o, c.A)), c.B, List(peers(o, c.B)))
	if ran := at.Sub(young); ran < c.For {
		return no(fmt.Sprintf("%s, after %s", seen, Round(max(0, ran))))
	}
	return yes(fmt.Sprintf("%s, %s after the younger was started", seen, Round(at.Sub(young))))
}

// StartedWithout holds when a node's server was started while another one was down.
type StartedWithout struct{ Node, Down string }

func (c StartedWithout) String() string {
	return fmt.Sprintf("%s was started while %s is down", c.Node, c.Down)
}

// Eval compares the start with the other's end.
func (c StartedWithout) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	other, _ := o.Server(c.Down)
	switch {
	case s.Condition() != cluster.Up:
		return notUp(s)
	case other.Process.Exit == nil:
		return no(c.Down + " is not down")
	case !s.Process.Started.After(other.Process.Exit.At):
		return no(c.Node + " was started before")
	}
	return yes(fmt.Sprintf("pid %d, %s after %s ended", s.Process.PID, Round(s.Process.Started.Sub(other.Process.Exit.At)), c.Down))
}

// Unheard holds when the subscriber that knows only this node's server has been
// there for so long, and hears nothing of what is published elsewhere.
type Unheard struct {
	Node string
	For  time.Duration
}

func (c Unheard) String() string {
	return fmt.Sprintf("a subscriber on %s hears nothing for %s", c.Node, Round(c.For))
}

// Eval asks the clients: who has heard nothing since it came back is behind.
func (c Unheard) Eval(o cluster.Observation) Verdict {
	f := o.Fleet
	cl, ok := pinned(f, c.Node)
	switch {
	case !ok:
		return unknown("no word from the clients")
	case f.Rate == 0:
		return yes("no numbered messages were asked for")
	case cl.Status != cluster.ClientConnected || len(cl.Trail) == 0:
		return no("it is " + string(cl.Status))
	case f.Behind == 0:
		return no("it does")
	}
	there := f.At.Sub(cl.Trail[len(cl.Trail)-1].At)
	detail := fmt.Sprintf("there for %s, while %d messages a second are published on another server", Round(max(0, there)), f.Rate)
	if there < c.For {
		return no(detail)
	}
	return yes(detail)
}

// pinned finds the subscriber that knows only this node's server.
func pinned(f cluster.Fleet, node string) (cluster.Client, bool) {
	i := slices.IndexFunc(f.Clients, func(c cluster.Client) bool { return c.Pinned == node })
	if i < 0 {
		return cluster.Client{}, false
	}
	return f.Clients[i], true
}

// RoutesGiven holds when the node's server was started with exactly these routes.
type RoutesGiven struct {
	Node   string
	Routes []cluster.Node
}

func (c RoutesGiven) String() string {
	if len(c.Routes) == 0 {
		return c.Node + " is told of no other server"
	}
	return fmt.Sprintf("the routes of %s list %s", c.Node, List(names(c.Routes)))
}

// Eval reads the command line of the process.
func (c RoutesGiven) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	if s.Condition() != cluster.Up {
		return notUp(s)
	}
	var want []string
	for _, n := range c.Routes {
		want = append(want, n.RouteURL())
	}
	routes := routesOf(s.Process)
	seen := "-routes " + routes
	if routes == "" {
		seen = "there is no -routes on its command line"
	}
	if routes != strings.Join(want, ",") {
		return no(seen)
	}
	return yes(seen)
}

// routesOf is what a process was told of others on its command line.
func routesOf(p cluster.Process) string {
	i := slices.Index(p.Args, "-routes")
	if i < 0 || i+1 >= len(p.Args) {
		return ""
	}
	return p.Args[i+1]
}

// Missed holds when the books are closed; its evidence is what the subscriber that
// knows only this node's server missed, and the others.
type Missed struct{ Node string }

func (c Missed) String() string { return "it is known what each subscriber missed" }

// Eval reads the ledgers.
func (c Missed) Eval(o cluster.Observation) Verdict {
	f := o.Fleet
	cl, ok := pinned(f, c.Node)
	if !ok || !f.Settled {
		return unknown("messages are still in flight")
	}
	most := uint64(0)
	for _, other := range f.Clients {
		if other.Role.Hears() && other.ID != cl.ID {
			most = max(most, other.Lost)
		}
	}
	return yes(fmt.Sprintf("of %d messages, who knows only %s missed %d; of those that know all servers, each missed %d at most", f.Published, c.Node, cl.Lost, most))
}
