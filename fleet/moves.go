package fleet

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
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
		if len(f.Trail) == 1 {
			close(c.arrival)
		}
	})
	c.unsettle()
}

// unsettle says that the client has moved, or is gone. When a publisher does,
// what it had under way may be lost to everybody: whoever listens knows when it
// hears something that was sent afterwards.
func (c *client) unsettle() {
	now := c.fleet.now()
	switch {
	case c.hears != nil:
		c.hears.renew(now)
	case c.facts.Role == cluster.RolePublisher:
		for _, l := range c.fleet.listeners {
			l.renew(now)
		}
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
			c.fleet.breaks.note(at)
		}
		if err != nil {
			f.Err = err.Error()
			c.count(kindOf(err))
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
	c.complain(fmt.Sprintf("%s is in lame duck mode", node), "lame duck mode")
}

func (c *client) complain(why, kind string) {
	c.change(func() {
		c.facts.Err = why
		c.count(kind)
	})
}

// count counts an error of a kind. What was told before is not changed. The
// client's lock is held.
func (c *client) count(kind string) {
	m := maps.Clone(c.facts.Errors)
	if m == nil {
		m = map[string]int{}
	}
	m[kind]++
	c.facts.Errors = m
}

// kindOf is what an error is, without whom it befell: "connection reset by peer".
func kindOf(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		err = call.Err
	}
	return strings.TrimPrefix(err.Error(), "nats: ")
}

// closed is called once, last: the client will not come back.
func (c *client) closed(nc *nats.Conn) {
	defer c.done.Done()
	if c.past.Load() == nc {
		return // there is a new one in its place
	}
	err := nc.LastError()
	c.change(func() {
		c.facts.Status = cluster.ClientClosed
		if err != nil {
			c.facts.Err = err.Error()
		}
	})
	if c.hears != nil {
		c.hears.leave()
		c.pass(&c.greeted, c.fleet.everyone(), &c.fleet.greeted)
		c.pass(&c.ended, c.fleet.everyone(), &c.fleet.ended)
	}
}
