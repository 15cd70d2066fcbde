package upgrade

import (
	"fmt"
	"math"
	"slices"

	"nats-roll/cluster"
)

// Even holds when no server has many more clients than its fair share: four standard
// deviations of what chance does.
type Even struct{ Nodes []cluster.Node }

func (c Even) String() string {
	return fmt.Sprintf("%s have about the same number of clients", List(names(c.Nodes)))
}

// Eval asks the fleet.
func (c Even) Eval(o cluster.Observation) Verdict {
	clients := o.Fleet.On()
	_, most, all := fullest(clients, c.Nodes)
	if all == 0 {
		return unknown("no word from the clients")
	}
	fair := float64(all) / float64(len(c.Nodes))
	if float64(most) > fair+4*math.Sqrt(fair*(1-1/float64(len(c.Nodes))))+1 {
		return no(on(clients, c.Nodes))
	}
	return yes(on(clients, c.Nodes))
}

// Warned holds when so many clients have been told that their server is going to end.
type Warned struct{ Clients int }

func (c Warned) String() string { return "clients have been told that their server is going to end" }

// Eval counts them.
func (c Warned) Eval(o cluster.Observation) Verdict {
	n := 0
	for _, cl := range o.Fleet.Clients {
		if cl.Errors[lameDuckError] > 0 {
			n++
		}
	}
	if n < c.Clients {
		return no(fmt.Sprintf("%d have", n))
	}
	return yes(fmt.Sprintf("%d of %d", n, len(o.Fleet.Clients)))
}

// lameDuckError is what the fleet counts when a client is told so.
const lameDuckError = "lame duck mode"

// members are the clients of a party that have come.
func members(f cluster.Fleet, party string) []cluster.Client {
	return slices.DeleteFunc(slices.Clone(f.Clients), func(c cluster.Client) bool { return c.Party != party })
}

// PartyIs holds when every member of a party is in this state, after having lost its
// server this often at least.
type PartyIs struct {
	Party   string
	Members int
	Status  cluster.ClientStatus
	Lost    int
}

func (c PartyIs) String() string {
	switch {
	case c.Status == cluster.ClientClosed:
		return fmt.Sprintf("the %d %s clients have given up for good", c.Members, c.Party)
	case c.Lost > 0:
		return fmt.Sprintf("the %d %s clients are back", c.Members, c.Party)
	}
	return fmt.Sprintf("the %d %s clients are connected", c.Members, c.Party)
}

// Eval asks the fleet.
func (c PartyIs) Eval(o cluster.Observation) Verdict {
	n := 0
	why := ""
	for _, cl := range members(o.Fleet, c.Party) {
		if cl.Status == c.Status && cl.Disconnects >= c.Lost {
			n++
			if cl.Status == cluster.ClientClosed {
				why = cl.Err
			}
		}
	}
	if n < c.Members {
		return no(fmt.Sprintf("%d of %d", n, c.Members))
	}
	return yes(fmt.Sprintf("%d of %d%s", n, c.Members, because(why)))
}
