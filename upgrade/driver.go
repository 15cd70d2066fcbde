// Package upgrade holds the plan of a rolling upgrade and the runner that walks
// it. A plan is data: steps with a title, the reason, the command a person
// would type, the action, and the checks that must hold afterwards. The package
// knows no processes and no terminal: it acts through a Driver and sees the
// world as cluster.Observation.
//
// Its one goroutine is the caller of Runner.Run, which ends with the plan or
// with its context.
package upgrade

import (
	"context"

	"nats-roll/cluster"
)

// Driver acts on the servers and the clients of one rehearsal. What its actions
// bring about is told as events to the sink it was made with; a method that
// returns nil has done its part, and the proof is in the observations.
//
// A driver is safe for concurrent use; actions on the same node wait for each
// other, except that a second Stop is never kept waiting by the first, and that
// Stage keeps only Install waiting. The
// context bounds the action, not the life of what it started.
type Driver interface {
	// Stage brings a build next to the node's slot, so that a later Install of
	// it is quick. Tells nothing.
	Stage(ctx context.Context, node string, b cluster.Build) error
	// Inspect stages a build and finds out whether the node could run it: it
	// runs here and is what it says, it takes the node's command line, the
	// node's ports are free or the node's own. It changes nothing that runs. What
	// it finds is no error. Tells cluster.Inspected.
	Inspect(ctx context.Context, node string, b cluster.Build, args []string) error
	// Install puts a build into the node's slot, atomically, whether or not a
	// server runs there. What runs stays what it is. Tells cluster.Installed.
	Install(ctx context.Context, node string, b cluster.Build) error
	// Start starts the node's server from the file in its slot with these
	// arguments. It returns once the process exists; that the server is up is
	// for checks to see. Starting a node that runs is an error. Tells
	// cluster.Started, and cluster.Exited whenever that process ends; or, where it
	// could not be started, cluster.Refused.
	Start(ctx context.Context, node string, args []string) error
	// Stop asks the node's server to end and waits until it has. A server that
	// ignores the signal for the grace is killed, and its exit says so.
	// Stopping a server that is down is not an error. Tells cluster.StopAsked
	// and cluster.Exited.
	Stop(ctx context.Context, node string, how cluster.Stop) error
	// Connect starts the clients, every subscriber on the first node, and the
	// numbered traffic; it returns once every subscriber has been reached by a
	// message. Clients that are connected already are ended before, but not what they
	// made in JetStream; tells cluster.FleetGone of them. Tells cluster.FleetChanged, then and ever after. Then it starts the
	// user's own applications; tells cluster.ApplicationStarted, and
	// cluster.ApplicationExited whenever one ends.
	Connect(ctx context.Context, w cluster.Workload) error
	// Disconnect ends the clients, what they made in JetStream, and the user's own
	// applications; what they counted is closed. Where nobody is connected there is
	// nothing to do. Tells cluster.FleetGone in any case.
	Disconnect(ctx context.Context) error
	// Settle ends the numbered traffic and waits for the last message in
	// flight. Tells cluster.FleetChanged with Totals.Settled.
	Settle(ctx context.Context) error
	// Act has the subscribers, or for cluster.ActJoin the members of a party, do
	// something with their connections; it returns once they have. Tells
	// cluster.FleetChanged.
	Act(ctx context.Context, act cluster.Act, party string) error
	// Configure writes cluster.ConfigFile in the node's slot, atomically; with an
	// empty text it takes the file away. A server reads it when it is started. Tells
	// cluster.Configured.
	Configure(ctx context.Context, node, text string) error
	// Hold stops the node's process in its tracks with SIGSTOP, or lets it go on
	// with SIGCONT; on Windows it is an error. Tells cluster.Held.
	Hold(ctx context.Context, node string, on bool) error
	// Occupy listens on the node's client port, so that its server cannot, or gives
	// the port back. Tells cluster.Occupied.
	Occupy(ctx context.Context, node string, on bool) error
	// Signal sends the node's process a signal that is not to end it; on Windows it
	// is an error. If it ends all the same, nobody has asked for that. Tells
	// cluster.Signalled.
	Signal(ctx context.Context, node string, sig cluster.Signal) error
	// Cut leaves the first half of a build in the node's slot, as cluster.CutFile.
	// A build whose path is relative is a file in the slot. Tells nothing.
	Cut(ctx context.Context, node string, b cluster.Build) error
	// Damage makes the folder of a stream on a node that is down a file. Tells
	// cluster.Damaged.
	Damage(ctx context.Context, node, stream string) error
	// Empty takes away all that a node that is down has stored. Tells
	// cluster.Damaged, with nothing in it.
	Empty(ctx context.Context, node string) error
	// Request asks the servers something as cluster.SystemUser, and returns the
	// first answer. Tells cluster.Requested.
	Request(ctx context.Context, subject string, body []byte) ([]byte, error)
	// Look asks everything for fresh observations soon. It does not wait.
	Look()
}
