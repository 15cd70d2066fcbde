package upgrade

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nats-roll/advice"
	"nats-roll/cluster"
)

// Spec is what a planner needs to know.
type Spec struct {
	Topology cluster.Topology
	From, To cluster.Builds
	Workload cluster.Workload
	Stop     cluster.Stop
	Budgeted bool          // budgets say what it may cost
	Hold     time.Duration // how long the servers must have run before the books are closed
	Dir      string        // where the slots are, for the commands shown
	Notes    []string      // shown with the plan
	Advice   advice.Steps
	Windows  bool // the servers run where there are no signals
}

// Time limits of steps. They bound a failure; nothing waits for them.
const (
	actTimeout  = 30 * time.Second
	lameDuckMax = 2 * time.Minute  // lame_duck_duration's default (nats-server server/const.go)
	lameDuckMin = 10 * time.Second // lame_duck_grace_period's default
)

// LameDuckTime predicts how long a server in lame duck mode takes to end: the
// grace period, and then one client after another with at most a second
// between two of them. (nats-server server/server.go lameDuckMode)
func LameDuckTime(clients int) time.Duration {
	_, most := lameDuckTimes(clients, lameDuckMax, lameDuckMin)
	return most
}

// LameDuckOf predicts it for a server, with the clients that it had when it was
// asked, and with the durations that it is configured with.
func LameDuckOf(s cluster.Server) (least, most time.Duration) {
	if strings.Contains(s.Config, shortLameDuckConfig) {
		return lameDuckTimes(s.Drained, shortLameDuck, shortGrace)
	}
	return lameDuckTimes(s.Drained, lameDuckMax, lameDuckMin)
}

// lameDuckTimes: between two clients a server waits for a random time, at least half
// of the longest pause. With streams it waits another second until others lead them.
func lameDuckTimes(clients int, duration, grace time.Duration) (least, most time.Duration) {
	if clients == 0 {
		return 0, 0
	}
	pause := min((duration-grace)/time.Duration(clients), time.Second)
	return grace + time.Duration(clients-1)*pause/2, grace + time.Duration(clients)*pause
}

// base is what every chapter makes its steps from: the servers, their builds,
// actions and requirements on them.
type base struct{ Spec }

// head is a plan without steps. In every slot lies the old build, and in that of
// the temporary server the new one.
func (r base) head(chapter, title, intro string) Plan {
	p := Plan{
		Chapter:  chapter,
		Title:    title,
		Intro:    intro,
		Notes:    r.Notes,
		Advice:   r.Advice,
		Topology: r.Topology,
		From:     r.From,
		To:       r.To,
		Slots:    map[string]cluster.Build{},
	}
	for _, n := range r.Topology.Nodes {
		p.Slots[n.Name] = r.from(n)
		if !n.Permanent {
			p.Slots[n.Name] = r.to(n)
		}
	}
	return p
}

// mixed says that the permanent servers end with different builds.
func (r base) mixed() bool {
	permanent := r.Topology.Permanent()
	return slices.ContainsFunc(permanent, func(n cluster.Node) bool { return r.to(n) != r.to(permanent[0]) })
}

// asWritten says that the servers are the tutorial's: two, and a temporary one.
// What it says of where clients go is about those.
func (r base) asWritten() bool {
	_, spare := r.Topology.Spare()
	return spare && len(r.Topology.Permanent()) == 2
}

// from and to are the builds of a node's turn.
func (r base) from(n cluster.Node) cluster.Build { return r.From.Of(n.Name) }
func (r base) to(n cluster.Node) cluster.Build   { return r.To.Of(n.Name) }

func slug(verb, node string) string { return verb + "-" + strings.ToLower(node) }

func (r base) startAction(n cluster.Node) StartNode {
	a := StartNode{Node: n.Name, Args: r.Topology.Args(n)}
	if r.Dir != "" {
		a.Slot = r.slot(n)
	}
	return a
}

func (r base) stopAction(n cluster.Node) StopNode { return StopNode{Node: n.Name, How: r.Stop} }

// isUp requires a server, and starts it where it is missing.
func (r base) isUp(nodes ...cluster.Node) []Requirement {
	var out []Requirement
	for _, n := range nodes {
		out = append(out, Requirement{Check: Up{Node: n.Name}, Remedy: r.startAction(n)})
	}
	return out
}

// has requires a build in the node's slot, and puts it there where it is not.
func (r base) has(n cluster.Node, b cluster.Build) Requirement {
	return Requirement{
		Check:  OnDisk{Node: n.Name, Build: b},
		Remedy: Replace{Node: n.Name, Build: b, Slot: r.slot(n)},
	}
}

// others lists every node of the cluster as it stands during the turns.
func (r base) others(without string) []cluster.Node {
	var out []cluster.Node
	for _, n := range r.Topology.Nodes {
		if n.Name != without {
			out = append(out, n)
		}
	}
	return out
}

// elsewhere is what is asked of the clients of a server that is gone. Those that
// know no other wait for it.
func (r base) elsewhere(n cluster.Node) []Check {
	if r.Workload.Behaviour.Stranded() {
		return nil
	}
	return []Check{Census{Without: n.Name}, Reached{}}
}

// streams says that the rehearsal has some.
func (r base) streams() bool { return r.Topology.JetStream && r.Workload.JetStream() }

// current is what is asked of the streams before a server is stopped and after
// one is back.
func (r base) current() []Check {
	if !r.streams() {
		return nil
	}
	return []Check{Replicated{Nodes: r.Topology.Permanent()}}
}

func (r base) replicated() []Requirement {
	var out []Requirement
	for _, c := range r.current() {
		out = append(out, Requirement{Check: c})
	}
	return out
}

func (r base) stopTimeout() time.Duration {
	if r.Stop != cluster.StopLameDuck {
		return actTimeout
	}
	return actTimeout + LameDuckTime(r.Workload.Clients())
}

// stopWords tells what the chosen way to stop does.
func (r base) stopWords(n cluster.Node) string {
	switch r.Stop {
	case cluster.StopTerm:
		return fmt.Sprintf("%s is asked to end with SIGTERM, as service managers do.", n.Name)
	case cluster.StopLameDuck:
		return fmt.Sprintf("%s is put into lame duck mode: it takes no new clients, waits ten seconds, then closes its clients one after another and ends.", n.Name)
	case cluster.StopKill:
		return fmt.Sprintf("%s is killed with SIGKILL: it has no time to say goodbye.", n.Name)
	default:
		return fmt.Sprintf("%s gets the Ctrl+C of the tutorial, SIGINT: it closes its connections and ends.", n.Name)
	}
}

// fit is what is asked of a build before a server is stopped for it.
func (r base) fit(n cluster.Node) Requirement {
	return Requirement{
		Check:  Fit{Node: n.Name, Build: r.to(n)},
		Remedy: Inspect{Node: n.Name, Build: r.to(n), Args: r.Topology.Args(n), Slot: r.slot(n)},
		Look:   true,
	}
}

// replaced is what makes replacing unnecessary. When both sides are the same
// build, the file looks right from the start, and only doing it is doing it.
func (r base) replaced(n cluster.Node) Check {
	if r.from(n).Same(r.to(n)) {
		return nil
	}
	return OnDisk{Node: n.Name, Build: r.to(n)}
}

func (r base) slot(n cluster.Node) string {
	return filepath.Join(r.Dir, n.Name)
}

func (r base) start(i int) Step {
	permanent := r.Topology.Permanent()
	n := permanent[i]
	s := Step{
		ID: slug("start", n.Name), Title: "Start " + n.Name, Node: n.Name,
		Given:   append(r.isUp(permanent[:i]...), r.has(n, r.from(n))),
		Do:      r.startAction(n),
		Met:     Running{Node: n.Name, Build: r.from(n)},
		Until:   []Check{Running{Node: n.Name, Build: r.from(n)}},
		Timeout: actTimeout,
		Undo:    r.quickStop(n),
		Undone:  []Check{Exited{Node: n.Name}},
	}
	if i > 1 {
		s.Undone = append(s.Undone, Meshed{Among: names(permanent[:i])})
	}
	if i == 0 {
		s.Why = fmt.Sprintf("The first server. Clients connect to it on port %d, other servers on %d. Its routes list every permanent server, "+
			"itself included, so that all of them can be started with the same list. Nobody listens on %d yet, and it will say so: "+
			"that complaint is expected, and it keeps trying once a second.", n.ClientPort, n.RoutePort, permanent[1].RoutePort)
		s.Hint = fmt.Sprintf("A server needs to be told three things: where its clients find it, where other servers find it, and where it finds them. "+
			"Which of the flags is which? Then read %s's log: what does it complain about?", n.Name)
		s.Quote = "You will see the server started, we notice it emits some warnings because it cannot connect to 'localhost:6333'."
		s.Until = append(s.Until, Complains{Node: n.Name, Peer: permanent[1]})
		s.Claims = []Claim{routesConnect(n, permanent[1]), selfRoute(n), warns(n, permanent[1]), refusedLine(n, permanent[1])}
		return s
	}
	s.Why = fmt.Sprintf("%s dials the routes it was given, and the servers tell each other about the rest of the cluster: that is gossip. "+
		"Each pair keeps several connections (a pool of three and one for the system account), so count peers, not connections.", n.Name)
	s.Hint = fmt.Sprintf("It is the command of %s with other ports, and the same list of routes. Watch the routes: who dials whom does not matter, both sides see it.", permanent[0].Name)
	if i == 1 {
		s.Quote = "Let's fix that, by starting the second server:"
		s.Claims = []Claim{oneConfiguration(permanent[:2]), secondServer(permanent[0], n)}
	}
	s.Until = append(s.Until, Meshed{Among: names(permanent[:i+1])})
	return s
}

func (r base) connect() Step {
	permanent := r.Topology.Permanent()
	first, last := permanent[0], permanent[len(permanent)-1]
	s := Step{
		ID: "connect-clients", Title: "Connect the clients", Why: crew(r.Workload, first, last),
		Hint:    fmt.Sprintf("A subscriber needs the address of one server, and the subjects it wants. Which server will it name as its own, and where would it go without %s?", first.Name),
		Quote:   "Let's get one client, so we can observe it moving between servers as servers get removed:",
		Given:   r.isUp(permanent...),
		Do:      ConnectClients{Workload: r.Workload, To: first},
		Met:     Present{Clients: r.Workload.Clients()},
		Until:   append([]Check{Census{}, Reached{}}, r.current()...),
		Timeout: actTimeout,
		Undo:    DisconnectClients{},
		Loses:   "clients and count are lost",
	}
	if !r.Workload.Behaviour.All {
		s.Met = StartedOn{Node: first.Name}
		s.Until = append([]Check{s.Met}, s.Until...)
		s.Claims = []Claim{debugOutput(first), clientMessage(first)}
	}
	if r.streams() {
		s.Loses = "clients, streams and count are lost"
	}
	s.Claims = append(s.Claims, selectRandomly(r.Workload, first))
	for i := range r.Workload.Applications {
		joined := Joined{Application: cluster.ApplicationName(i)}
		s.Met, s.Until = both{s.Met, joined}, append(s.Until, joined)
	}
	return s
}

// back is the way back in a node's turn: whatever runs there now is ended, and
// the old server is started from the old file.
func (r base) back(n cluster.Node) *Way {
	return &Way{
		Do: []Action{
			r.quickStop(n),
			Replace{Node: n.Name, Build: r.from(n), Slot: r.slot(n)},
			r.startAction(n),
		},
		Until: append([]Check{Running{Node: n.Name, Build: r.from(n)}, Meshed{Among: names(r.Topology.Nodes)}, Census{}, Reached{}, NoneGone{}}, r.current()...),
		Build: r.from(n),
	}
}

// quickStop ends a server that is not wanted as it is; nobody waits for a lame
// duck then.
func (r base) quickStop(n cluster.Node) StopNode {
	if r.Stop == cluster.StopKill {
		return StopNode{Node: n.Name, How: cluster.StopKill}
	}
	return StopNode{Node: n.Name, How: cluster.StopInt}
}

// upAgain is what is true once a server that was stopped is back with all others.
func (r base) upAgain(n cluster.Node, b cluster.Build) []Check {
	return append([]Check{Running{Node: n.Name, Build: b}, Meshed{Among: names(r.Topology.Nodes)}, Census{}, Reached{}}, r.current()...)
}

// LookBack is the step that closes the books.
const LookBack = "look-back"

func (r base) lookBack() Step {
	permanent := r.Topology.Permanent()
	s := Step{
		ID: LookBack, Title: "See what happened",
		Why: "The publisher stops and the last message in flight is waited for; then the books are closed: which client went where, how long it was away, " +
			"and which messages it missed or got twice. Core NATS delivers at most once: what is sent while a subscriber changes servers is gone for it.",
		Hint:    "Add up: what was published, times those who should have heard it, is what was expected. Each that was lost has a step that lost it: which one lost most?",
		Given:   r.isUp(permanent...),
		Do:      SettleTraffic{},
		Timeout: actTimeout,
		Undo:    ConnectClients{Workload: r.Workload, To: permanent[0]},
		Undone:  append([]Check{Census{}, Reached{}, Counting{}}, r.current()...),
		Loses:   "clients connect and count anew",
	}
	if r.Hold > 0 {
		s.Given = append(s.Given, Requirement{Check: Steady{Nodes: names(permanent), For: r.Hold}})
		s.Timeout += r.Hold
	}
	for _, n := range permanent {
		s.Until = append(s.Until, Running{Node: n.Name, Build: r.to(n)})
	}
	s.Until = append(s.Until, Meshed{Among: names(permanent)}, NoneGone{Other: len(r.Workload.Parties) > 0}, Census{}, Accounted{})
	if r.streams() {
		s.Until = append(s.Until, Kept{Budgeted: r.Budgeted})
	}
	return s
}
