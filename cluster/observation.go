package cluster

import (
	"slices"
	"time"
)

// Observation is the newest known fact of each kind about each server and the
// fleet: what checks are evaluated on.
type Observation struct {
	At      time.Time `json:"at"`
	Servers []Server  `json:"servers"` // in the topology's order
	Fleet   Fleet     `json:"fleet"`

	Followed     []Stranger    `json:"followed,omitempty"` // every stranger, in the order in which they came
	Applications []Application `json:"applications,omitempty"`
}

// Server is what is known of one node's server.
type Server struct {
	Node       Node       `json:"node"`
	Disk       Build      `json:"disk"`                // the file in the slot
	Spoilt     string     `json:"spoilt,omitempty"`    // why that file is no server
	Config     string     `json:"config,omitempty"`    // ConfigFile in the slot
	Occupied   bool       `json:"occupied,omitempty"`  // nats-roll itself listens on its client port
	Inspection Inspection `json:"inspection,omitzero"` // of the build that is to be next
	Process    Process    `json:"process"`             // the newest one; zero before the first start
	Starts     int        `json:"starts"`
	Answer     Answer     `json:"answer"`          // the newest of this process; see Known
	Was        string     `json:"was,omitempty"`   // the server id of the process before
	Unwell     time.Time  `json:"unwell,omitzero"` // since when /healthz says no; zero while it says yes
	Silent     time.Time  `json:"silent"`          // since when it answers nothing; zero while it answers
	Why        string     `json:"why,omitempty"`
	Usage      Usage      `json:"usage"`
	Refused    []LogLine  `json:"refused,omitempty"` // this process's complaints about peers that do not listen
	Failed     []LogLine  `json:"failed,omitempty"`  // this process's words about a configuration or a store that it could not use
	Greeted    []LogLine  `json:"greeted,omitempty"` // the newest of its lines that say that a client came
	Debug      string     `json:"debug,omitempty"`   // its first line at level debug
	Drained    int        `json:"drained"`           // clients it had when lame duck was asked for
	Refusal    string     `json:"refusal,omitempty"` // why it was not started since the newest process
	Damage     string     `json:"damage,omitempty"`  // how what it has stored was damaged on purpose
	Signal     Signal     `json:"signal,omitempty"`  // what this process was sent last, not to end it
	SignalAt   time.Time  `json:"signal_at,omitzero"`
}

// Observe begins an observation of a topology of which nothing is known.
func Observe(t Topology) Observation {
	o := Observation{}
	for _, n := range t.Nodes {
		o.Servers = append(o.Servers, Server{Node: n})
	}
	return o
}

// Server finds a node's server.
func (o Observation) Server(name string) (Server, bool) {
	for _, s := range o.Servers {
		if s.Node.Name == name {
			return s, true
		}
	}
	return Server{}, false
}

// Since keeps of each answer and of the fleet only what was asked for at or
// after t. Process facts stay: they are told when they happen; and so do those
// about strangers, which are as old as the answers that they were taken from. That
// there is no client any more is such a fact.
func (o Observation) Since(t time.Time) Observation {
	o.Servers = slices.Clone(o.Servers)
	for i := range o.Servers {
		if o.Servers[i].Answer.Began.Before(t) {
			o.Servers[i].Answer = Answer{}
		} else if o.Servers[i].Answer.JetStream.Asked.Before(t) {
			o.Servers[i].Answer.JetStream = JetStream{}
		}
	}
	if o.Fleet.At.Before(t) && len(o.Fleet.Clients) > 0 {
		o.Fleet = Fleet{}
	}
	if o.Fleet.Asked.Before(t) {
		o.Fleet.Streams = nil
	}
	return o
}

// Peers lists the nodes that the named server has routes with, by distinct
// remote id, and how many route connections each has. An id that no live server
// answers to (one that has just restarted) is left out.
func (o Observation) Peers(name string) map[string]int {
	links := o.Links(name)
	if links == nil {
		return nil
	}
	out := map[string]int{}
	for node, p := range links {
		out[node] = p.Routes
	}
	return out
}

// Links is Peers with all that the named server says of each.
func (o Observation) Links(name string) map[string]Peer {
	s, ok := o.Server(name)
	if !ok || !s.Process.Alive() {
		return nil
	}
	out := map[string]Peer{}
	for _, p := range s.Answer.Peers {
		for _, other := range o.Servers {
			if other.Process.Alive() && other.Answer.ServerID == p.ID {
				out[other.Node.Name] = p
			}
		}
	}
	return out
}

// MetaLeader is the server that leads the meta group: it says so itself, and where
// two do, most of the others say so.
func (o Observation) MetaLeader() (Server, bool) {
	named := map[string]int{}
	for _, s := range o.Servers {
		if s.Process.Alive() {
			named[s.Answer.JetStream.Meta.Leader]++
		}
	}
	var leader Server
	votes := 0
	for _, s := range o.Servers {
		if n := s.Node.Name; s.Process.Alive() && s.Answer.JetStream.Meta.Leader == n && named[n] > votes {
			leader, votes = s, named[n]
		}
	}
	return leader, votes > 0
}

// Alive lists the nodes whose process lives.
func (o Observation) Alive() []string {
	var out []string
	for _, s := range o.Servers {
		if s.Process.Alive() {
			out = append(out, s.Node.Name)
		}
	}
	return out
}

// Condition is the state of a server in one word; see Server.Condition.
type Condition string

// The conditions of a server.
const (
	NotStarted Condition = "not started"
	Starting   Condition = "starting"
	Up         Condition = "up"
	Draining   Condition = "lame duck"
	Stopping   Condition = "stopping"
	Frozen     Condition = "no answer" // alive, was up, and does not answer
	Down       Condition = "down"      // ended as somebody asked it to
	Crashed    Condition = "died"      // ended otherwise
)

// Condition is what this server's newest facts come to.
func (s Server) Condition() Condition {
	p := s.Process
	switch {
	case p.PID == 0:
		return NotStarted
	case p.Exit != nil && (p.Exit.Asked || p.Guest || p.Exit.Code == 0 && s.Answer.Known()):
		return Down // of its own or of somebody else's accord, but in good order
	case p.Exit != nil:
		return Crashed
	case p.Stop == StopLameDuck:
		return Draining
	case p.Stop != "":
		return Stopping
	case !s.Silent.IsZero() && s.Answer.Known():
		return Frozen
	case !s.Answer.Known():
		return Starting
	default:
		return Up
	}
}

// RestartPending says that the file in the slot is another build than the one
// that runs: the classic forgotten restart.
func (s Server) RestartPending() bool {
	return s.Process.Alive() && !s.Disk.Zero() && !s.Disk.Same(s.Process.Build)
}
