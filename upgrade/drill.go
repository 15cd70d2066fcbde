package upgrade

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"nats-roll/cluster"
)

// Verbs that break something on purpose, and those that only make sense then.

// Attempt is an action that is meant to come to nothing: that it is refused, for
// this reason, is no failure. If it is not refused, that is none either: what came of
// it is for checks to see.
type Attempt struct {
	Action
	Says string // part of the refusal
}

// Run tries it.
func (a Attempt) Run(ctx context.Context, d Driver) error {
	err := a.Action.Run(ctx, d)
	if err != nil && ctx.Err() == nil && strings.Contains(err.Error(), a.Says) {
		return nil
	}
	return err
}

// Drain puts a node's server into lame duck mode, and does not wait until it has
// left.
type Drain struct{ Node string }

// drainLook is how long a server is given to leave at once, as one without clients
// does.
const drainLook = 200 * time.Millisecond

// Command is the kill command.
func (a Drain) Command(o cluster.Observation) string {
	return StopNode{Node: a.Node, How: cluster.StopLameDuck}.Command(o)
}

// Script sends the signal.
func (a Drain) Script() string { return fmt.Sprintf("kill -USR2 \"$%s\"", a.Node) }

// Run asks for it.
func (a Drain) Run(ctx context.Context, d Driver) error {
	soon, cancel := context.WithTimeout(ctx, drainLook)
	defer cancel()
	err := d.Stop(soon, a.Node, cluster.StopLameDuck)
	if errors.Is(err, context.DeadlineExceeded) {
		return ctx.Err()
	}
	return err
}

// Sleep lets time pass between two actions.
type Sleep struct{ For time.Duration }

// Command is the shell's.
func (a Sleep) Command(cluster.Observation) string { return fmt.Sprintf("sleep %g", a.For.Seconds()) }

// Script is the same.
func (a Sleep) Script() string { return a.Command(cluster.Observation{}) }

// Run waits.
func (a Sleep) Run(ctx context.Context, _ Driver) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(a.For):
		return nil
	}
}

// SendSignal sends a node's process a signal that is not to end it.
type SendSignal struct {
	Node   string
	Signal cluster.Signal
}

// Command is the kill command, with the process id where it is known.
func (a SendSignal) Command(o cluster.Observation) string {
	return fmt.Sprintf("kill -%s %s", a.Signal, pid(o, a.Node))
}

// Script sends it.
func (a SendSignal) Script() string { return fmt.Sprintf("kill -%s \"$%s\"", a.Signal, a.Node) }

// Run sends it.
func (a SendSignal) Run(ctx context.Context, d Driver) error { return d.Signal(ctx, a.Node, a.Signal) }

// CutOff leaves half of a build in a node's slot.
type CutOff struct {
	Node  string
	Build cluster.Build
	Slot  string // the folder that holds the node's nats-server
}

// Half is what it leaves, as a build: nobody knows of what version.
var Half = cluster.Build{Source: "cut off", Path: cluster.CutFile}

// Command copies the first half.
func (a CutOff) Command(cluster.Observation) string {
	from := file(a.Build)
	return fmt.Sprintf("cd %s && head -c $(($(wc -c < %s) / 2)) %s > %s && chmod +x %s", Quote(a.Slot), from, from, cluster.CutFile, cluster.CutFile)
}

// Script does the same, if the file is known.
func (a CutOff) Script() string {
	if a.Build.Path == "" {
		return ""
	}
	a.Slot = ""
	_, command, _ := strings.Cut(a.Command(cluster.Observation{}), " && ")
	return fmt.Sprintf("cd \"$DIR/%s\" && %s", a.Node, command)
}

// Run does it.
func (a CutOff) Run(ctx context.Context, d Driver) error { return d.Cut(ctx, a.Node, a.Build) }

// Damage makes the folder of a stream a file.
type Damage struct {
	Node   string
	Stream string
	Slot   string // the folder that holds the node's nats-server
}

// Command moves the folder away, and writes a file in its place.
func (a Damage) Command(cluster.Observation) string {
	dir := cluster.StoreDir + "/jetstream/$G/streams/" + a.Stream
	return fmt.Sprintf("cd %s && mv %s %s.damaged && echo damaged > %s", Quote(a.Slot), Quote(dir), a.Stream, Quote(dir))
}

// Script does the same.
func (a Damage) Script() string {
	_, command, _ := strings.Cut(a.Command(cluster.Observation{}), " && ")
	return fmt.Sprintf("cd \"$DIR/%s\" && %s", a.Node, command)
}

// Run does it.
func (a Damage) Run(ctx context.Context, d Driver) error { return d.Damage(ctx, a.Node, a.Stream) }

// EmptyStore takes away what a node has stored.
type EmptyStore struct {
	Node string
	Slot string // the folder that holds the node's nats-server
}

// Command removes the folder.
func (a EmptyStore) Command(cluster.Observation) string {
	return "rm -r " + Quote(filepath.Join(a.Slot, cluster.StoreDir))
}

// Script does the same.
func (a EmptyStore) Script() string {
	return fmt.Sprintf("rm -r \"$DIR/%s/%s\"", a.Node, cluster.StoreDir)
}

// Run does it.
func (a EmptyStore) Run(ctx context.Context, d Driver) error { return d.Empty(ctx, a.Node) }
