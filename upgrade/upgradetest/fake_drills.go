package upgradetest

import (
	"context"
	"fmt"
	"time"

	"nats-roll/cluster"
)

// What chapters do to servers besides starting and stopping them.

// with does something to a node, unless the context has ended or there is none.
func (f *Fake) with(ctx context.Context, name string, do func(*node) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(ctx, name)
	if err != nil {
		return err
	}
	return do(n)
}

// Configure implements upgrade.Driver: the text is told, and read only for Misread.
func (f *Fake) Configure(ctx context.Context, name, text string) error {
	return f.with(ctx, name, func(n *node) error {
		n.config = text
		f.Sink(cluster.Configured{Node: name, Text: text})
		return nil
	})
}

// Signal implements upgrade.Driver.
func (f *Fake) Signal(ctx context.Context, name string, sig cluster.Signal) error {
	return f.with(ctx, name, func(n *node) error {
		if !n.process.Alive() {
			return fmt.Errorf("signal %s: it does not run", name)
		}
		f.Sink(cluster.Signalled{Node: name, PID: n.process.PID, Signal: sig, At: time.Now()})
		switch {
		case sig == cluster.SignalTerm && n.process.Stop != cluster.StopLameDuck:
			f.exit(name, n, cluster.Exit{})
		case sig == cluster.SignalReload && f.misreads(n):
			f.log(name, n, cluster.LevelError, cluster.TopicReloadFailed, "Failed to reload server configuration")
		}
		return nil
	})
}

// Cut implements upgrade.Driver: a fake's files are names.
func (f *Fake) Cut(ctx context.Context, name string, _ cluster.Build) error {
	return f.with(ctx, name, func(*node) error { return nil })
}

// Damage implements upgrade.Driver: a fake has one stream, and only with clients.
func (f *Fake) Damage(ctx context.Context, name, stream string) error {
	return f.store(ctx, name, stream, "the folder of stream "+stream+" is a file now")
}

// Empty implements upgrade.Driver.
func (f *Fake) Empty(ctx context.Context, name string) error { return f.store(ctx, name, "", "") }

func (f *Fake) store(ctx context.Context, name, stream, how string) error {
	return f.with(ctx, name, func(n *node) error {
		switch {
		case n.process.Alive():
			return fmt.Errorf("the store of %s is in use: it runs", name)
		case stream != "" && (!f.Topology.JetStream || len(f.clients) == 0):
			return fmt.Errorf("damage stream %s of %s: there is none", stream, name)
		}
		n.damaged = how != ""
		f.Sink(cluster.Damaged{Node: name, How: how})
		return nil
	})
}

// Hold implements upgrade.Driver: a server that is held does not answer.
func (f *Fake) Hold(ctx context.Context, name string, on bool) error {
	return f.with(ctx, name, func(n *node) error {
		if !n.process.Alive() {
			return fmt.Errorf("hold %s: it does not run", name)
		}
		n.process.Held = on
		f.Sink(cluster.Held{Node: name, PID: n.process.PID, On: on})
		return nil
	})
}

// Occupy implements upgrade.Driver.
func (f *Fake) Occupy(ctx context.Context, name string, on bool) error {
	return f.with(ctx, name, func(n *node) error {
		if on && n.process.Alive() {
			return fmt.Errorf("occupy the port of %s: it is in use", name)
		}
		n.taken = on
		at, _ := f.Topology.Node(name)
		f.Sink(cluster.Occupied{Node: name, Port: at.ClientPort, On: on})
		return nil
	})
}

// Request implements upgrade.Driver.
func (f *Fake) Request(ctx context.Context, subject string, body []byte) (reply []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e := cluster.Requested{Subject: subject, Body: string(body)}
	if f.Reply == nil {
		err = errNoServer
	} else {
		reply, err = f.Reply(subject, body)
	}
	if e.Reply = string(reply); err != nil {
		e.Reason = err.Error()
	}
	f.Sink(e)
	return reply, err
}
