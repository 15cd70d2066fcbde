package rehearsal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// Deed is something that was done: by the plan, with a key, by hand. The list of
// them only grows; what it says of one is filled in when that is over.
type Deed struct {
	upgrade.Deed
	By      upgrade.Doer
	Step    string // the id of the step it belongs to, if it belongs to one
	Command string // as it would be typed; or words, where nobody could type it
	At      time.Time
	Over    bool
	Took    time.Duration
	Reason  string // why it failed, if it did
}

// deeds is the list after an event. It is asked before the event is folded into
// the world.
func (s State) deeds(at time.Time, e cluster.Event) []Deed {
	add := func(d Deed) []Deed {
		d.At = at
		i := len(s.Deeds)
		for d.Step == "" && i > 0 && s.Deeds[i-1].Step != "" && s.Deeds[i-1].At.Equal(at) {
			i-- // of what was begun at one moment, what belongs to no step comes first
		}
		return slices.Insert(slices.Clone(s.Deeds), i, d)
	}
	switch e := e.(type) {
	case upgrade.Doing:
		return add(Deed{Deed: e.Deed, By: e.By, Step: e.Step, Command: e.Command})
	case Typed: // of an older recording
		return add(Deed{By: upgrade.DoerKey, Command: e.Command})
	case upgrade.Done:
		i := s.lastDeed(func(d Deed) bool { return !d.Over && d.Command == e.Command })
		if i < 0 {
			return s.Deeds
		}
		out := slices.Clone(s.Deeds)
		out[i].Over, out[i].Took, out[i].Reason = true, e.Took, e.Reason
		return out
	case cluster.Started:
		if p := e.Process; p.Guest {
			args := p.Args[min(1, len(p.Args)):]
			return add(Deed{
				By: upgrade.DoerHand, Over: true, Command: "nats-server " + strings.Join(args, " "),
				Deed: upgrade.Deed{Verb: upgrade.VerbStart, Node: e.Node, Args: args},
			})
		}
	case cluster.Installed:
		srv, _ := s.World.Server(e.Node)
		ours := s.lastDeed(func(d Deed) bool { return !d.Over && d.Verb == upgrade.VerbReplace && d.Node == e.Node }) >= 0
		if !ours && !srv.Disk.Zero() && srv.Disk.SHA256 != e.Build.SHA256 {
			return add(Deed{
				By: upgrade.DoerHand, Over: true, Command: fmt.Sprintf("the file of %s became %s", e.Node, e.Build),
				Deed: upgrade.Deed{Verb: upgrade.VerbReplace, Node: e.Node, Build: e.Build},
			})
		}
	case cluster.Exited:
		if !e.Exit.Asked {
			return add(Deed{
				By: upgrade.DoerUnasked, Over: true, Command: fmt.Sprintf("%s ended: %s", e.Node, e.Exit),
				Deed: upgrade.Deed{Verb: upgrade.VerbStop, Node: e.Node, Stop: stopOf(e.Exit.Signal)},
			})
		}
	}
	return s.Deeds
}

// stopOf is the way to stop a server that sends this signal; none if there is no
// such way.
func stopOf(signal string) cluster.Stop {
	for _, how := range cluster.Stops {
		if how.Signal() == signal {
			return how
		}
	}
	return ""
}

func (s State) lastDeed(is func(Deed) bool) int {
	for i, d := range slices.Backward(s.Deeds) {
		if is(d) {
			return i
		}
	}
	return -1
}
