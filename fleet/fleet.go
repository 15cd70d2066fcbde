// Package fleet is the rehearsal's own NATS clients: the tutorial's
// `nats sub ">"`, more subscribers, alone and in a queue group, publishers that
// number their messages, and clients that ask and answer. It tells where each client is, how long it was away, and which numbers it
// missed or got twice, as cluster.FleetChanged. What happens to the servers is
// for others.
//
// Who runs: the client library keeps goroutines for each connection, which call
// into client; one goroutine, from Connect on, takes snapshots and calls the
// sink; one publishes while the numbered traffic runs. Close ends all of them
// and waits.
//
// Who locks: nats.go calls the dialer while it holds the lock of its
// connection, and the dialer takes client.mu. So nothing asks a nats.Conn while
// it holds client.mu.
package fleet

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"nats-roll/cluster"
)

// dialing is how many clients connect at the same time: enough to keep a server busy,
// and few enough that each is answered within the two seconds that the library gives a
// server. Who is not answered goes to another server that it has been told of.
const dialing = 16

// Options says which clients to make and whom to tell.
type Options struct {
	Topology cluster.Topology // names the servers, by their client ports
	Workload cluster.Workload
	Sink     cluster.Sink
}

// Fleet is the clients of one rehearsal.
type Fleet struct {
	o    Options
	run  string    // in each message
	made time.Time // zero of the clock in messages
	all  []*client // the place is the ID
	subs []*client // those that hear numbered messages, the tutorial's first

	listeners []*listener // of subs, a queue group once
	queue     *listener   // of the queue group, if there is one
	pumps     []*pump     // one for each publisher
	asks      asks
	stored    stored
	breaks    breaks
	away      aways
	teller    teller

	greeted gate // hellos that have not arrived
	ended   gate // end markers that have not arrived

	closing atomic.Bool
	ctx     context.Context // of Connect, until Close
	cancel  context.CancelFunc
	once    sync.Once

	connecting sync.WaitGroup
	talking    sync.WaitGroup // those of a party that say something

	mu        sync.Mutex // held by a snapshot, so that it never sees half of what is guarded
	connected bool
	settled   bool
}

// New makes a fleet that connects to nothing yet.
func New(o Options) *Fleet {
	var id [4]byte
	rand.Read(id[:]) // never fails, see crypto/rand
	f := &Fleet{o: o, run: hex.EncodeToString(id[:]), made: time.Now()}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.asks.init(f)
	f.stored.init(f)
	f.crew(o.Workload)
	f.greeted.need(len(f.subs) * len(f.pumps))
	f.ended.need(len(f.subs) * len(f.pumps))
	f.teller.init(f)
	return f
}

// now is the clock in messages.
func (f *Fleet) now() time.Duration { return time.Since(f.made) }

// Connect connects every subscriber to the first node, by that URL alone as the
// tutorial's `nats sub` does, and one publisher to the last permanent node, so
// that the first stop leaves it standing; further ones to the nodes that follow.
// Then the publishers say hello until every subscriber has heard each: the
// servers' interest has reached the publishers'. Only then does the numbered
// traffic begin. After an error, Close the fleet; the error names the client and
// the server.
func (f *Fleet) Connect(ctx context.Context) error {
	if len(f.o.Topology.Permanent()) == 0 {
		return errors.New("connect clients: the topology has no permanent server")
	}
	if err := f.begin(); err != nil {
		return err
	}
	defer f.connecting.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(f.ctx, cancel)()

	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(dialing)
	for _, c := range f.all {
		if c.party == nil || !c.party.Late {
			group.Go(func() error { return c.connect(groupCtx) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := f.stored.prepare(ctx); err != nil {
		return err
	}
	err := f.everyPump(ctx, func(ctx context.Context, p *pump) error { return p.repeat(ctx, hello, &f.greeted) })
	if err = f.unreached(err, func(c *client) bool { return c.greeted == f.everyone() }); err != nil {
		return fmt.Errorf("send a first message to every subscriber: %w", err)
	}
	for _, p := range f.pumps {
		p.start()
	}
	f.asks.start()
	f.talk()
	if err := f.stored.start(); err != nil {
		return fmt.Errorf("work with JetStream: %w", err)
	}
	f.teller.news()
	return nil
}

// everyPump does something for every publisher at the same time.
func (f *Fleet) everyPump(ctx context.Context, do func(context.Context, *pump) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range f.pumps {
		group.Go(func() error { return do(ctx, p) })
	}
	return group.Wait()
}

// everyone has a bit for each publisher.
func (f *Fleet) everyone() uint64 { return ^uint64(0) >> (64 - len(f.pumps)) }

// begin lets Connect run once, and not after Close.
func (f *Fleet) begin() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closing.Load():
		return errors.New("connect clients: the fleet is closed")
	case f.connected:
		return errors.New("connect clients: they are connected already")
	}
	f.connected = true
	f.connecting.Add(1)
	f.teller.start()
	return nil
}

// Settle ends the numbered traffic and then sends end markers until every
// subscriber that lives has had one. Messages on one path stay in order, so
// what was published before is final; should a straggler come by another path
// after all, the counts take it in. A subscriber that is away is waited for
// until ctx ends. Then the counts are final and say so, and the error names who
// did not hear the end; but if one of those is connected, messages may still be
// on their way to it, and nothing is final.
func (f *Fleet) Settle(ctx context.Context) error {
	f.mu.Lock()
	ready := f.connected && !f.settled
	settled := f.settled
	f.mu.Unlock()
	switch {
	case settled:
		return nil
	case !ready:
		return errors.New("settle the traffic: the clients are not connected")
	}
	f.asks.stop()
	f.stored.stop(ctx)
	err := f.everyPump(ctx, func(ctx context.Context, p *pump) error { return p.stop(ctx) })
	if err == nil {
		err = f.everyPump(ctx, func(ctx context.Context, p *pump) error { return p.repeat(ctx, end, &f.ended) })
	}
	kept := f.stored.settle(ctx)
	if err == nil || !f.inFlight() {
		f.close()
	}
	f.teller.news()
	err = f.unreached(err, func(c *client) bool { return c.ended == f.everyone() })
	if err = errors.Join(err, kept); err != nil {
		return fmt.Errorf("settle the traffic: %w", err)
	}
	return nil
}

// close closes the books: what did not come is lost.
func (f *Fleet) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settled = true
	published := make([]uint64, len(f.pumps))
	for i, p := range f.pumps {
		published[i] = p.published.Load()
	}
	for _, l := range f.listeners {
		l.settle(published)
	}
	for _, c := range f.subs {
		c.touch()
	}
}

// inFlight says that a subscriber is connected and has not heard the end.
func (f *Fleet) inFlight() bool {
	return slices.ContainsFunc(f.subs, func(c *client) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.ended != f.everyone() && c.facts.Status == cluster.ClientConnected
	})
}

// Look tells the fleet's facts soon, all read after this call.
func (f *Fleet) Look() {
	f.stored.look()
	f.teller.lookNow()
}

// Remove ends the work on JetStream and removes the stream and the bucket, with what
// is in them. Without JetStream there is nothing to remove.
func (f *Fleet) Remove(ctx context.Context) error { return f.stored.remove(ctx) }

// Close closes every connection and waits until nothing of the fleet runs. It
// tells nothing more.
func (f *Fleet) Close() {
	f.once.Do(func() {
		f.mu.Lock()
		f.closing.Store(true)
		f.mu.Unlock()
		f.cancel()
		f.connecting.Wait()
		f.teller.stop()
		unblock := time.AfterFunc(closeGrace, func() {
			for _, p := range f.pumps {
				p.client.sever()
			}
		})
		_ = f.everyPump(context.Background(), func(ctx context.Context, p *pump) error { return p.stop(ctx) })
		unblock.Stop()
		f.asks.stop()
		f.talking.Wait()
		f.stored.close()
		var group errgroup.Group
		group.SetLimit(dialing)
		for _, c := range f.all {
			group.Go(func() error { c.close(); return nil })
		}
		_ = group.Wait()
		f.teller.quiet.wait.Wait()
		f.teller.busy.wait.Wait()
	})
}
