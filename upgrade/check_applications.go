package upgrade

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"nats-roll/cluster"
)

// recognition is how long an application is waited for that runs and of whose
// processes no server has a connection: what it starts may run elsewhere, in a
// container perhaps.
const recognition = 5 * time.Second

// Joined holds when an application of the user's runs and is connected.
type Joined struct{ Application string }

func (c Joined) String() string { return c.Application + " is connected" }

// Eval asks the servers for connections of its processes.
func (c Joined) Eval(o cluster.Observation) Verdict {
	a, ok := o.Application(c.Application)
	if !ok {
		return unknown("it was not started")
	}
	if a.Exit != nil {
		return no(parted(a))
	}
	if on := cluster.Through(o.Of(a.Name)).On; len(on) > 0 {
		return yes("on " + List(slices.Sorted(maps.Keys(on))))
	}
	if o.At.Sub(a.Started) >= recognition {
		return yes(fmt.Sprintf("it runs, pid %d; no connection of its processes is seen", a.PID))
	}
	return no("no connection yet")
}

func parted(a cluster.Application) string {
	return fmt.Sprintf("%s has ended: %s%s", a.Name, a.Exit, because(a.Exit.Reason))
}

// both holds when two checks do.
type both [2]Check

func (c both) String() string { return c[0].String() + " and " + c[1].String() }

// Eval asks one after the other.
func (c both) Eval(o cluster.Observation) Verdict {
	if v := c[0].Eval(o); !v.Met {
		return v
	}
	return c[1].Eval(o)
}
