package upgrade

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

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
// be typed: Shell is what works as it stands in another terminal, or empty where the
// command does.
type Shelled interface {
	Shell(o cluster.Observation) string
}

// shellOf is what has to be typed for an action, where that is not its command.
func shellOf(a Action, o cluster.Observation) string {
	if sh, ok := a.(Shelled); ok {
		return sh.Shell(o)
	}
	return ""
}

// Spoken is an action of which it is known what a person sees who types it in
// another terminal.
type Spoken interface{ See() string }

// Bound is an action that needs something only the running cluster knows: Bind has
// it in what is run.
type Bound interface {
	Bind(o cluster.Observation) Action
}

// StartNode starts a node's server.
type StartNode struct {
	Node string
	Args []string // without the program's name
	Slot string   // the folder that holds the node's nats-server
}

// Shell goes to where the server is.
func (a StartNode) Shell(cluster.Observation) string {
	if a.Slot == "" {
		return ""
	}
	return fmt.Sprintf("cd %s && ./nats-server %s", Quote(a.Slot), strings.Join(a.Args, " "))
}

// See is the server's log.
func (a StartNode) See() string {
	return "The server's log, line by line; the terminal is busy with it from now on. “Server is ready” is the line to wait for."
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
	return a.How.Command(pid(o, a.Node))
}

// pid is a process id for a command, or a word for it.
func pid(o cluster.Observation, node string) string {
	if s, ok := o.Server(node); ok && s.Process.Alive() {
		return strconv.Itoa(s.Process.PID)
	}
	return "$PID_OF_" + node
}

// See is what the server says last, in its own terminal. (nats-server
// server/signal.go, server/server.go)
func (a StopNode) See() string {
	switch a.How {
	case cluster.StopKill:
		return fmt.Sprintf("Nothing, and nothing in %s's log either: it has no time to write.", a.Node)
	case cluster.StopLameDuck:
		return fmt.Sprintf("Nothing. %s's log says “Entering lame duck mode”, and “Server Exiting” once its clients are gone.", a.Node)
	case cluster.StopInt, cluster.StopTerm:
	}
	return fmt.Sprintf("Nothing. %s's log ends with “Server Exiting”.", a.Node)
}

// Run stops the server.
func (a StopNode) Run(ctx context.Context, d Driver) error { return d.Stop(ctx, a.Node, a.How) }

// Leave has a server leave in lame duck mode and, after a while, sends it SIGTERM, as
// a service manager does whose patience is at its end.
type Leave struct {
	Node  string
	After time.Duration
}

// Command is the two signals.
func (a Leave) Command(o cluster.Observation) string {
	p := pid(o, a.Node)
	return fmt.Sprintf("%s; sleep %g; %s", cluster.StopLameDuck.Command(p), a.After.Seconds(), cluster.StopTerm.Command(p))
}

// Run sends both and waits for the end.
func (a Leave) Run(ctx context.Context, d Driver) error {
	left := make(chan error, 1)
	go func() { left <- d.Stop(ctx, a.Node, cluster.StopLameDuck) }()
	select {
	case err := <-left:
		return err
	case <-time.After(a.After):
	}
	nudge, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	_ = d.Stop(nudge, a.Node, cluster.StopTerm) // what comes of it is seen
	cancel()
	return <-left
}

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

// See is what can be asked afterwards.
func (a Replace) See() string {
	return "Nothing. “./nats-server --version” in that folder tells what lies there now; what runs has not changed."
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

// Configure writes the file that a node's server reads when it is started.
type Configure struct {
	Node string
	Text string
	Slot string // the folder that holds the node's nats-server
}

// Command writes the file with the shell.
func (a Configure) Command(cluster.Observation) string {
	file := Quote(filepath.Join(a.Slot, cluster.ConfigFile))
	if a.Text == "" {
		return "rm -f " + file
	}
	return fmt.Sprintf("cat > %s <<'EOF'\n%sEOF", file, a.Text)
}

// Run writes it.
func (a Configure) Run(ctx context.Context, d Driver) error {
	return d.Configure(ctx, a.Node, a.Text)
}

// Hold stops a node's process in its tracks, or lets it go on.
type Hold struct {
	Node string
	On   bool
}

// Command is the kill command, with the process id where it is known.
func (a Hold) Command(o cluster.Observation) string {
	sig := "CONT"
	if a.On {
		sig = "STOP"
	}
	return fmt.Sprintf("kill -%s %s", sig, pid(o, a.Node))
}

// Run sends the signal.
func (a Hold) Run(ctx context.Context, d Driver) error { return d.Hold(ctx, a.Node, a.On) }

// Occupy takes a node's client port, or gives it back.
type Occupy struct {
	Node cluster.Node
	On   bool
}

// Command is what a person would type to take the port; giving it back is Ctrl+C.
func (a Occupy) Command(cluster.Observation) string {
	if !a.On {
		return ""
	}
	return fmt.Sprintf("nc -l %s %d", a.Node.Host, a.Node.ClientPort)
}

// Run does it.
func (a Occupy) Run(ctx context.Context, d Driver) error { return d.Occupy(ctx, a.Node.Name, a.On) }

// Ask asks the servers something through the system account.
type Ask struct {
	Server  cluster.Node // whose URL is in the command
	Subject string
	Body    string
}

// Command is the request with the NATS command-line tool.
func (a Ask) Command(cluster.Observation) string {
	return fmt.Sprintf("nats req -s %s --user %s --password %s %s %s",
		a.Server.ClientURL(), cluster.SystemUser, cluster.SystemPassword, Quote(a.Subject), Quote(a.Body))
}

// Run asks; the answer is told, and what it led to is for checks to see.
func (a Ask) Run(ctx context.Context, d Driver) error {
	_, err := d.Request(ctx, a.Subject, []byte(a.Body))
	return err
}

// Series is actions one after the other, up to the first that fails.
type Series []Action

// Command is a line for each.
func (a Series) Command(o cluster.Observation) string {
	return a.lines(func(one Action) string { return one.Command(o) })
}

// Shell is a line for each that a person can type; they are copied together.
func (a Series) Shell(o cluster.Observation) string {
	if !slices.ContainsFunc(a, func(one Action) bool { return shellOf(one, o) != "" }) {
		return ""
	}
	return a.lines(func(one Action) string { return cmp.Or(shellOf(one, o), one.Command(o)) })
}

func (a Series) lines(of func(Action) string) string {
	var out []string
	for _, one := range a {
		if c := of(one); c != "" {
			out = append(out, c)
		}
	}
	return strings.Join(out, "\n")
}

// Run runs them.
func (a Series) Run(ctx context.Context, d Driver) error {
	for _, one := range a {
		if err := one.Run(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// Inspect finds out whether a build is fit to be a node's next binary.
type Inspect struct {
	Node  string
	Build cluster.Build
	Args  []string
	Slot  string // the folder that holds the node's configuration
}

// Command is the two questions that a person can ask a binary. The second one needs a
// configuration, any one where the server has none of its own.
func (a Inspect) Command(cluster.Observation) string {
	args := a.Args
	if !slices.Contains(args, "-c") {
		args = append([]string{"-c", "CONFIG"}, args...)
	}
	program, first := file(a.Build), ""
	switch {
	case a.Build.Path == "":
	case a.Build.ByName():
		first = fmt.Sprintf("mkdir -p next && cp %s next/nats-server && ", program)
		program = "next/nats-server"
	case !strings.Contains(program, "/"):
		program = "./" + program
	}
	return fmt.Sprintf("%s%s --version && %s -t %s", first, program, program, strings.Join(args, " "))
}

// Shell goes to where the configuration is.
func (a Inspect) Shell(o cluster.Observation) string {
	if a.Slot == "" {
		return ""
	}
	return fmt.Sprintf("cd %s && %s", Quote(a.Slot), a.Command(o))
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

// See is what the tool prints.
func (a ConnectClients) See() string {
	return "Every message, as it comes. It needs nats, the command-line tool of NATS; the other clients are started by nats-roll alone."
}

// Run connects the clients.
func (a ConnectClients) Run(ctx context.Context, d Driver) error { return d.Connect(ctx, a.Workload) }

// DisconnectClients ends the fleet.
type DisconnectClients struct{}

// Command is empty: the clients are the program's own, nobody types this.
func (DisconnectClients) Command(cluster.Observation) string { return "" }

// Run disconnects the clients.
func (DisconnectClients) Run(ctx context.Context, d Driver) error { return d.Disconnect(ctx) }

// TellClients has the clients, or a party of them, do something with their
// connections.
type TellClients struct {
	Act   cluster.Act
	Party string
}

// Command is empty: the clients are the program's own, and what they call is said
// where the step is explained.
func (TellClients) Command(cluster.Observation) string { return "" }

// Run has them do it.
func (a TellClients) Run(ctx context.Context, d Driver) error { return d.Act(ctx, a.Act, a.Party) }

// SettleTraffic ends the numbered messages so that they can be counted.
type SettleTraffic struct{}

// Command is empty: the publisher is the program's own, nobody types this.
func (SettleTraffic) Command(cluster.Observation) string { return "" }

// Run settles the traffic.
func (SettleTraffic) Run(ctx context.Context, d Driver) error { return d.Settle(ctx) }
