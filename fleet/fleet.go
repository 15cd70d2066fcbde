// Package fleet is the rehearsal's own NATS clients: the tutorial's
// `nats sub ">"`, more subscribers, and a publisher that numbers its messages.
// It tells where each client is, how long it was away, and which numbers it
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

// Names are what the servers show in /connz, so that the rehearsal's own
// clients can be told from strangers.
const (
	prefix        = "nats-roll: "
	tutorialName  = prefix + `nats sub ">"`
	publisherName = prefix + "publisher"
)

// The subjects. The tutorial's subscriber hears strangers as well.
const (
	tutorialSubject   = ">"
	subscriberSubject = "roll.>"
	publisherSubject  = "roll.count"
)

// dialing is how many clients connect at the same time.
const dialing = 64

// Options says which clients to make and whom to tell.
type Options struct {
	Topology cluster.Topology // names the servers, by their client ports
	Workload cluster.Workload
	Sink     cluster.Sink
}

// Fleet is the clients of one rehearsal.
type Fleet struct {
	o      Options
	run    string    // in each message
	made   time.Time // zero of the clock in messages
	subs   []*client // the tutorial's subscriber first
	pub    *client
	all    []*client // subs, then pub: the place is the ID
	pump   pump
	away   aways
	teller teller

	greeted gate // subscribers that no hello has reached
	ended   gate // subscribers that no end marker has reached

	closing atomic.Bool
	ctx     context.Context // of Connect, until Close
	cancel  context.CancelFunc
	once    sync.Once

	connecting sync.WaitGroup

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
	f.add(cluster.Client{Name: tutorialName, Subject: tutorialSubject})
	for i := range o.Workload.Subscribers {
		f.add(cluster.Client{Name: fmt.Sprintf("%ssub %d", prefix, i+1), Subject: subscriberSubject})
	}
	f.subs = f.all
	f.pub = f.add(cluster.Client{Name: publisherName, Subject: publisherSubject, Publish: true})
	f.greeted.need(len(f.subs))
	f.ended.need(len(f.subs))
	f.pump.fleet = f
	f.teller.init(f)
	return f
}

func (f *Fleet) add(facts cluster.Client) *client {
	facts.ID = len(f.all)
	c := newClient(f, facts)
	f.all = append(f.all, c)
	return c
}

// now is the clock in messages.
func (f *Fleet) now() time.Duration { return time.Since(f.made) }

// Connect connects every subscriber to the first node, by that URL alone as the
// tutorial's `nats sub` does, and the publisher to the last permanent node, so
// that the first stop leaves it standing. Then it says hello until every
// subscriber has heard one: the servers' interest has reached the publisher's.
// Only then does the numbered traffic begin. After an error, Close the fleet;
// the error names the client and the server.
func (f *Fleet) Connect(ctx context.Context) error {
	permanent := f.o.Topology.Permanent()
	if len(permanent) == 0 {
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
	for _, c := range f.subs {
		group.Go(func() error { return c.connect(groupCtx, permanent[0]) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := f.pub.connect(ctx, permanent[len(permanent)-1]); err != nil {
		return err
	}
	f.pump.send = func(b []byte) error { return f.pub.nc.Publish(publisherSubject, b) }
	err := f.pump.repeat(ctx, hello, &f.greeted)
	if err = f.unreached(err, func(c *client) bool { return c.greeted }); err != nil {
		return fmt.Errorf("send a first message to every subscriber: %w", err)
	}
	f.pump.start()
	f.teller.news()
	return nil
}

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
	err := f.pump.stop(ctx)
	if err == nil {
		err = f.pump.repeat(ctx, end, &f.ended)
	}
	if err == nil || !f.inFlight() {
		f.mu.Lock()
		f.settled = true
		published := f.pump.published.Load()
		for _, c := range f.subs {
			c.settle(published)
		}
		f.mu.Unlock()
	}
	f.teller.news()
	if err = f.unreached(err, func(c *client) bool { return c.ended }); err != nil {
		return fmt.Errorf("settle the traffic: %w", err)
	}
	return nil
}

// inFlight says that a subscriber is connected and has not heard the end.
func (f *Fleet) inFlight() bool {
	return slices.ContainsFunc(f.subs, func(c *client) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return !c.ended && c.facts.Status == cluster.ClientConnected
	})
}

// Look tells the fleet's facts soon, all read after this call.
func (f *Fleet) Look() { f.teller.lookNow() }

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
		unblock := time.AfterFunc(closeGrace, f.pub.sever)
		_ = f.pump.stop(context.Background())
		unblock.Stop()
		var group errgroup.Group
		group.SetLimit(dialing)
		for _, c := range f.all {
			group.Go(func() error { c.close(); return nil })
		}
		_ = group.Wait()
		f.teller.subs.wait.Wait()
		f.teller.pub.wait.Wait()
	})
}
