package upgrade

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"nats-roll/cluster"
)

// Checks on JetStream as a whole: the meta group, which is all servers that have it,
// and what each of them has stored.

// majority is how many of a group must be there for it to decide anything.
func majority(size int) int { return size/2 + 1 }

// metaLeader is who leads the meta group; why is empty if somebody does.
func metaLeader(o cluster.Observation) (leader cluster.Server, why Verdict) {
	leader, ok := o.MetaLeader()
	if ok {
		return leader, Verdict{}
	}
	for _, s := range o.Servers {
		if s.Process.Alive() && !s.Answer.JetStream.Asked.IsZero() {
			return leader, no("/jsz: no server leads it")
		}
	}
	return leader, unknown("no server has told of it yet")
}

func offline(m cluster.Meta) (out []string) {
	for _, r := range m.Replicas {
		if r.Offline {
			out = append(out, r.Node)
		}
	}
	return out
}

// groupOf tells of the group in its leader's eyes.
func groupOf(leader cluster.Server) string {
	m := leader.Answer.JetStream.Meta
	s := fmt.Sprintf("/jsz of %s, which leads: %d members", leader.Node.Name, m.Size)
	if away := offline(m); len(away) > 0 {
		s += fmt.Sprintf(", %s offline", List(away))
	}
	return s
}

// Quorum holds when the meta group keeps its majority without this server, counted
// by what its leader says: (size − offline − 1) ≥ size/2 + 1.
type Quorum struct{ Without string }

func (c Quorum) String() string { return "JetStream keeps its majority without " + c.Without }

// Eval counts. A server that is offline already is not counted twice.
func (c Quorum) Eval(o cluster.Observation) Verdict {
	leader, why := metaLeader(o)
	if leader.Node.Name == "" {
		return why
	}
	m := leader.Answer.JetStream.Meta
	away := offline(m)
	if !slices.Contains(away, c.Without) {
		away = append(away, c.Without)
	}
	left, need := m.Size-len(away), majority(m.Size)
	detail := fmt.Sprintf("%s; without %s %d are left, %d are needed", groupOf(leader), c.Without, left, need)
	if left < need {
		return no(detail)
	}
	return yes(detail)
}

// MetaWhole holds when the meta group is these servers, all of them name one leader,
// and in its eyes all are current. What followers say of each other does not count.
type MetaWhole struct{ Nodes []string }

func (c MetaWhole) String() string {
	return fmt.Sprintf("JetStream's group is %s, and all are current", List(c.Nodes))
}

// Eval asks the leader.
func (c MetaWhole) Eval(o cluster.Observation) Verdict {
	leader, why := metaLeader(o)
	if leader.Node.Name == "" {
		return why
	}
	m := leader.Answer.JetStream.Meta
	if m.Size != len(c.Nodes) || len(offline(m)) > 0 {
		return no(groupOf(leader))
	}
	for _, n := range c.Nodes {
		s, _ := o.Server(n)
		said := s.Answer.JetStream
		i := slices.IndexFunc(m.Replicas, func(r cluster.Replica) bool { return r.Node == n })
		switch {
		case said.Asked.IsZero():
			return unknown("no word from " + n)
		case said.Meta.Leader != leader.Node.Name:
			return no(fmt.Sprintf("%s does not know yet that %s leads", n, leader.Node.Name))
		case n == leader.Node.Name:
		case i < 0:
			return no(fmt.Sprintf("%s; %s is none of them", groupOf(leader), n))
		case !m.Replicas[i].Current:
			return no(fmt.Sprintf("%s; %s is not current", groupOf(leader), n))
		}
	}
	return yes(fmt.Sprintf("%s; %d are needed to decide", groupOf(leader), majority(m.Size)))
}

// Leads holds when a server leads the meta group.
type Leads struct{ Node string }

func (c Leads) String() string { return c.Node + " leads JetStream's group" }

// Eval asks who does.
func (c Leads) Eval(o cluster.Observation) Verdict {
	leader, why := metaLeader(o)
	switch leader.Node.Name {
	case "":
		return why
	case c.Node:
		return yes(groupOf(leader))
	}
	return no(leader.Node.Name + " does")
}

// Last holds when a server does not lead the meta group, or when all others have had
// their turn.
type Last struct {
	Node   string
	Others []Restarted
}

func (c Last) String() string { return c.Node + " does not lead JetStream's group, or is the last" }

// Eval asks who leads, and what the others run.
func (c Last) Eval(o cluster.Observation) Verdict {
	leader, why := metaLeader(o)
	switch leader.Node.Name {
	case "":
		return why
	case c.Node:
	default:
		return yes(leader.Node.Name + " leads")
	}
	for _, other := range c.Others {
		if v := other.Eval(o); !v.Met {
			return no(fmt.Sprintf("%s leads, and %s has not had its turn", c.Node, other.Node))
		}
	}
	return yes(c.Node + " leads, and all others have had their turn")
}

// LedElsewhere holds when the meta group and every stream with several copies is led
// by another server.
type LedElsewhere struct{ Node string }

func (c LedElsewhere) String() string { return "other servers than " + c.Node + " lead" }

// Eval tells who led before.
func (c LedElsewhere) Eval(o cluster.Observation) Verdict {
	leader, why := metaLeader(o)
	switch leader.Node.Name {
	case "":
		return why
	case c.Node:
		return no(c.Node + " leads the group")
	}
	if len(o.Fleet.Streams) == 0 {
		return unknown("the streams were not asked for yet")
	}
	words := []string{"the group " + leader.Node.Name}
	for _, s := range o.Fleet.Streams {
		switch {
		case s.Copies < 2:
		case s.Leader == "":
			return no(s.Name + " has no leader")
		case s.Leader == c.Node:
			return no(c.Node + " leads " + s.Name)
		case len(s.Led) > 1 && s.Led[len(s.Led)-2] == c.Node:
			words = append(words, fmt.Sprintf("%s %s → %s", s.Name, c.Node, s.Leader))
		default:
			words = append(words, s.Name+" "+s.Leader)
		}
	}
	return yes(strings.Join(words, ", "))
}

// written is for how long a stream may have been written to between two servers'
// answers, beside what their times say.
const written = 100 * time.Millisecond

// SameCopies holds when every server has as many messages of a stream with several copies
// as the others: in its own words, and not in its leader's. Servers are asked one by
// one; while a stream is written to, they may differ by what was written meanwhile.
type SameCopies struct{ Nodes []string }

func (c SameCopies) String() string { return "leaders and followers have the same messages" }

// Eval compares what the servers say of their own copies.
func (c SameCopies) Eval(o cluster.Observation) Verdict {
	if len(o.Fleet.Streams) == 0 {
		return unknown("the streams were not asked for yet")
	}
	var first, last time.Time
	for _, n := range c.Nodes {
		s, _ := o.Server(n)
		at := s.Answer.JetStream.Asked
		if at.IsZero() {
			return unknown("no word from " + n)
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	var words []string
	for _, st := range o.Fleet.Streams {
		if st.Copies < 2 {
			continue
		}
		var has []string
		low, high := ^uint64(0), uint64(0)
		for _, n := range c.Nodes {
			s, _ := o.Server(n)
			i := slices.IndexFunc(s.Answer.JetStream.Stores, func(x cluster.Store) bool { return x.Stream == st.Name })
			if i < 0 {
				return no(fmt.Sprintf("/jsz of %s does not list %s", n, st.Name))
			}
			m := s.Answer.JetStream.Stores[i].Messages
			low, high = min(low, m), max(high, m)
			has = append(has, fmt.Sprintf("%s %d", n, m))
		}
		said := fmt.Sprintf("%s %d each", st.Name, high)
		if low != high {
			said = st.Name + " " + strings.Join(has, ", ")
		}
		if between := uint64(float64(o.Fleet.Stored.Rate) * (last.Sub(first) + written).Seconds()); high-low > between || high != low && (st.Put > 0 || o.Fleet.Settled) {
			return no(said)
		} else if high != low {
			said += " (it is written to meanwhile)"
		}
		words = append(words, said)
	}
	return yes("/jsz: " + strings.Join(words, "; "))
}

// Single holds when a stream that only one server has does not answer while that is
// away, and all others do.
type Single struct{ Away string }

func (c Single) String() string { return "what only " + c.Away + " has does not answer, the rest does" }

// Eval asks for the samples.
func (c Single) Eval(o cluster.Observation) Verdict {
	var words []string
	for _, s := range o.Fleet.Streams {
		away := s.Copies == 1 && s.Home() == c.Away
		switch {
		case s.Put == 0:
			continue
		case away && s.Leader != "":
			return no(fmt.Sprintf("%s answers, although only %s has it", s.Name, c.Away))
		case away:
			words = append(words, s.Name+" does not answer")
		case s.Leader == "":
			return no(s.Name + " does not answer")
		default:
			words = append(words, fmt.Sprintf("%s, led by %s, has %d", s.Name, s.Leader, s.Messages))
		}
	}
	if len(words) == 0 {
		return unknown("the streams were not asked for yet")
	}
	return yes(strings.Join(words, ", "))
}

// Remembered holds when every sample has the messages that were put in, but for one
// in the memory of a single server that was restarted: that one has none.
type Remembered struct{}

func (Remembered) String() string {
	return "only what was in one server's memory alone is gone"
}

// Eval counts the samples' messages.
func (Remembered) Eval(o cluster.Observation) Verdict {
	var words []string
	for _, s := range o.Fleet.Streams {
		if s.Put == 0 {
			continue
		}
		want := s.Put
		if home, _ := o.Server(s.Home()); s.Memory && s.Copies == 1 && home.Process.Started.After(s.Filled) {
			want = 0
		}
		said := fmt.Sprintf("%s %d of %d", s.Name, s.Messages, s.Put)
		switch {
		case s.Leader == "":
			return no(s.Name + " does not answer")
		case s.Messages != want:
			return no(said)
		}
		words = append(words, said)
	}
	if len(words) == 0 {
		return unknown("the streams were not asked for yet")
	}
	return yes(strings.Join(words, ", "))
}

// fresh is how old the newest acknowledgement may be.
const fresh = time.Second

// Acking holds when messages to the stream are acknowledged just now.
type Acking struct{}

func (Acking) String() string { return "messages to the stream are acknowledged" }

// Eval looks at the newest acknowledgement.
func (Acking) Eval(o cluster.Observation) Verdict {
	s := o.Fleet.Stored
	if s.LastAck.IsZero() {
		return unknown("none was acknowledged yet")
	}
	if ago := o.Fleet.At.Sub(s.LastAck); ago > fresh {
		return no("the last one " + Round(ago) + " ago")
	}
	return yes(stalled(s))
}

func stalled(s cluster.Stored) string {
	n := s.Stalls + s.KVStalls
	if n == 0 {
		return fmt.Sprintf("%d so far, none took longer than %s", s.Acked, Round(cluster.StallFrom))
	}
	return fmt.Sprintf("%d so far; %s longer than %s or twice to write, %s at most", s.Acked, took(n), Round(cluster.StallFrom), Round(max(s.StallMax, s.KVStallMax)))
}

func took(n uint64) string {
	if n == 1 {
		return "1 message or value took"
	}
	return fmt.Sprintf("%d messages and values took", n)
}

// Halted holds when nothing has been acknowledged for so long, and no stream has a
// leader.
type Halted struct{ For time.Duration }

func (c Halted) String() string {
	return fmt.Sprintf("no stream is led or written to for %g s", c.For.Seconds())
}

// Eval looks at the streams and at the newest acknowledgement.
func (c Halted) Eval(o cluster.Observation) Verdict {
	s := o.Fleet.Stored
	if s.LastAck.IsZero() || len(o.Fleet.Streams) == 0 {
		return unknown("")
	}
	for _, st := range o.Fleet.Streams {
		if st.Copies > 1 && st.Leader != "" {
			return no(fmt.Sprintf("%s still leads %s", st.Leader, st.Name))
		}
	}
	ago := o.Fleet.At.Sub(s.LastAck)
	if ago < c.For {
		return no("the last one " + Round(ago.Truncate(time.Second)) + " ago")
	}
	return yes(fmt.Sprintf("%d attempts timed out, %d were refused so far", s.TimedOut, s.Refused))
}

// Unwell holds when a server says on /healthz that it is not well, and tells how long
// it took to say so.
type Unwell struct {
	Node  string
	After string // whose end is the cause
}

func (c Unwell) String() string { return "/healthz of " + c.Node + " says no" }

// Eval compares the first such answer with the other server's end.
func (c Unwell) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	other, _ := o.Server(c.After)
	switch {
	case s.Condition() != cluster.Up:
		return notUp(s)
	case other.Process.Exit == nil:
		return no(c.After + " has not ended")
	}
	ended := other.Process.Exit.At
	if s.Answer.Healthy {
		return no(fmt.Sprintf("it still says ok, %d s after the majority was gone", int(s.Answer.Began.Sub(ended).Seconds())))
	}
	return yes(fmt.Sprintf("it said ok for another %s; now: %s", Round(max(0, s.Unwell.Sub(ended))), s.Answer.Health))
}

// Ghost holds when a server that is gone is still a member of the meta group.
type Ghost struct {
	Node string
	Size int
}

func (c Ghost) String() string {
	return fmt.Sprintf("%s is gone, and still one of %d members", c.Node, c.Size)
}

// Eval asks the leader, and counts what is left.
func (c Ghost) Eval(o cluster.Observation) Verdict {
	leader, why := metaLeader(o)
	if leader.Node.Name == "" {
		return why
	}
	m := leader.Answer.JetStream.Meta
	if m.Size != c.Size || !slices.Contains(offline(m), c.Node) {
		return no(groupOf(leader))
	}
	left, need := m.Size-len(offline(m)), majority(m.Size)
	return yes(fmt.Sprintf("%s; %d are needed to decide and %d are left: %s may be away besides it", groupOf(leader), need, left, atMost(left-need)))
}

func atMost(n int) string {
	switch {
	case n <= 0:
		return "none"
	case n == 1:
		return "one"
	}
	return fmt.Sprint(n)
}

// StreamsSum tells what the streams went through once all is over.
type StreamsSum struct{}

func (StreamsSum) String() string { return "what the streams went through is known" }

// Eval sums.
func (StreamsSum) Eval(o cluster.Observation) Verdict {
	s := o.Fleet.Stored
	if !s.Looked {
		return unknown("they were not looked at yet")
	}
	words := []string{stalled(s)}
	for _, st := range o.Fleet.Streams {
		switch {
		case st.Copies > 1 && len(st.Led) > 1:
			words = append(words, fmt.Sprintf("%s was led by %s", st.Name, strings.Join(st.Led, ", ")))
		case st.Put > st.Messages:
			words = append(words, fmt.Sprintf("%s has lost %d of %d messages", st.Name, st.Put-st.Messages, st.Put))
		}
	}
	return yes(strings.Join(words, "; "))
}
