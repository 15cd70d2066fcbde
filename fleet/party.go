package fleet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"nats-roll/cluster"
)

// saying is how long a member of a party waits between two messages of its own.
const saying = 100 * time.Millisecond

// invite makes the clients of parties.
func (f *Fleet) invite(parties []cluster.Party) {
	permanent := f.o.Topology.Permanent()
	for i := range parties {
		p := &parties[i]
		at := max(0, slices.IndexFunc(permanent, func(n cluster.Node) bool { return n.Name == p.At }))
		for n := range p.Members {
			c := f.add(cluster.Client{
				Name: fmt.Sprintf("%s%s %d", prefix, p.Name, n+1), Role: cluster.RoleParty, Party: p.Name,
			}, at)
			if len(p.Subjects) > 0 {
				c.facts.Subject = p.Subjects[0]
			}
			c.party, c.heard = p, map[string]uint64{}
		}
	}
}

// attend subscribes a member of a party. A server that does not allow it says so
// later, and the library keeps the subscription for the next server.
func (c *client) attend() error {
	for _, subject := range c.party.Subjects {
		err := c.listen(subject, "", func(*nats.Msg) {
			c.mu.Lock()
			c.changes++
			c.facts.Delivered++
			c.heard[subject]++
			c.mu.Unlock()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// talk has the members of parties publish what they have to say, until Close or
// until they are closed for good. What is said while there is no server is not
// kept for the next one.
func (f *Fleet) talk() {
	for _, c := range f.all {
		if c.party == nil || c.party.Late || c.party.Says == "" {
			continue
		}
		f.talking.Go(func() {
			tick := time.NewTicker(saying)
			defer tick.Stop()
			for {
				select {
				case <-f.ctx.Done():
					return
				case <-tick.C:
				}
				switch nc := c.nc.Load(); {
				case nc.IsClosed():
					return
				case nc.IsConnected():
					_ = nc.Publish(c.party.Says, []byte(c.facts.Name)) // who does not hear it has the count
				}
			}
		})
	}
}

// join connects the members of a party that are not there yet.
func (f *Fleet) join(ctx context.Context, party string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(dialing)
	known := false
	for _, c := range f.all {
		if c.party == nil || c.party.Name != party {
			continue
		}
		known = true
		if c.nc.Load() == nil {
			group.Go(func() error { return c.connect(ctx) })
		}
	}
	if !known {
		return fmt.Errorf("there is no party called %q", party)
	}
	return group.Wait()
}
