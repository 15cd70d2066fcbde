package fleet

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"nats-roll/cluster"
)

const (
	// flushing is how long the first server may take to confirm a subscription.
	flushing = 10 * time.Second

	// closeGrace is how long a close may try to write what is buffered.
	closeGrace = time.Second
)

// client is one connection. Its goroutines are the library's: messages come on
// one, connection changes on another, in order, and the first sign of a loss on
// the reading one.
//
// Away times begin with the read that failed and end in the library's reconnect
// handler, which is queued once the subscriptions were sent anew: late by the
// scheduling of one goroutine, microseconds as a rule. They are never too short.
type client struct {
	fleet *Fleet
	nc    *nats.Conn // set by connect, before anyone else uses it
	link  atomic.Pointer[link]

	ready   chan struct{}  // closed when connect is through
	arrival chan struct{}  // closed when it was first connected
	done    sync.WaitGroup // the library's goroutines that call in here

	mu      sync.Mutex
	facts   cluster.Client // all but Known and the ledger's counts, which are kept apart
	known   []string
	ledger  ledger
	back    time.Duration // when it came back, on the clock in messages
	reached bool          // by a message that was sent since
	greeted bool
	ended   bool
	changes uint64 // counts what happened, so that nothing unchanged is told
}

func newClient(f *Fleet, facts cluster.Client) *client {
	return &client{fleet: f, facts: facts, ready: make(chan struct{}), arrival: make(chan struct{})}
}

// connect brings the client to a node and, a subscriber, has the server confirm
// its subscription.
func (c *client) connect(ctx context.Context, n cluster.Node) error {
	fail := func(err error) error {
		return fmt.Errorf("connect %s to %s at %s: %w", c.facts.Name, n.Name, n.ClientURL(), err)
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	c.done.Add(1) // until the closed handler, which is the last to be called
	nc, err := nats.Connect(n.ClientURL(), c.options()...)
	if err != nil {
		c.done.Done()
		return fail(err)
	}
	c.nc = nc
	if !c.facts.Publish {
		if err := c.subscribe(); err != nil {
			return fail(err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, flushing)
	defer cancel()
	if err := nc.FlushWithContext(ctx); err != nil {
		return fail(err)
	}
	select {
	case <-c.arrival:
		close(c.ready)
		return nil
	case <-ctx.Done():
		return fail(ctx.Err())
	}
}

func (c *client) subscribe() error {
	sub, err := c.nc.Subscribe(c.facts.Subject, c.receive)
	if err != nil {
		return err
	}
	c.done.Add(1)
	sub.SetClosedHandler(func(string) { c.done.Done() })
	// The ledger counts what the servers delivered; the client must not drop
	// any of it for being slow.
	return sub.SetPendingLimits(-1, -1)
}

// options are the library's defaults but for one: a client gives up on a server
// after 60 attempts, about two minutes where it knows only that one, and then
// closes for good. A person reading between two steps takes longer.
func (c *client) options() []nats.Option {
	return []nats.Option{
		nats.Name(c.facts.Name),
		nats.MaxReconnects(-1),
		nats.SetCustomDialer(dialer{c}),
		nats.ConnectHandler(c.arrived),
		nats.ReconnectHandler(c.arrived),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { c.lost(time.Now(), err) }),
		nats.DiscoveredServersHandler(func(*nats.Conn) { c.fleet.teller.news() }),
		nats.LameDuckModeHandler(c.lameDuck),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { c.complain(err.Error()) }),
		nats.ClosedHandler(c.closed),
	}
}

// receive takes every message the connection hands over.
func (c *client) receive(msg *nats.Msg) {
	m, ours := parse(msg.Data, c.fleet.run)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	c.facts.Delivered++
	if !ours {
		return
	}
	// What was sent before it came back may have waited in a queue.
	if c.facts.Status == cluster.ClientConnected && m.sent >= c.back {
		c.reached = true
	}
	switch m.kind {
	case number:
		c.ledger.observe(m.seq)
	case hello:
		c.pass(&c.greeted, &c.fleet.greeted)
	case end:
		c.pass(&c.ended, &c.fleet.ended)
	}
}

// pass counts the client at a gate, once. The client's lock is held.
func (c *client) pass(passed *bool, g *gate) {
	if !*passed {
		*passed = true
		g.pass()
	}
}

// settle says that nothing is in flight any more.
func (c *client) settle(published uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	c.ledger.settle(published)
}

// close closes the connection and waits until nothing calls in here any more.
// A close first writes what is buffered; into a server that has stopped reading
// that can take a minute, so after a while the connection is cut underneath.
func (c *client) close() {
	if c.nc == nil {
		return
	}
	unblock := time.AfterFunc(closeGrace, c.sever)
	defer unblock.Stop()
	c.nc.Close()
	c.done.Wait()
}

// sever cuts the TCP connection.
func (c *client) sever() {
	if l := c.link.Load(); l != nil {
		_ = l.Close()
	}
}
