// Package local is the upgrade.Driver for this machine: processes by proc,
// answers by monitor, clients by whatever it is handed. It decides nothing; it
// joins the parts, so that a process that begins is watched and one that ends
// is not, and a connection is known to be an application's.
//
// Its goroutines are those of its parts; Close ends them and waits.
package local

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"nats-roll/cluster"
	"nats-roll/monitor"
	"nats-roll/proc"
	"nats-roll/upgrade"
)

// How long a server may take to end before it is killed. Lame duck ends by
// itself after at most its duration, two minutes by default.
const (
	stopGrace     = 10 * time.Second
	lameDuckGrace = 2*time.Minute + 30*time.Second
	closeGrace    = 20 * time.Second
)

// Clients is the rehearsal's fleet, as fleet.Fleet provides it.
type Clients interface {
	Connect(ctx context.Context) error
	Settle(ctx context.Context) error
	Remove(ctx context.Context) error // what they made and what outlives them
	Act(ctx context.Context, act cluster.Act, party string) error
	Look()
	Close()
}

// Options says what to drive.
type Options struct {
	Topology cluster.Topology
	Dir      string // holds the slots
	Sink     cluster.Sink
	Keep     bool // servers outlive the program
	Clients  func(cluster.Workload) Clients
	// System asks the servers at these URLs something, as cluster.SystemUser.
	System   func(ctx context.Context, urls []string, subject string, body []byte) ([]byte, error)
	Identify proc.Identify // what a file in a slot is, when somebody else put it there
	// Inspect tells what a staged file is worth as the build that it should be,
	// started with these arguments.
	Inspect func(ctx context.Context, file string, b cluster.Build, args []string) []cluster.Fact
}

// Driver drives servers on this machine.
type Driver struct {
	opts    Options
	servers *proc.Supervisor
	watch   *monitor.Watcher
	slots   map[string]*sync.Mutex // one action on a slot at a time

	owners owners

	mu      sync.Mutex
	clients Clients // nil until they are connected
	taken   taken
}

var _ upgrade.Driver = (*Driver)(nil)

// New makes a driver; nothing is started.
func New(o Options) (*Driver, error) {
	d := &Driver{opts: o, slots: map[string]*sync.Mutex{}, owners: owners{of: map[string]map[connection]string{}}}
	for _, n := range o.Topology.Nodes {
		d.slots[n.Name] = &sync.Mutex{}
	}
	d.watch = monitor.Watch(o.Topology.Nodes, d.answered, monitor.Options{})
	servers, err := proc.NewSupervisor(o.Dir, d.observe, proc.Keep(o.Keep), proc.Identified(o.Identify), proc.Guests(d.door))
	if err != nil {
		d.watch.Close()
		return nil, err
	}
	d.servers = servers
	return d, nil
}

// door is where a node's server is asked.
func (d *Driver) door(node string) (string, int) {
	n, _ := d.opts.Topology.Node(node)
	return n.Host, n.MonitorPort
}

// observe passes on what proc tells, and keeps the monitor on the living.
func (d *Driver) observe(e cluster.Event) {
	d.opts.Sink(e)
	switch e := e.(type) {
	case cluster.Started:
		d.watch.Up(e.Node)
	case cluster.StopAsked:
		if e.Stop == cluster.StopLameDuck {
			d.watch.Drain(e.Node)
		}
		d.watch.Quicken()
	case cluster.Exited:
		d.watch.Down(e.Node)
		d.watch.Quicken() // the others lose a peer
	}
}

func (d *Driver) lock(ctx context.Context, node string) (func(), error) {
	mu, ok := d.slots[node]
	if !ok {
		return nil, fmt.Errorf("no node %s", node)
	}
	mu.Lock()
	if err := ctx.Err(); err != nil { // it ended while this waited, or before
		mu.Unlock()
		return nil, err
	}
	return mu.Unlock, nil
}

// Stage implements upgrade.Driver. It goes on beside every other action but
// Install: a server is not kept from starting by the copy of the one after it.
func (d *Driver) Stage(ctx context.Context, node string, b cluster.Build) error {
	if _, ok := d.slots[node]; !ok {
		return fmt.Errorf("no node %s", node)
	}
	return d.servers.Slot(node).Stage(ctx, d.at(node, b))
}

// Inspect implements upgrade.Driver. What is looked at is the staged copy, the
// very file that Install renames.
//
// A file that says nothing is waited for; nobody else who wants to act on the
// node is. If the file was installed meanwhile, or another one staged, there is nothing
// to say of it.
func (d *Driver) Inspect(ctx context.Context, node string, b cluster.Build, args []string) error {
	facts, is := d.inspect(ctx, node, b, args)
	if err := ctx.Err(); err != nil {
		return err
	}
	if is {
		d.opts.Sink(cluster.Inspected{Node: node, Inspection: cluster.Inspection{Build: b, Facts: facts}})
	}
	return nil
}

// inspect is what was found, and whether what was looked at is still there.
func (d *Driver) inspect(ctx context.Context, node string, b cluster.Build, args []string) (facts []cluster.Fact, is bool) {
	if err := d.Stage(ctx, node, b); err != nil {
		if staging, ok := errors.AsType[*proc.StageError](err); ok {
			err = staging.Err // the rest is known where this is read
		}
		return []cluster.Fact{{Detail: err.Error()}}, true
	}
	slot := d.servers.Slot(node)
	number := slot.Stagings()
	facts = append([]cluster.Fact{staged(slot.Dir)}, d.opts.Inspect(ctx, slot.Staged(), b, args)...)
	if slot.Stagings() != number {
		return nil, false
	}
	if !facts[len(facts)-1].OK {
		return facts, true
	}
	n, _ := d.opts.Topology.Node(node)
	if err := d.servers.OwnPorts(node, n.Host, n.ClientPort, n.RoutePort, n.MonitorPort); err != nil {
		return append(facts, cluster.Fact{Detail: err.Error()}), true
	}
	return append(facts, cluster.Fact{OK: true, Detail: "the ports are " + node + "'s own"}), true
}

// staged tells that there was room for the copy, and how much there is beside it.
func staged(dir string) cluster.Fact {
	f := cluster.Fact{OK: true, Detail: "staged"}
	if free, err := proc.Room(dir); err == nil {
		f.Detail += fmt.Sprintf(", %s free on its disk", free)
	}
	return f
}

// Install implements upgrade.Driver.
func (d *Driver) Install(ctx context.Context, node string, b cluster.Build) error {
	unlock, err := d.lock(ctx, node)
	if err != nil {
		return err
	}
	defer unlock()
	return d.servers.Slot(node).Install(ctx, d.at(node, b))
}

// at is a build with the path of its file; a relative one is of the node's slot.
func (d *Driver) at(node string, b cluster.Build) cluster.Build {
	if b.Path != "" && !filepath.IsAbs(b.Path) {
		b.Path = filepath.Join(d.servers.Slot(node).Dir, b.Path)
	}
	return b
}

// Start implements upgrade.Driver. A port that is taken is refused here, with
// its owner, and not left for the server to find.
func (d *Driver) Start(ctx context.Context, node string, args []string) error {
	unlock, err := d.lock(ctx, node)
	if err != nil {
		return err
	}
	defer unlock()
	if d.servers.Running(node) {
		return fmt.Errorf("start %s: it runs already", node)
	}
	n, _ := d.opts.Topology.Node(node)
	if err = d.servers.OwnPorts(node, n.Host, n.ClientPort, n.RoutePort, n.MonitorPort); err != nil {
		err = fmt.Errorf("start %s: %w", node, err)
	} else {
		err = d.servers.Start(ctx, node, args)
	}
	if err != nil && ctx.Err() == nil {
		d.opts.Sink(cluster.Refused{Node: node, Reason: strings.TrimPrefix(err.Error(), "start "+node+": ")})
	}
	return err
}

// Stop implements upgrade.Driver.
func (d *Driver) Stop(ctx context.Context, node string, how cluster.Stop) error {
	if _, ok := d.slots[node]; !ok {
		return fmt.Errorf("no node %s", node)
	}
	grace := stopGrace
	if how == cluster.StopLameDuck {
		grace = lameDuckGrace
	}
	return d.servers.Stop(ctx, node, how, grace)
}

// Connect implements upgrade.Driver. What an earlier try has started is ended.
func (d *Driver) Connect(ctx context.Context, w cluster.Workload) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.clients != nil {
		d.disconnect()
	}
	d.clients = d.opts.Clients(w)
	if err := d.clients.Connect(ctx); err != nil {
		return err
	}
	return d.launch(w)
}

// Disconnect implements upgrade.Driver.
func (d *Driver) Disconnect(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := ctx.Err(); err != nil { // it ended while this waited, or before
		return err
	}
	if d.clients != nil {
		if err := d.clients.Remove(ctx); err != nil {
			return err
		}
	}
	d.disconnect()
	return nil
}

// disconnect ends clients and applications, and then tells it: they have nothing
// more to say.
func (d *Driver) disconnect() {
	d.servers.EndApplications()
	if d.clients != nil {
		d.clients.Close()
		d.clients = nil
	}
	d.opts.Sink(cluster.FleetGone{At: time.Now()})
}

// Settle implements upgrade.Driver.
func (d *Driver) Settle(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.clients == nil {
		return errors.New("settle the traffic: no client was connected")
	}
	return d.clients.Settle(ctx)
}

// Act implements upgrade.Driver.
func (d *Driver) Act(ctx context.Context, act cluster.Act, party string) error {
	d.mu.Lock()
	clients := d.clients
	d.mu.Unlock()
	if clients == nil {
		return fmt.Errorf("%s: no client was connected", act)
	}
	return clients.Act(ctx, act, party)
}

// Look implements upgrade.Driver.
func (d *Driver) Look() {
	d.watch.Quicken()
	d.servers.Look()
	if d.mu.TryLock() { // while it connects or settles, it tells by itself
		if d.clients != nil {
			d.clients.Look()
		}
		d.mu.Unlock()
	}
}

// Close ends applications, clients and servers and waits for all of them. With
// Options.Keep the servers go on.
func (d *Driver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.servers.EndApplications()
	d.taken.giveBack()
	if d.clients != nil {
		d.clients.Close()
		d.clients = nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	err := d.servers.Close(ctx)
	d.watch.Close()
	return err
}

// Log is the file that the node's servers write to.
func (d *Driver) Log(node string) string { return d.servers.Slot(node).Log() }
