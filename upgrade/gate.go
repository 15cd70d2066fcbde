package upgrade

import (
	"fmt"
	"strings"
	"time"

	"nats-roll/cluster"
)

// Gates that a version and a single "ok" do not open.

// Renewed holds when a node's server is another process than before, of this build,
// and says so itself.
type Renewed struct {
	Node  string
	Build cluster.Build
}

func (c Renewed) String() string { return fmt.Sprintf("%s is a new process of %s", c.Node, c.Build) }

// Eval compares the server's own id and start with those of the process before.
func (c Renewed) Eval(o cluster.Observation) Verdict {
	if v := Running(c).Eval(o); !v.Met {
		return v
	}
	s, _ := o.Server(c.Node)
	a := s.Answer
	switch {
	case s.Was == "":
		return no("it was not restarted")
	case a.ServerID == s.Was:
		return no("/varz: still the server id " + short(a.ServerID))
	case s.Process.Started.Sub(a.Start) > time.Second: // the server writes it in its own words, and rounds
		return no("/varz: it started before its process did")
	}
	return yes(fmt.Sprintf("/varz: %s, id %s (before: %s), started %s", a.Version, short(a.ServerID), short(s.Was), a.Start.Local().Format("15:04:05.000")))
}

// short is the part of a server id that a person compares.
func short(id string) string { return id[:min(len(id), 8)] }

// LameDuckSet holds when the node's configuration says how long lame duck mode lasts.
type LameDuckSet struct{ Node string }

func (c LameDuckSet) String() string {
	return c.Node + "'s configuration says how long lame duck mode lasts"
}

// Eval reads the file.
func (c LameDuckSet) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	if !strings.Contains(s.Config, shortLameDuckConfig) {
		return no(cluster.ConfigFile + " does not; two minutes, and ten seconds before the first client is closed")
	}
	return yes(cluster.ConfigFile + ": " + strings.ReplaceAll(strings.TrimSpace(shortLameDuckConfig), "\n", ", "))
}

// Left holds when a server in lame duck mode has ended by itself. It tells when that
// was to be expected by its number of clients, and when it was.
type Left struct{ Node string }

func (c Left) String() string { return c.Node + " ends by itself when its clients are gone" }

// Eval compares the end with the prediction. A server that keeps streams hands them
// over first, which takes longer if it has not caught up with them.
func (c Left) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	e := s.Process.Exit
	least, most := LameDuckOf(s)
	predicted := fmt.Sprintf("%s, so %s to %s", count(s.Drained, "client"), Round(least), Round(most))
	switch {
	case e == nil:
		return no("it has " + predicted)
	case s.Process.Stop != cluster.StopLameDuck:
		return no("it was stopped otherwise")
	case e.Forced:
		return no("it did not, and was killed after " + Round(e.After))
	}
	said := fmt.Sprintf("it had %s; seen: %s", predicted, Round(e.After))
	if e.After > most+time.Second {
		said += ", later than predicted"
		if !s.Answer.JetStream.Asked.IsZero() {
			said += ": it handed its streams over first"
		}
	}
	return yes(said)
}

// Ignores holds when a server in lame duck mode has gone on in spite of SIGTERM.
type Ignores struct{ Node string }

func (c Ignores) String() string { return c.Node + " takes no notice of SIGTERM meanwhile" }

// Eval compares when it was sent with the end.
func (c Ignores) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	p := s.Process
	switch {
	case p.Ignored.IsZero() && p.Exit != nil && p.Stop == cluster.StopLameDuck:
		return yes("nothing to be seen: it was gone before SIGTERM was sent, " + Round(p.Exit.After) + " after SIGUSR2")
	case p.Ignored.IsZero():
		return no("it was not sent yet")
	case p.Exit == nil:
		return no("it goes on")
	case p.Exit.At.Sub(p.Ignored) < stays:
		return no(fmt.Sprintf("it ended %s after it", Round(p.Exit.At.Sub(p.Ignored))))
	}
	return yes(fmt.Sprintf("sent %s after SIGUSR2; the server went on for another %s", Round(p.Ignored.Sub(p.Asked)), Round(p.Exit.At.Sub(p.Ignored))))
}

// stays is how much longer than after any other SIGTERM a server has to live to have
// ignored it.
const stays = 250 * time.Millisecond
