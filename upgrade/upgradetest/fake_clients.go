package upgradetest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"nats-roll/cluster"
)

func (f *Fake) on(name string) int {
	count := 0
	for _, c := range f.clients {
		if c.Status == cluster.ClientConnected && c.Node == name {
			count++
		}
	}
	return count
}

// Connect implements upgrade.Driver.
func (f *Fake) Connect(ctx context.Context, w cluster.Workload) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	permanent := f.Topology.Permanent()
	first, last := permanent[0], permanent[len(permanent)-1]
	for _, n := range []cluster.Node{first, last} {
		if !f.nodes[n.Name].process.Alive() {
			return fmt.Errorf("connect to %s: %w", n.Name, errNoServer)
		}
	}
	if len(f.clients) > 0 {
		f.disconnect()
	}
	f.rate, f.since = w.Rate, time.Now()
	subs := w.Subscribers + 1
	for i := range subs + len(w.Pinned) + 1 {
		c := &cluster.Client{ID: i, Name: fmt.Sprintf("%ssub %d", cluster.FleetPrefix, i), Role: cluster.RoleSubscriber, Subject: ">", Status: cluster.ClientConnected, Node: first.Name}
		switch {
		case i == subs+len(w.Pinned):
			c.Name, c.Role, c.Node = cluster.FleetPrefix+"publisher", cluster.RolePublisher, last.Name
		case i >= subs:
			c.Pinned = w.Pinned[i-subs]
			c.Name, c.Node = cluster.FleetPrefix+cluster.PinnedName(c.Pinned), c.Pinned
		}
		c.Trail = []cluster.Hop{{Node: c.Node, At: f.since}}
		f.clients = append(f.clients, c)
	}
	for i, command := range w.Applications { // of which no server has a connection
		a := cluster.ApplicationStarted{Name: cluster.ApplicationName(i), Command: command, PID: 5000 + i, At: f.since}
		f.applications = append(f.applications, a)
		f.Sink(a)
	}
	f.parties = w.Parties
	for _, p := range w.Parties {
		if !p.Late {
			_ = f.join(p.Name) // it is there
		}
	}
	f.tell()
	return ctx.Err()
}

// Disconnect implements upgrade.Driver.
func (f *Fake) Disconnect(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	f.disconnect()
	return nil
}

// Act implements upgrade.Driver: who reconnects goes to the next server that is up,
// every second one who draws does, who comes anew is on the permanent ones in turn.
func (f *Fake) Act(ctx context.Context, act cluster.Act, party string) error {
	if err := f.act(act, party); err != nil {
		return err
	}
	select { // so that what was told before is old
	case <-time.After(stopTime):
	case <-f.ctx.Done():
	}
	return ctx.Err()
}

func (f *Fake) join(party string) error {
	for _, p := range f.parties {
		if p.Name != party {
			continue
		}
		for i := range p.Members {
			f.clients = append(f.clients, &cluster.Client{
				ID: len(f.clients), Name: fmt.Sprintf("%s%s %d", cluster.FleetPrefix, p.Name, i+1), Role: cluster.RoleParty, Party: p.Name,
				Status: cluster.ClientConnected, Node: p.At, Trail: []cluster.Hop{{Node: p.At, At: time.Now()}},
			})
		}
		f.tell()
		return nil
	}
	return fmt.Errorf("there is no party called %q", party)
}

// scatter sends the clients of a server that is gone to the others in turn.
func (f *Fake) scatter(from string) {
	up := slices.DeleteFunc(slices.Clone(f.Topology.Nodes), func(n cluster.Node) bool { return !f.nodes[n.Name].process.Alive() })
	turn := 0
	for _, c := range f.clients {
		if c.Node != from || c.Status != cluster.ClientConnected {
			continue
		}
		c.Status, c.Disconnects, c.AwaySince = cluster.ClientAway, c.Disconnects+1, time.Now()
		if c.Pinned != "" {
			f.done.Go(func() { f.await(c) })
			continue
		}
		if len(up) == 0 {
			continue
		}
		to := up[turn%len(up)].Name
		turn++
		f.done.Go(func() { f.land(c, to) })
	}
	if len(f.clients) > 0 {
		f.tell()
	}
}

func (f *Fake) land(c *cluster.Client, to string) {
	select {
	case <-time.After(moveTime):
	case <-f.ctx.Done():
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.Contains(f.clients, c) { // else disconnected meanwhile
		f.arrive(c, to)
	}
}

// await has a client that knows one server only try it again and again.
func (f *Fake) await(c *cluster.Client) {
	for {
		select {
		case <-time.After(waitTime):
		case <-f.ctx.Done():
			return
		}
		f.mu.Lock()
		gone := !slices.Contains(f.clients, c)
		up := f.nodes[c.Pinned].process.Alive()
		if up && !gone {
			f.arrive(c, c.Pinned)
		}
		f.mu.Unlock()
		if up || gone {
			return
		}
	}
}

// reaches says that what is published gets to a node. A publisher without a server
// keeps what it has.
func (f *Fake) reaches(node string) bool {
	p := f.clients[len(f.clients)-1]
	return p.Status != cluster.ClientConnected || node == p.Node || f.linked(node, p.Node)
}

func (f *Fake) arrive(c *cluster.Client, to string) {
	c.LastAway = time.Since(c.AwaySince)
	c.LongestAway, c.TotalAway = max(c.LongestAway, c.LastAway), c.TotalAway+c.LastAway
	c.Status, c.Node, c.Reconnects = cluster.ClientConnected, to, c.Reconnects+1
	c.Trail = append(slices.Clip(c.Trail), cluster.Hop{Node: to, At: time.Now(), Away: c.LastAway})
	if c.Role.Hears() {
		c.Lost += uint64(c.LastAway * time.Duration(f.rate) / time.Second)
	}
	f.tell()
}

// tell emits the whole fleet, with the counters as they must be now.
func (f *Fake) tell() {
	sent := f.sent
	if !f.settled {
		sent = uint64(time.Since(f.since) * time.Duration(f.rate) / time.Second)
	}
	t := cluster.Totals{Publishing: !f.settled, Settled: f.settled, Rate: f.rate, Published: sent}
	var all []cluster.Client
	for _, c := range f.clients {
		deaf := c.Role.Hears() && c.Status == cluster.ClientConnected && !f.reaches(c.Node)
		unheard := uint64(0) // since it hears nothing: counted as lost by the first that it hears
		since, was := f.missing[c.Name]
		if was {
			unheard = uint64(time.Since(since) * time.Duration(f.rate) / time.Second)
		}
		switch {
		case deaf && !was:
			f.missing[c.Name] = time.Now()
		case was && !deaf:
			c.Lost += unheard
			unheard = 0
			delete(f.missing, c.Name)
		}
		c.Known = nil
		for _, n := range f.Topology.Nodes {
			if f.nodes[n.Name].process.Alive() && (c.Pinned == "" || c.Pinned == n.Name) {
				c.Known = append(c.Known, n.ClientURL())
			}
		}
		if c.Role.Hears() {
			if !f.nodes[c.Node].process.Held || c.Status != cluster.ClientConnected {
				c.Received = sent - min(c.Lost+unheard, sent)
			} // else it has what it had
			t.Expected += sent
			t.Listeners++
			t.Received += c.Received
			t.Lost += min(c.Lost, sent)
			if c.Status == cluster.ClientAway || deaf {
				t.Behind++
			}
		}
		t.Reconnects += c.Reconnects
		t.AwayMax = max(t.AwayMax, c.LongestAway)
		all = append(all, *c)
	}
	e := cluster.FleetChanged{At: time.Now(), Totals: t, Changed: all}
	if f.Topology.JetStream {
		e.Streams, e.Asked = f.streams(), e.At
		e.Totals.Stored = cluster.Stored{Looked: f.settled}
	}
	f.Sink(e)
}

// Settle implements upgrade.Driver.
func (f *Fake) Settle(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.settled {
		f.sent = uint64(time.Since(f.since) * time.Duration(f.rate) / time.Second)
		f.settled = true
	}
	f.tell()
	return ctx.Err()
}
