// Package upgradetest holds what tests of upgrades share: a Fake driver, whose
// servers and clients exist only as numbers and keep time by the clock they run
// under (a testing/synctest bubble makes minutes pass in microseconds), and the
// Suite that every driver passes, the fake included.
//
// A Fake's goroutines end with Close, which waits for them.
package upgradetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// How long the fake's servers and clients take, in the order of real ones.
const (
	bootTime   = 40 * time.Millisecond // from the process to its first answer
	meshTime   = 30 * time.Millisecond // from then to all routes
	stopTime   = 5 * time.Millisecond  // from SIGINT to the exit
	moveTime   = 8 * time.Millisecond  // of a client to its next server
	waitTime   = 2 * time.Second       // of a client that knows one server only, between two tries
	lookPeriod = 50 * time.Millisecond // between two rounds of answers
)

var _ upgrade.Driver = (*Fake)(nil)

// Fake is an upgrade.Driver without processes. Exported fields are set before
// its first use.
type Fake struct {
	Topology cluster.Topology
	Sink     cluster.Sink
	// Broken makes a server of this version exit with status 1 at once.
	Broken cluster.Version
	// Unfit is found to be no good before anything is stopped for it.
	Unfit cluster.Version
	// Deaf makes a server of this version never answer.
	Deaf cluster.Version

	// Misread is what a configuration must not contain: a server that reads it exits
	// with status 1, and one that is to read it again says that it cannot. NewFake
	// sets it to the typing error of the chapter break-it.
	Misread string

	// Reply answers requests; without it there is nobody to answer.
	Reply func(subject string, body []byte) ([]byte, error)

	mu           sync.Mutex
	nodes        map[string]*node
	clients      []*cluster.Client
	parties      []cluster.Party
	applications []cluster.ApplicationStarted
	rate         int
	since        time.Time // when the numbered traffic began
	sent         uint64    // when it was settled
	settled      bool
	nextPID      int
	nextID       int
	leader       string               // of the meta group, with JetStream
	links        map[[2]string]link   // of those that are up, both ways
	missing      map[string]time.Time // clients that hear nothing, and since when

	ctx  context.Context
	stop context.CancelFunc
	done sync.WaitGroup
	look chan struct{}
}

type node struct {
	disk    cluster.Build
	taken   bool // its client port is
	config  string
	damaged bool // its store is
	process cluster.Process
	id      string
	dying   chan struct{} // closed when the process has exited
	hurry   chan struct{} // closed when a later Stop wants it gone at once
}

// link is a route between two servers, as one of them tells of it.
type link struct{ dialed, configured bool }

// NewFake makes a fake of a topology.
func NewFake(t cluster.Topology, sink cluster.Sink) *Fake {
	f := &Fake{Topology: t, Sink: sink, nodes: map[string]*node{}, nextPID: 1000, look: make(chan struct{}, 1), Misread: "max_conections", links: map[[2]string]link{}, missing: map[string]time.Time{}}
	for _, n := range t.Nodes {
		f.nodes[n.Name] = &node{}
	}
	f.ctx, f.stop = context.WithCancel(context.Background())
	f.done.Go(f.watch)
	return f
}

// Close ends every server and goroutine.
func (f *Fake) Close() {
	f.stop()
	f.done.Wait()
}

// Stage does nothing: a fake's files are names.
func (f *Fake) Stage(ctx context.Context, _ string, _ cluster.Build) error { return ctx.Err() }

// Inspect implements upgrade.Driver: a build is unfit if its version is Unfit.
func (f *Fake) Inspect(ctx context.Context, name string, b cluster.Build, _ []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.node(ctx, name); err != nil {
		return err
	}
	in := cluster.Inspection{Build: b, Facts: []cluster.Fact{{OK: true, Detail: "copied"}, {OK: b.Version != f.Unfit, Detail: "asked"}}}
	switch {
	case b.Version == "":
		in.Facts[1].Detail = noServer
	case f.misreads(f.nodes[name]):
		in.Facts = append(in.Facts, cluster.Fact{Detail: "does not take the command line: " + f.Misread})
	}
	f.Sink(cluster.Inspected{Node: name, Inspection: in})
	return nil
}

// Install implements upgrade.Driver.
func (f *Fake) Install(ctx context.Context, name string, b cluster.Build) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(ctx, name)
	if err != nil {
		return err
	}
	n.disk = b
	e := cluster.Installed{Node: name, Build: b}
	if b.Version == "" {
		e.Reason = noServer
	}
	f.Sink(e)
	return nil
}

// noServer is why a build without a version is none.
const noServer = "is cut off: it ends in the middle"

func (f *Fake) misreads(n *node) bool {
	return f.Misread != "" && strings.Contains(n.config, f.Misread)
}

// Swap puts a file into a slot behind the driver's back.
func (f *Fake) Swap(name string, to cluster.Build) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nodes[name].disk = to
	e := cluster.Installed{Node: name, Build: to}
	if !to.Zero() && to.Version == "" {
		e.Reason = "it is a text"
	}
	f.Sink(e)
}

func (f *Fake) node(ctx context.Context, name string) (*node, error) {
	n, ok := f.nodes[name]
	if !ok {
		return nil, fmt.Errorf("no node %s", name)
	}
	return n, ctx.Err()
}

// Start implements upgrade.Driver.
func (f *Fake) Start(ctx context.Context, name string, args []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(ctx, name)
	switch {
	case err != nil:
		return err
	case n.disk.Zero():
		return fmt.Errorf("start %s: its slot is empty", name)
	case n.process.Alive():
		return fmt.Errorf("start %s: it runs already, pid %d", name, n.process.PID)
	case n.taken:
		f.Sink(cluster.Refused{Node: name, Reason: "its port is in use by pid 1 (nats-roll)"})
		return fmt.Errorf("start %s: its port is in use by pid 1 (nats-roll)", name)
	}
	f.nextPID++
	f.nextID++
	n.process = cluster.Process{PID: f.nextPID, Build: n.disk, Args: append([]string{"nats-server"}, args...), Started: time.Now()}
	n.id = fmt.Sprintf("ID%d", f.nextID)
	n.dying, n.hurry = make(chan struct{}), make(chan struct{})
	f.Sink(cluster.Started{Node: name, Process: n.process})
	f.complain(name, n)
	f.meet(name)
	switch {
	case n.disk.Version == f.Broken:
		f.exit(name, n, cluster.Exit{Code: 1, Reason: "broken on purpose"})
	case f.misreads(n):
		f.exit(name, n, cluster.Exit{Code: 1, Reason: f.Misread})
	case n.damaged:
		f.log(name, n, cluster.LevelWarn, cluster.TopicStoreFailed, "Stream create failed")
	}
	f.kick()
	return nil
}

// lists says that a server was told of another one on its command line.
func (f *Fake) lists(name, other string) bool {
	n, _ := f.Topology.Node(other)
	args := f.nodes[name].process.Args
	i := slices.Index(args, "-routes")
	return i >= 0 && i+1 < len(args) && slices.Contains(strings.Split(args[i+1], ","), n.RouteURL())
}

// meet links a server that was started with those that it is told of or that are
// told of it; and, by gossip, any two that a third one is linked with. What gossip
// has linked is not linked again when one of the two is restarted without a third.
func (f *Fake) meet(name string) {
	up := slices.DeleteFunc(slices.Clone(f.Topology.Nodes), func(n cluster.Node) bool { return !f.nodes[n.Name].process.Alive() })
	pair := func(a, b string, configured bool) {
		if _, ok := f.links[[2]string{a, b}]; !ok && a != b {
			f.links[[2]string{a, b}], f.links[[2]string{b, a}] = link{true, configured}, link{}
		}
	}
	for _, o := range up {
		if f.lists(name, o.Name) {
			pair(name, o.Name, true)
		} else if f.lists(o.Name, name) {
			pair(o.Name, name, true)
		}
	}
	for _, a := range up {
		for _, b := range up {
			if slices.ContainsFunc(up, func(c cluster.Node) bool { return f.linked(a.Name, c.Name) && f.linked(c.Name, b.Name) }) {
				pair(a.Name, b.Name, false)
			}
		}
	}
}

func (f *Fake) linked(a, b string) bool {
	_, ok := f.links[[2]string{a, b}]
	return ok
}

// complain says of every peer that is not there what a server says, for each of the
// two connections that it dials at once: one of the pool, and the system account's.
func (f *Fake) complain(name string, n *node) {
	for _, p := range f.Topology.Permanent() {
		if p.Name != name && f.lists(name, p.Name) && !f.nodes[p.Name].process.Alive() {
			for range 2 {
				f.log(name, n, cluster.LevelError, cluster.TopicRouteRefused,
					fmt.Sprintf("Error trying to connect to route (attempt 1): dial tcp 127.0.0.1:%d: connect: connection refused", p.RoutePort))
			}
		}
	}
}

func (f *Fake) log(name string, n *node, level cluster.Level, topic cluster.Topic, text string) {
	f.Sink(cluster.Logged{Lines: []cluster.LogLine{{Node: name, PID: n.process.PID, At: time.Now(), Level: level, Topic: topic, Text: text}}})
}

// Stop implements upgrade.Driver.
func (f *Fake) Stop(ctx context.Context, name string, how cluster.Stop) error {
	f.mu.Lock()
	n, err := f.node(ctx, name)
	if err != nil || !n.process.Alive() {
		f.mu.Unlock()
		return err
	}
	dying := n.dying
	f.ask(name, n, how)
	f.mu.Unlock()
	select {
	case <-dying:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *Fake) ask(name string, n *node, how cluster.Stop) {
	first := n.process.Stop == ""
	if !first {
		if how == cluster.StopLameDuck || how == cluster.StopTerm || n.process.Stop != cluster.StopLameDuck {
			if how == cluster.StopTerm && n.process.Stop == cluster.StopLameDuck {
				f.Sink(cluster.StopIgnored{Node: name, PID: n.process.PID, Stop: how, At: time.Now()})
			}
			return // lame duck ignores SIGTERM, and the rest is under way
		}
		close(n.hurry)
	}
	n.process.Stop, n.process.Asked = how, time.Now()
	f.Sink(cluster.StopAsked{Node: name, PID: n.process.PID, Stop: how, At: n.process.Asked})
	if !first {
		return
	}
	wait := stopTime
	if how == cluster.StopLameDuck {
		wait = upgrade.LameDuckTime(f.on(name))
	}
	pid := n.process.PID
	f.done.Go(func() {
		select {
		case <-time.After(wait):
		case <-n.hurry:
		case <-f.ctx.Done():
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if n.process.PID != pid || !n.process.Alive() {
			return
		}
		e := cluster.Exit{Asked: true, After: time.Since(n.process.Asked)}
		if n.process.Stop == cluster.StopKill {
			e.Code, e.Signal = -1, "SIGKILL"
		}
		f.exit(name, n, e)
	})
}

// Lead makes a server the leader of the meta group.
func (f *Fake) Lead(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leader = name
	f.kick()
}

// meta is what a server says of the meta group. A follower takes the other
// followers for behind, as real ones do.
func (f *Fake) meta(name string) cluster.JetStream {
	permanent := f.Topology.Permanent()
	for _, n := range permanent {
		if f.nodes[f.leader] == nil || !f.nodes[f.leader].process.Alive() {
			f.leader = n.Name
		}
	}
	js := cluster.JetStream{Asked: time.Now(), Meta: cluster.Meta{Leader: f.leader, Size: len(permanent)}}
	for _, n := range permanent {
		if n.Name != name {
			alive := f.nodes[n.Name].process.Alive()
			js.Meta.Replicas = append(js.Meta.Replicas, cluster.Replica{Node: n.Name, Offline: !alive, Current: alive && (name == f.leader || n.Name == f.leader)})
		}
	}
	return js
}

// Kill ends a server as another terminal would, with SIGKILL.
func (f *Fake) Kill(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.nodes[name]; n.process.Alive() {
		f.exit(name, n, cluster.Exit{Code: -1, Signal: "SIGKILL"})
	}
}

func (f *Fake) exit(name string, n *node, e cluster.Exit) {
	e.At = time.Now()
	if e.After == 0 {
		e.After = time.Since(n.process.Started)
	}
	n.process.Exit = &e
	close(n.dying)
	maps.DeleteFunc(f.links, func(p [2]string, _ link) bool { return p[0] == name || p[1] == name })
	f.Sink(cluster.Exited{Node: name, PID: n.process.PID, Exit: e})
	f.scatter(name)
}

// Look implements upgrade.Driver.
func (f *Fake) Look() { f.kick() }

func (f *Fake) kick() {
	select {
	case f.look <- struct{}{}:
	default:
	}
}

// watch answers for every server, and for the fleet, again and again.
func (f *Fake) watch() {
	tick := time.NewTicker(lookPeriod)
	defer tick.Stop()
	for {
		select {
		case <-f.ctx.Done():
			return
		case <-f.look:
		case <-tick.C:
		}
		f.mu.Lock()
		if len(f.clients) > 0 {
			f.tell() // first, so that what a look completes is always the same
		}
		for _, n := range f.Topology.Nodes {
			if a, ok := f.answer(n.Name); ok {
				f.Sink(cluster.Answered{Answer: a})
			}
			if f.nodes[n.Name].process.Held {
				f.Sink(cluster.Unanswered{Node: n.Name, Began: time.Now(), Reason: "it is held"})
			}
		}
		f.mu.Unlock()
	}
}

func (f *Fake) answer(name string) (cluster.Answer, bool) {
	n := f.nodes[name]
	if !n.process.Alive() || n.process.Held || n.process.Build.Version == f.Deaf || time.Since(n.process.Started) < bootTime {
		return cluster.Answer{}, false
	}
	now := time.Now()
	a := cluster.Answer{
		Node: name, Began: now, Ended: now, ServerID: n.id, Name: name,
		Version: n.process.Build.Version, Start: n.process.Started, Connections: f.on(name), Healthy: true,
	}
	if n.damaged {
		a.Healthy, a.Health = false, "stream ROLL is not current"
	}
	if at, _ := f.Topology.Node(name); f.Topology.JetStream && at.Permanent {
		a.JetStream = f.meta(name)
	}
	for _, p := range f.Topology.Nodes {
		o := f.nodes[p.Name]
		l, ok := f.links[[2]string{name, p.Name}]
		if !ok {
			continue
		}
		if min(time.Since(n.process.Started), time.Since(o.process.Started)) < bootTime+meshTime {
			continue
		}
		routes := upgrade.RoutesPerPair(n.process.Build.Version, o.process.Build.Version)
		peer := cluster.Peer{ID: o.id, Name: p.Name, Routes: routes}
		if l.dialed {
			peer.Dialed = routes
		}
		if l.configured {
			peer.Configured = routes
		}
		a.Peers = append(a.Peers, peer)
		a.Routes += routes
	}
	for i, c := range f.clients {
		if c.Status == cluster.ClientConnected && c.Node == name {
			a.Clients = append(a.Clients, cluster.Connection{CID: uint64(i + 1), Name: c.Name, Addr: "127.0.0.1"})
		}
	}
	return a, true
}

var errNoServer = errors.New("no server is up")

func (f *Fake) disconnect() {
	f.clients, f.sent, f.settled = nil, 0, false
	clear(f.missing)
	for _, a := range f.applications {
		f.Sink(cluster.ApplicationExited{Name: a.Name, PID: a.PID, Exit: cluster.Exit{At: time.Now(), Asked: true}})
	}
	f.applications = nil
	f.Sink(cluster.FleetGone{At: time.Now()})
}

func (f *Fake) act(act cluster.Act, party string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.clients) == 0 {
		return fmt.Errorf("%s: the clients are not connected", act)
	}
	if act == cluster.ActJoin {
		return f.join(party)
	}
	up := slices.DeleteFunc(slices.Clone(f.Topology.Permanent()), func(n cluster.Node) bool { return !f.nodes[n.Name].process.Alive() })
	for i, c := range f.clients {
		if !c.Role.Hears() || c.Status != cluster.ClientConnected || len(up) == 0 {
			continue
		}
		at := slices.IndexFunc(up, func(n cluster.Node) bool { return n.Name == c.Node })
		switch act {
		case cluster.ActRenew:
			at = i
		case cluster.ActReconnect:
			at++
		default:
			at += i % 2
		}
		if to := up[at%len(up)].Name; to != c.Node || act == cluster.ActRenew {
			c.Status, c.Disconnects, c.AwaySince = cluster.ClientAway, c.Disconnects+1, time.Now()
			f.done.Go(func() { f.land(c, to) })
		}
	}
	f.tell()
	return nil
}

// streams has one, on every permanent node, led by the first that lives; of a store
// that is damaged its leader knows nothing.
func (f *Fake) streams() []cluster.Stream {
	s := cluster.Stream{Name: "ROLL"}
	for _, n := range f.Topology.Permanent() {
		switch alive := f.nodes[n.Name].process.Alive(); {
		case alive && s.Leader == "":
			s.Leader = n.Name
		default:
			s.Replicas = append(s.Replicas, cluster.Replica{Node: n.Name, Current: alive, Offline: !alive})
		}
	}
	return []cluster.Stream{s}
}
