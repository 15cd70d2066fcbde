package upgrade

import (
	"fmt"
	"slices"
	"strings"

	"nats-roll/cluster"
)

// Replicated holds when every stream has a leader, and each replica is current
// in its leader's eyes: only the leader knows, a follower takes other followers
// for behind. (nats-server server/raft.go Peers)
type Replicated struct{ Nodes []cluster.Node }

func (c Replicated) String() string { return "every stream has a leader, and its replicas are current" }

// Eval reads what the streams' leaders said.
func (c Replicated) Eval(o cluster.Observation) Verdict {
	if len(o.Fleet.Streams) == 0 {
		return unknown("the streams were not asked for yet")
	}
	var words []string
	for _, s := range o.Fleet.Streams {
		if s.Leader == "" {
			return no(s.Name + " has no leader")
		}
		for _, r := range s.Replicas {
			switch {
			case r.Offline:
				return no(fmt.Sprintf("%s: the replica on %s is offline", s.Name, r.Node))
			case !r.Current:
				return no(fmt.Sprintf("%s: the replica on %s is not current", s.Name, r.Node))
			case r.Lag > 0:
				return no(fmt.Sprintf("%s: the replica on %s is %d operations behind", s.Name, r.Node, r.Lag))
			case !slices.ContainsFunc(c.Nodes, func(n cluster.Node) bool { return n.Name == r.Node }):
				return no(fmt.Sprintf("%s: there is a replica on %s, which is none of the permanent servers", s.Name, r.Node))
			}
		}
		words = append(words, fmt.Sprintf("%s led by %s with %s", s.Name, s.Leader, count(len(s.Replicas), "follower")))
	}
	return yes(strings.Join(words, ", "))
}

// Kept holds when every message that was acknowledged is in its stream, once.
// Budgeted: how many may be missing is for a budget to say.
type Kept struct{ Budgeted bool }

func (c Kept) String() string {
	if c.Budgeted {
		return "every acknowledged message was looked up in the stream"
	}
	return "every acknowledged message is in the stream, once"
}

// Eval reads what was found when all was over.
func (c Kept) Eval(o cluster.Observation) Verdict {
	s := o.Fleet.Stored
	switch {
	case !s.Looked:
		return unknown("they were not looked up yet")
	case s.Missing > 0 && !c.Budgeted:
		return no(fmt.Sprintf("%d of %d acknowledged messages are missing", s.Missing, s.Acked))
	case s.Twice > 0:
		return no(fmt.Sprintf("%d are there more than once", s.Twice))
	case s.KVLost:
		return no("the bucket does not have the last value that was acknowledged")
	}
	v := fmt.Sprintf("%d acknowledged, %d found", s.Acked, s.Found)
	if s.Missing > 0 {
		v += fmt.Sprintf(", %d MISSING", s.Missing)
	}
	if s.Unsure > 0 {
		v += fmt.Sprintf("; %d were never acknowledged, nobody knows", s.Unsure)
	}
	return yes(v)
}
