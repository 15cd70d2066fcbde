package upgrade

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"nats-roll/cluster"
)

// Action is something a step does. Command is what a person would type for it,
// made from the same values that Run uses; the observation gives what only the
// running cluster knows, such as a process id.
type Action interface {
	Command(o cluster.Observation) string
	Run(ctx context.Context, d Driver) error
}

// Shelled is an action whose Command is the tutorial's and needs a word more to
// be typed: Shell is what works as it stands in another terminal.
type Shelled interface{ Shell() string }

// StartNode starts a node's server.
type StartNode struct {
	Node string
	Args []string // without the program's name
	Slot string   // the folder that holds the node's nats-server
}

// Shell goes to where the server is.
func (a StartNode) Shell() string {
	if a.Slot == "" {
		return ""
	}
	return fmt.Sprintf("cd %s && ./nats-server %s", Quote(a.Slot), strings.Join(a.Args, " "))
}

// Command is the server's command line.
func (a StartNode) Command(cluster.Observation) string {
	return "nats-server " + strings.Join(a.Args, " ")
}

// Run starts the server.
func (a StartNode) Run(ctx context.Context, d Driver) error { return d.Start(ctx, a.Node, a.Args) }

// StopNode ends a node's server.
type StopNode struct {
	Node string
	How  cluster.Stop
}

// Command is the kill command, with the process id where it is known.
func (a StopNode) Command(o cluster.Observation) string {
	pid := "$PID_OF_" + a.Node
	if s, ok := o.Server(a.Node); ok && s.Process.Alive() {
		pid = strconv.Itoa(s.Process.PID)
	}
	return a.How.Command(pid)
}

// Run stops the server.
func (a StopNode) Run(ctx context.Context, d Driver) error { return d.Stop(ctx, a.Node, a.How) }

// Replace puts a build into a node's slot.
type Replace struct {
	Node  string
	Build cluster.Build
	Slot  string // the folder that holds the node's nats-server
}

// Command copies beside the old file and renames over it: writing into a
// running program's file fails with "text file busy".
func (a Replace) Command(cluster.Observation) string {
	return fmt.Sprintf("cd %s && cp %s new && mv new nats-server", Quote(a.Slot), file(a.Build))
}

// file is where a build lies, or a word for it.
func file(b cluster.Build) string {
	if b.Path == "" {
		return "nats-server-v" + string(b.Version)
	}
	return Quote(b.Path)
}

// plainPath needs no quotes in a shell; a leading ~ has to stay without.
var plainPath = regexp.MustCompile(`^[A-Za-z0-9_~./:@%+,=-]+$`)

// Quote writes a path, or another argument, so that a shell takes it as one word.
func Quote(path string) string {
	if plainPath.MatchString(path) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// Run replaces the file.
func (a Replace) Run(ctx context.Context, d Driver) error { return d.Install(ctx, a.Node, a.Build) }

// Inspect finds out whether a build is fit to be a node's next binary.
type Inspect struct {
	Node  string
	Build cluster.Build
	Args  []string
}

// Command is the two questions that a person can ask a binary.
func (a Inspect) Command(cluster.Observation) string {
	return fmt.Sprintf("%s --version && %s -t -c CONFIG %s", file(a.Build), file(a.Build), strings.Join(a.Args, " "))
}

// Run looks.
func (a Inspect) Run(ctx context.Context, d Driver) error {
	return d.Inspect(ctx, a.Node, a.Build, a.Args)
}

// ConnectClients starts the fleet.
type ConnectClients struct {
	Workload cluster.Workload
	To       cluster.Node // where the subscribers are started
}

// Command is the tutorial's; the other clients are the program's own.
func (a ConnectClients) Command(cluster.Observation) string {
	return fmt.Sprintf(`nats sub -s %s ">"`, a.To.ClientURL())
}

// Run connects the clients.
func (a ConnectClients) Run(ctx context.Context, d Driver) error { return d.Connect(ctx, a.Workload) }

// SettleTraffic ends the numbered messages so that they can be counted.
type SettleTraffic struct{}

// Command is empty: the publisher is the program's own, nobody types this.
func (SettleTraffic) Command(cluster.Observation) string { return "" }

// Run settles the traffic.
func (SettleTraffic) Run(ctx context.Context, d Driver) error { return d.Settle(ctx) }
