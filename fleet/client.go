package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/bits"
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
	at    int                       // the permanent node that it is given
	hears *listener                 // nil for those that are not to hear numbered messages
	party *cluster.Party            // nil for most
	nc    atomic.Pointer[nats.Conn] // set by connect, before anyone else uses it, and by renew
	past  atomic.Pointer[nats.Conn] // the one that renew has closed
	link  atomic.Pointer[link]

	ready   chan struct{}  // closed when connect is through
	arrival chan struct{}  // closed when it was first connected
	done    sync.WaitGroup // the library's goroutines that call in here

	mu      sync.Mutex
	facts   cluster.Client // all but Known, Heard and the ledger's counts, which are kept apart
	known   []string
	heard   map[string]uint64 // by subscription, of a member of a party
	greeted uint64            // a bit for each publisher
	ended   uint64
	changes uint64 // counts what happened, so that nothing unchanged is told
}

func newClient(f *Fleet, facts cluster.Client, at int) *client {
	return &client{fleet: f, at: at, facts: facts, ready: make(chan struct{}), arrival: make(chan struct{})}
}

// connect brings the client to its node and has the server confirm its
// subscriptions.
func (c *client) connect(ctx context.Context) error {
	n := c.fleet.o.Topology.Permanent()[c.at]
	fail := func(err error) error {
		return fmt.Errorf("connect %s to %s at %s: %w", c.facts.Name, n.Name, n.ClientURL(), err)
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	c.done.Add(1) // until the closed handler, which is the last to be called
	nc, err := nats.Connect(c.fleet.o.Topology.GivenURL(c.at, c.behaviour()), c.options()...)
	if err != nil {
		c.done.Done()
		return fail(err)
	}
	c.nc.Store(nc)
	if err := c.subscribe(); err != nil {
		return fail(err)
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
	switch c.facts.Role {
	case cluster.RoleParty:
		return c.attend()
	case cluster.RoleTutorial, cluster.RoleSubscriber, cluster.RoleWildcard:
		return c.listen(c.facts.Subject, "", c.receive)
	case cluster.RoleQueue:
		return errors.Join(c.listen(c.facts.Subject, group, c.receive), c.listen(control, "", c.control))
	case cluster.RoleResponder:
		return c.listen(c.facts.Subject, answering, c.answer)
	default:
	}
	return nil
}

func (c *client) listen(subject, queue string, h nats.MsgHandler) error {
	sub, err := c.nc.Load().QueueSubscribe(subject, queue, h)
	if err != nil {
		return err
	}
	c.done.Add(1)
	sub.SetClosedHandler(func(string) { c.done.Done() })
	// The ledger counts what the servers delivered; the client must not drop
	// any of it for being slow.
	return sub.SetPendingLimits(-1, -1)
}

// behaviour is the workload's, unless the client is of a party or pinned.
func (c *client) behaviour() cluster.Behaviour {
	if c.party != nil {
		return c.party.Behaviour
	}
	b := c.fleet.o.Workload.Behaviour
	if c.facts.Pinned != "" {
		b.All, b.IgnoreDiscovered = false, true
	}
	return b
}

// options are the library's defaults but for one: a client gives up on a server
// after 60 attempts, about two minutes where it knows only that one, and then
// closes for good. A person reading between two steps takes longer.
func (c *client) options() []nats.Option {
	b := c.behaviour()
	options := []nats.Option{
		nats.Name(c.facts.Name),
		nats.MaxReconnects(cmp.Or(b.MaxReconnects, -1)),
		nats.SetCustomDialer(dialer{c}),
		nats.ConnectHandler(c.arrived),
		nats.ReconnectHandler(c.arrived),
		nats.DisconnectErrHandler(func(nc *nats.Conn, err error) {
			if c.past.Load() != nc { // which may say so when there is a new one
				c.lost(time.Now(), err)
			}
		}),
		nats.DiscoveredServersHandler(func(*nats.Conn) { c.fleet.teller.news() }),
		nats.LameDuckModeHandler(c.lameDuck),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { c.complain(err.Error(), kindOf(err)) }),
		nats.ClosedHandler(c.closed),
	}
	if c.party != nil && c.party.User != "" {
		options = append(options, nats.UserInfo(c.party.User, c.party.Password))
	}
	if b.NoRandomize {
		options = append(options, nats.DontRandomize())
	}
	if b.IgnoreDiscovered {
		options = append(options, nats.IgnoreDiscoveredServers())
	}
	return options
}

// receive takes every message the connection hands over.
func (c *client) receive(msg *nats.Msg) {
	m, ours := parse(msg.Data, c.fleet.run)
	c.mu.Lock()
	c.changes++
	c.facts.Delivered++
	if ours && m.kind == number {
		c.facts.Received++
	}
	c.mu.Unlock()
	if ours && m.kind != kept {
		c.hears.observe(m)
		c.mark(m)
	}
}

// mark notes a hello or an end marker.
func (c *client) mark(m message) {
	switch m.kind {
	case number, kept:
	case hello:
		c.pass(&c.greeted, 1<<m.by, &c.fleet.greeted)
	case end:
		c.pass(&c.ended, 1<<m.by, &c.fleet.ended)
	}
}

// control takes the messages of control of a member of the queue group. They have
// a subscription of their own, so an end counts only when the numbers that
// arrived before it have been taken.
func (c *client) control(msg *nats.Msg) {
	m, ours := parse(msg.Data, c.fleet.run)
	c.mu.Lock()
	c.changes++
	c.facts.Delivered++
	c.mu.Unlock()
	switch {
	case !ours:
	case m.kind == end && c.nc.Load().Barrier(func() { c.mark(m) }) == nil:
	default:
		c.hears.observe(m)
		c.mark(m)
	}
}

// pass counts the client at a gate, once for each publisher.
func (c *client) pass(passed *uint64, by uint64, g *gate) {
	c.mu.Lock()
	news := by &^ *passed
	*passed |= by
	c.mu.Unlock()
	for range bits.OnesCount64(news) {
		g.pass()
	}
}

// touch has the client told anew.
func (c *client) touch() {
	c.mu.Lock()
	c.changes++
	c.mu.Unlock()
}

// close closes the connection and waits until nothing calls in here any more.
// A close first writes what is buffered; into a server that has stopped reading
// that can take a minute, so after a while the connection is cut underneath.
func (c *client) close() {
	nc := c.nc.Load()
	if nc == nil {
		return
	}
	unblock := time.AfterFunc(closeGrace, c.sever)
	defer unblock.Stop()
	nc.Close()
	c.done.Wait()
}

// sever cuts the TCP connection.
func (c *client) sever() {
	if l := c.link.Load(); l != nil {
		_ = l.Close()
	}
}
