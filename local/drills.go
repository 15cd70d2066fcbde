package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"nats-roll/cluster"
)

// taken is the ports that this program listens on so that servers cannot.
type taken struct {
	mu  sync.Mutex
	all map[string]net.Listener // by node
}

func (t *taken) giveBack() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for node, l := range t.all {
		_ = l.Close()
		delete(t.all, node)
	}
}

// Occupy implements upgrade.Driver. Nobody who connects is answered.
func (d *Driver) Occupy(ctx context.Context, node string, on bool) error {
	unlock, err := d.lock(ctx, node)
	if err != nil {
		return err
	}
	defer unlock()
	d.taken.mu.Lock()
	defer d.taken.mu.Unlock()
	n, _ := d.opts.Topology.Node(node)
	l, ours := d.taken.all[node]
	switch {
	case on == ours:
		return nil
	case on:
		if l, err = new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(n.Host, strconv.Itoa(n.ClientPort))); err != nil {
			return fmt.Errorf("occupy the port of %s: %w", node, err)
		}
		if d.taken.all == nil {
			d.taken.all = map[string]net.Listener{}
		}
		d.taken.all[node] = l
	default:
		_ = l.Close()
		delete(d.taken.all, node)
	}
	d.opts.Sink(cluster.Occupied{Node: node, Port: n.ClientPort, On: on})
	return nil
}

// Hold implements upgrade.Driver.
func (d *Driver) Hold(ctx context.Context, node string, on bool) error {
	unlock, err := d.lock(ctx, node)
	if err != nil {
		return err
	}
	defer unlock()
	return d.servers.Hold(node, on)
}

// Signal implements upgrade.Driver. A stop may be under way: it does not wait.
func (d *Driver) Signal(_ context.Context, node string, sig cluster.Signal) error {
	return d.servers.Signal(node, sig)
}

// Cut implements upgrade.Driver.
func (d *Driver) Cut(ctx context.Context, node string, b cluster.Build) error {
	unlock, err := d.lock(ctx, node)
	if err != nil {
		return err
	}
	defer unlock()
	return d.servers.Slot(node).Cut(ctx, b)
}

// Damage implements upgrade.Driver.
func (d *Driver) Damage(ctx context.Context, node, stream string) error {
	unlock, err := d.idle(ctx, node)
	if err != nil {
		return err
	}
	defer unlock()
	return d.servers.Slot(node).Damage(stream)
}

// Empty implements upgrade.Driver.
func (d *Driver) Empty(ctx context.Context, node string) error {
	unlock, err := d.idle(ctx, node)
	if err != nil {
		return err
	}
	defer unlock()
	return d.servers.Slot(node).Empty()
}

// idle is lock for what nobody does to the files of a server that runs.
func (d *Driver) idle(ctx context.Context, node string) (func(), error) {
	unlock, err := d.lock(ctx, node)
	if err == nil && d.servers.Running(node) {
		unlock()
		return nil, fmt.Errorf("the store of %s is in use: it runs", node)
	}
	return unlock, err
}

// Configure implements upgrade.Driver.
func (d *Driver) Configure(ctx context.Context, node, text string) error {
	unlock, err := d.lock(ctx, node)
	if err != nil {
		return err
	}
	defer unlock()
	if err := d.servers.Slot(node).Configure(text); err != nil {
		return err
	}
	d.opts.Sink(cluster.Configured{Node: node, Text: text})
	return nil
}

// Request implements upgrade.Driver: whichever server is up is asked.
func (d *Driver) Request(ctx context.Context, subject string, body []byte) ([]byte, error) {
	var urls []string
	for _, n := range d.opts.Topology.Nodes {
		if d.servers.Running(n.Name) {
			urls = append(urls, n.ClientURL())
		}
	}
	reply, err := []byte(nil), errors.New("no server runs")
	if len(urls) > 0 {
		reply, err = d.opts.System(ctx, urls, subject, body)
	}
	e := cluster.Requested{Subject: subject, Body: string(body), Reply: string(reply)}
	if err != nil {
		e.Reason = err.Error()
		err = fmt.Errorf("ask %s: %w", subject, err)
	}
	d.opts.Sink(e)
	return reply, err
}
