package fleet

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"nats-roll/cluster"
)

// change applies a connection change and has it told soon. What Close causes is
// no news.
func (c *client) change(apply func()) {
	if c.fleet.closing.Load() {
		return
	}
	c.mu.Lock()
	c.changes++
	apply()
	c.mu.Unlock()
	c.fleet.teller.news()
}

// arrived is called when the client has a server, for the first time or again.
func (c *client) arrived(nc *nats.Conn) {
	at := nc.ConnectedUrl()
	if at == "" {
		return // lost again before this was called: it was never quite there
	}
	now := time.Now()
	c.change(func() {
		f := &c.facts
		var away time.Duration
		if f.Status == cluster.ClientAway {
			away = now.Sub(f.AwaySince)
			f.Reconnects++
			f.LastAway, f.LongestAway, f.TotalAway = away, max(f.LongestAway, away), f.TotalAway+away
			c.fleet.away.record(away)
		}
		f.Status, f.Node, f.AwaySince, f.Err = cluster.ClientConnected, c.nodeOf(at), time.Time{}, ""
		f.Trail = append(f.Trail, cluster.Hop{Node: f.Node, At: now, Away: away})
		c.back, c.reached = c.fleet.now(), false
		if len(f.Trail) == 1 {
			close(c.arrival)
		}
	})
	c.unsettle()
}

// unsettle is for the publisher: when it changes servers, what it had under way
// may be lost to everybody. A subscriber knows when it hears something that was
// sent afterwards.
func (c *client) unsettle() {
	if !c.facts.Publish {
		return
	}
	for _, s := range c.fleet.subs {
		s.mu.Lock()
		s.back, s.reached = c.fleet.now(), false
		s.mu.Unlock()
	}
}

// nodeOf names the node of a URL. Ports tell: servers on one machine may be
// known by several addresses.
func (c *client) nodeOf(at string) string {
	u, err := url.Parse(at)
	if err != nil {
		return at
	}
	port, _ := strconv.Atoi(u.Port())
	if n, ok := c.fleet.o.Topology.NodeOfPort(port); ok {
		return n.Name
	}
	return u.Host
}

// lost is called by the read that failed and again by the library's handler,
// which also knows of losses between its being connected and its saying so.
func (c *client) lost(at time.Time, err error) {
	c.mu.Lock()
	news := c.facts.Status == cluster.ClientConnected || c.facts.Status == cluster.ClientAway && c.facts.Err == "" && err != nil
	c.mu.Unlock()
	if !news {
		return
	}
	c.change(func() {
		f := &c.facts
		if f.Status == cluster.ClientConnected {
			f.Status, f.AwaySince, f.Err = cluster.ClientAway, at, ""
			f.Disconnects++
			c.reached = false
		}
		if err != nil {
			f.Err = err.Error()
		}
	})
	c.unsettle()
}

// lameDuck is called when the client's server asks its clients to leave. This
// library calls the handler and stays.
func (c *client) lameDuck(*nats.Conn) {
	c.mu.Lock()
	node := c.facts.Node
	c.mu.Unlock()
	c.complain(fmt.Sprintf("%s is in lame duck mode", node))
}

func (c *client) complain(why string) {
	c.change(func() { c.facts.Err = why })
}

// closed is called once, last: the client will not come back.
func (c *client) closed(nc *nats.Conn) {
	defer c.done.Done()
	err := nc.LastError()
	c.change(func() {
		c.facts.Status = cluster.ClientClosed
		if err != nil {
			c.facts.Err = err.Error()
		}
		if !c.facts.Publish {
			c.pass(&c.greeted, &c.fleet.greeted)
			c.pass(&c.ended, &c.fleet.ended)
		}
	})
}
