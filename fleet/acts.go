package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"nats-roll/cluster"
)

// Act has the subscribers do something with their connections, or the members of a
// party come. It returns when all have done so; where they are then, the snapshots
// tell.
func (f *Fleet) Act(ctx context.Context, act cluster.Act, party string) error {
	f.mu.Lock()
	ready := f.connected && !f.closing.Load()
	if ready {
		f.connecting.Add(1) // Close waits
	}
	f.mu.Unlock()
	if !ready {
		return fmt.Errorf("%s: the clients are not connected", act)
	}
	defer f.connecting.Done()
	defer f.teller.news()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(f.ctx, cancel)()
	switch act {
	case cluster.ActJoin:
		return f.join(ctx, party)
	case cluster.ActReconnect:
		return f.each(ctx, func(_ context.Context, c *client) error { return c.nc.Load().ForceReconnect() })
	case cluster.ActDraw:
		return f.each(ctx, func(_ context.Context, c *client) error { return c.draw() })
	case cluster.ActRenew:
		return f.each(ctx, func(ctx context.Context, c *client) error { return c.renew(ctx) })
	}
	return fmt.Errorf("the clients do not know how to %s", act)
}

// each does something for every subscriber that is not closed for good.
func (f *Fleet) each(ctx context.Context, do func(context.Context, *client) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(dialing)
	for _, c := range f.subs {
		group.Go(func() error {
			if err := do(ctx, c); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
				return fmt.Errorf("%s: %w", c.facts.Name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// draw takes one of the servers that the client knows by chance, and goes there
// unless it is there. To shuffle the list and call ForceReconnect is not enough:
// that puts the server that the client is on at the end, so that of two servers
// every client goes to the other. (nats.go selectNextServer)
func (c *client) draw() error {
	nc := c.nc.Load()
	known := nc.Servers()
	rand.Shuffle(len(known), func(i, k int) { known[i], known[k] = known[k], known[i] })
	if len(known) == 0 || c.nodeOf(known[0]) == c.nodeOf(nc.ConnectedUrl()) {
		return nil
	}
	if err := nc.SetServerPool(known); err != nil {
		return err
	}
	return nc.ForceReconnect()
}

// renew closes the connection and makes a new one, given every permanent server.
// It is away from the close until the new connection is made; the subscription is
// sent a moment later.
func (c *client) renew(ctx context.Context) error {
	old := c.nc.Load()
	if old.IsClosed() {
		return nats.ErrConnectionClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.past.Store(old)
	c.lost(time.Now(), nil)
	old.Close()
	all := c.behaviour()
	all.All = true
	c.done.Add(1)
	nc, err := nats.Connect(c.fleet.o.Topology.GivenURL(c.at, all), c.options()...)
	if err != nil {
		c.done.Done()
		return err
	}
	c.nc.Store(nc)
	if err := c.subscribe(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, flushing)
	defer cancel()
	return nc.FlushWithContext(ctx)
}
