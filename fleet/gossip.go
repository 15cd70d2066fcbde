package fleet

import (
	"slices"
	"sync"
	"time"

	"nats-roll/cluster"
)

// gossip reads what the library knows of the servers: the URL that a client was
// given, and those that servers told it, in the order in which it tries them
// when it loses its server, which goes last. (nats.go selectNextServer)
// A server that left is not among them any more once another has said so. Only a
// never-seen URL calls a handler, so this is read anew for each snapshot.
// (nats.go processInfo)
//
// The library holds a connection's lock while it dials, and while it writes:
// up to a minute at a server that has stopped reading. So the reading is done
// aside, and a snapshot waits for it only a little; what it does not get then is
// in a later one. Only those that write can get stuck, so they have a gossip
// of their own.
type gossip struct {
	clients []*client
	quit    <-chan struct{}
	wait    sync.WaitGroup
	pass    chan struct{} // closed when the pass under way is over; nil without one
}

// hearing is how long a snapshot waits for gossip.
const hearing = 10 * time.Millisecond

// refresh makes a pass over the clients that begins after the call, and returns
// when it is over or time is up.
func (g *gossip) refresh(timeUp <-chan time.Time) {
	for range 2 { // the pass of an earlier snapshot, then our own
		ours := g.pass == nil
		if ours {
			pass := make(chan struct{})
			g.pass = pass
			g.wait.Go(func() {
				defer close(pass)
				g.read()
			})
		}
		select {
		case <-g.pass:
			g.pass = nil
		case <-timeUp:
			return
		}
		if ours {
			return
		}
	}
}

func (g *gossip) read() {
	for _, c := range g.clients {
		select {
		case <-g.quit:
			return
		case <-c.ready:
			c.hear()
		default:
		}
	}
}

// hear reads what the library knows. A client that is away is not asked: it
// learns nothing meanwhile, and is dialing.
func (c *client) hear() {
	c.mu.Lock()
	there := c.facts.Status == cluster.ClientConnected
	c.mu.Unlock()
	if !there {
		return
	}
	urls := c.nc.Load().Servers()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Equal(urls, c.known) {
		c.known = urls
		c.changes++
	}
}
