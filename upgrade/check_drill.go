package upgrade

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"nats-roll/cluster"
)

// Checks that see what is broken.

// Unfit holds when a build was found to be no good as the node's next binary.
type Unfit struct {
	Node  string
	Build cluster.Build
	Says  string // part of what was found
}

func (c Unfit) String() string {
	if c.Build == Half {
		return c.Node + "'s copy is found to be no server"
	}
	return fmt.Sprintf("%s is found unfit for %s", c.Build, c.Node)
}

// Eval reads the newest inspection.
func (c Unfit) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	if s.Inspection.Build != c.Build || len(s.Inspection.Facts) == 0 {
		return unknown("it was not looked at yet")
	}
	for _, f := range s.Inspection.Facts {
		switch {
		case f.OK:
		case strings.Contains(f.Detail, c.Says):
			return yes(f.Detail)
		default:
			return no("something else is wrong: " + f.Detail)
		}
	}
	return no("nothing was found")
}

// Spoilt holds when the file in the node's slot is no server.
type Spoilt struct{ Node string }

func (c Spoilt) String() string { return c.Node + "'s binary is no server" }

// Eval looks at the slot.
func (c Spoilt) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	switch {
	case s.Disk.Zero():
		return unknown("the slot is empty")
	case s.Spoilt == "":
		return no("the file is " + s.Disk.String())
	}
	return yes(s.Spoilt)
}

// Fails holds when the node's server was not started, or ended by itself.
type Fails struct {
	Node string
	Why  string // in words
	Says string // part of the refusal, or of how it ended
}

func (c Fails) String() string { return fmt.Sprintf("%s does not start: %s", c.Node, c.Why) }

// Eval reads the refusal, and then the exit.
func (c Fails) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	said := s.Refusal
	switch {
	case said != "":
	case s.Process.Alive():
		return no(fmt.Sprintf("pid %d lives", s.Process.PID))
	case s.Condition() == cluster.Crashed:
		said = fmt.Sprintf("%s, %s after its start%s", s.Process.Exit, Round(s.Process.Exit.After), because(s.Process.Exit.Reason))
	default:
		return unknown("nobody has tried")
	}
	if !strings.Contains(said, c.Says) {
		return no("something else is wrong: " + said)
	}
	return yes(said)
}

// HasConfig holds when the node's configuration file has this text.
type HasConfig struct {
	Node string
	Text string
	As   string // in words: "is as it was"
}

func (c HasConfig) String() string { return fmt.Sprintf("%s's configuration %s", c.Node, c.As) }

// Eval looks at the file, not at what runs.
func (c HasConfig) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	if s.Config != c.Text {
		return no("the file has another text")
	}
	return yes(fmt.Sprintf("%s, %d bytes", cluster.ConfigFile, len(s.Config)))
}

// Grumbles holds when the node's process has said that it could not use something.
type Grumbles struct {
	Node  string
	About cluster.Topic
	What  string // in words
}

func (c Grumbles) String() string { return fmt.Sprintf("%s says that %s", c.Node, c.What) }

// Eval looks for the server's own line.
func (c Grumbles) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	i := slices.IndexFunc(s.Failed, func(l cluster.LogLine) bool { return l.Topic == c.About })
	if i < 0 {
		return unknown("it has not said so")
	}
	return yes(fmt.Sprintf("[%s] %s", s.Failed[i].Level, s.Failed[i].Text))
}

// PortTaken holds when nats-roll itself listens on the node's client port.
type PortTaken struct{ Node cluster.Node }

func (c PortTaken) String() string { return fmt.Sprintf("somebody else has %s's port", c.Node.Name) }

// Eval asks who was told to.
func (c PortTaken) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node.Name)
	if !s.Occupied {
		return no(fmt.Sprintf("port %d is %s's own", c.Node.ClientPort, c.Node.Name))
	}
	return yes(fmt.Sprintf("nats-roll listens on %d", c.Node.ClientPort))
}

// Numb holds when the node's process lives, is stopped in its tracks, and has
// answered nothing for so long.
type Numb struct {
	Node string
	For  time.Duration
}

func (c Numb) String() string {
	return fmt.Sprintf("%s lives, and answers nothing for %s", c.Node, Round(c.For))
}

// Eval compares the newest moment with the first question that had no answer.
func (c Numb) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	switch quiet := o.At.Sub(s.Silent); {
	case !s.Process.Alive():
		return notUp(s)
	case !s.Process.Held:
		return no("it is not held")
	case s.Silent.IsZero():
		return no("it has answered last time")
	case quiet < c.For:
		return no(fmt.Sprintf("for %s so far", Round(quiet)))
	default:
		return yes(fmt.Sprintf("pid %d; %s", s.Process.PID, s.Why))
	}
}

// Unnoticed holds when the others, and the node's own clients, take a server for
// alive that answers nothing.
type Unnoticed struct{ Node string }

func (c Unnoticed) String() string { return "nobody has noticed that " + c.Node + " is frozen" }

// Eval asks everybody else. Peers are found by name: the one that is frozen cannot
// be asked for its id.
func (c Unnoticed) Eval(o cluster.Observation) Verdict {
	if s, _ := o.Server(c.Node); !s.Process.Held {
		return no("it is not held")
	}
	var peers []string
	for _, s := range o.Servers {
		if s.Node.Name == c.Node || !s.Process.Alive() {
			continue
		}
		if !s.Answer.Known() {
			return unknown("no word from " + s.Node.Name)
		}
		if !slices.ContainsFunc(s.Answer.Peers, func(p cluster.Peer) bool { return p.Name == c.Node }) {
			return no(fmt.Sprintf("%s does not list it any more", s.Node.Name))
		}
		peers = append(peers, s.Node.Name)
	}
	if len(o.Fleet.Clients) == 0 {
		return unknown("no word from the clients")
	}
	on := o.Fleet.On()[c.Node]
	if on == 0 {
		return no("it has no clients who could notice")
	}
	return yes(fmt.Sprintf("/routez of %s: %s is a peer; as they see it, %s connected to it", List(peers), c.Node, are(on, "client")))
}

func are(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return count(n, noun) + " are"
}

// Starved holds when those who hear the numbered messages on a node lack this many
// of those that were published.
type Starved struct {
	Node string
	By   uint64
}

func (c Starved) String() string { return "messages do not reach the clients on " + c.Node }

// Eval compares what clients have with what was published.
func (c Starved) Eval(o cluster.Observation) Verdict {
	var lack uint64
	there := 0
	for _, cl := range o.Fleet.Clients {
		if !cl.Role.Hears() || cl.Role == cluster.RoleQueue || cl.Node != c.Node {
			continue
		}
		has := cl.Received - min(cl.Duplicated, cl.Received) + cl.Lost
		lacks := o.Fleet.Published - min(has, o.Fleet.Published)
		if there++; there == 1 || lacks < lack {
			lack = lacks
		}
	}
	switch {
	case there == 0:
		return unknown("no subscriber is on it")
	case lack < c.By:
		return no(fmt.Sprintf("%s have all but %d", count(there, "subscriber"), lack))
	}
	return yes(fmt.Sprintf("%s wait for %d messages that were published", count(there, "subscriber"), lack))
}

// Deaf holds when the node's process was sent a signal, and has lived on for so long.
type Deaf struct {
	Node   string
	Signal cluster.Signal
	For    time.Duration
}

func (c Deaf) String() string { return fmt.Sprintf("%s ignores SIG%s", c.Node, c.Signal) }

// Eval compares the newest moment with that of the signal.
func (c Deaf) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	switch since := o.At.Sub(s.SignalAt); {
	case s.Signal != c.Signal:
		return unknown("it was not sent yet")
	case s.Process.Exit != nil && s.Process.Stop == cluster.StopKill && s.Process.Exit.At.Sub(s.SignalAt) >= c.For:
		return yes(fmt.Sprintf("pid %d lived on for %s, and then it was killed", s.Process.PID, Round(s.Process.Exit.At.Sub(s.SignalAt))))
	case !s.Process.Alive():
		return notUp(s)
	case since < c.For:
		return no(fmt.Sprintf("it was sent %s ago", Round(since)))
	default:
		return yes(fmt.Sprintf("pid %d lives, %s after it", s.Process.PID, Round(since)))
	}
}

// Leaving holds when the node's server is in lame duck mode.
type Leaving struct{ Node string }

func (c Leaving) String() string { return c.Node + " is in lame duck mode" }

// Eval looks at the process.
func (c Leaving) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	if s.Condition() != cluster.Draining {
		return no(fmt.Sprintf("%s is %s", c.Node, s.Condition()))
	}
	return yes(fmt.Sprintf("pid %d, with %s when it was asked", s.Process.PID, count(s.Drained, "client")))
}

// Killed holds when the node's server was ended by SIGKILL.
type Killed struct{ Node string }

func (c Killed) String() string { return c.Node + " was ended by SIGKILL" }

// Eval looks at the exit.
func (c Killed) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	switch {
	case s.Process.Exit == nil:
		return no(fmt.Sprintf("pid %d lives", s.Process.PID))
	case s.Process.Stop != cluster.StopKill:
		return no(ExitDetail(s.Process))
	}
	return yes(ExitDetail(s.Process))
}

// StoreDamaged holds when what the node has stored is damaged.
type StoreDamaged struct{ Node string }

func (c StoreDamaged) String() string { return "what " + c.Node + " has stored is damaged" }

// Eval reads what was told of it.
func (c StoreDamaged) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	if s.Damage == "" {
		return no("nothing was damaged")
	}
	return yes(s.Damage)
}

// Ill holds when the node's server runs and says itself that it is not healthy.
type Ill struct {
	Node string
	Says string // part of its reason
}

func (c Ill) String() string { return c.Node + " runs, and says that it is not healthy" }

// Eval reads /healthz.
func (c Ill) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	switch {
	case s.Condition() != cluster.Up:
		return notUp(s)
	case s.Answer.Healthy:
		return no("/healthz: ok")
	case s.Answer.Health == "":
		return unknown("it was not asked yet")
	case !strings.Contains(s.Answer.Health, c.Says):
		return no("something else is wrong: /healthz: " + s.Answer.Health)
	}
	return yes("/healthz: " + s.Answer.Health)
}

// Believed holds when the leaders of the streams were asked what they think of
// their replicas on a node; the evidence is their answer.
type Believed struct{ Node string }

func (c Believed) String() string { return "the streams' leaders say what they think of " + c.Node }

// Eval reads what they said.
func (c Believed) Eval(o cluster.Observation) Verdict {
	var words []string
	for _, s := range o.Fleet.Streams {
		i := slices.IndexFunc(s.Replicas, func(r cluster.Replica) bool { return r.Node == c.Node })
		switch {
		case s.Leader == "":
			return no(s.Name + " has no leader")
		case s.Leader == c.Node:
			words = append(words, fmt.Sprintf("%s is led by %s itself", s.Name, c.Node))
		case i < 0:
			words = append(words, fmt.Sprintf("%s has no replica on it", s.Name))
		case s.Replicas[i].Offline:
			words = append(words, fmt.Sprintf("%s: offline, says %s", s.Name, s.Leader))
		case s.Replicas[i].Current:
			words = append(words, fmt.Sprintf("%s: current, says %s", s.Name, s.Leader))
		default:
			words = append(words, fmt.Sprintf("%s: not current, says %s", s.Name, s.Leader))
		}
	}
	if len(words) == 0 {
		return unknown("they were not asked yet")
	}
	return yes(strings.Join(words, "; "))
}

// Parted holds when it is known how long clients were away that left each of two
// nodes last, or that nobody knows it who is there.
type Parted struct {
	Killed, Ended string
}

func (c Parted) String() string {
	return fmt.Sprintf("%s was killed while it left, %s was let go: the difference is known", c.Killed, c.Ended)
}

// Eval reads the clients' trails.
func (c Parted) Eval(o cluster.Observation) Verdict {
	a, b := partings(o.Fleet, c.Killed), partings(o.Fleet, c.Ended)
	switch {
	case len(o.Fleet.Clients) == 0:
		return unknown("no word from the clients")
	case len(a) == 0 || len(b) == 0:
		return yes("not any more: none of the clients of now has left both")
	}
	return yes(fmt.Sprintf("%s killed: %s; %s let go: %s", c.Killed, parting(a), c.Ended, parting(b)))
}

// partings are the hops of clients that came from a node last.
func partings(f cluster.Fleet, node string) []cluster.Hop {
	var out []cluster.Hop
	for _, c := range f.Clients {
		for i := len(c.Trail) - 1; i > 0; i-- {
			if c.Trail[i-1].Node == node && c.Trail[i].Node != node {
				out = append(out, c.Trail[i])
				break
			}
		}
	}
	return out
}

func parting(hops []cluster.Hop) string {
	first, last, longest := hops[0].At, hops[0].At, time.Duration(0)
	for _, h := range hops {
		if h.At.Before(first) {
			first = h.At
		}
		if h.At.After(last) {
			last = h.At
		}
		longest = max(longest, h.Away)
	}
	return fmt.Sprintf("%s left within %s, away for %s at most", count(len(hops), "client"), Round(last.Sub(first)), Round(longest))
}
