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
	if clients == 0 {
		return 0
	}
	return lameDuckMin + min(lameDuckMax-lameDuckMin, time.Duration(clients)*time.Second)
}

// Rolling is the tutorial's upgrade, as written: the permanent servers one by
// one, with a temporary one beside them when the topology has it.
func Rolling(s Spec) Plan {
	return rolling{Spec: s, chapter: "rolling", noun: "upgrade", done: "upgraded"}.plan()
}

// Downgrade is what the tutorial says of going back: the same path, and another
// binary.
func Downgrade(s Spec) Plan {
	return rolling{Spec: s, chapter: "downgrade", noun: "downgrade", done: "downgraded", down: true}.plan()
}

// rolling builds the steps of both chapters; its methods stand in their order.
type rolling struct {
	Spec
	chapter, noun, done string
	down                bool
}

func (r rolling) plan() Plan {
	p := Plan{
		Chapter:  r.chapter,
		Title:    "Rolling " + r.noun,
		Intro:    r.intro(),
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
	permanent := r.Topology.Permanent()
	for i := range permanent {
		p.Steps = append(p.Steps, r.start(i))
	}
	p.Steps = append(p.Steps, r.connect())
	spare, hasSpare := r.Topology.Spare()
	if hasSpare {
		p.Steps = append(p.Steps, r.startSpare(spare))
	}
	for i := range permanent {
		p.Steps = append(p.Steps, r.stop(i), r.replace(i), r.restart(i))
	}
	if hasSpare {
		p.Steps = append(p.Steps, r.stopSpare(spare))
	}
	p.Steps = append(p.Steps, r.lookBack())
	return p
}

// backQuote is the text's on the way down.
const backQuote = "Fortunately, the downgrade path is the same as the upgrade path as noted above. Swap the binary and do a rolling restart."

// quoted is the text's sentence, which for the way down is one for all turns.
func (r rolling) quoted(up string) string {
	if r.down {
		return backQuote
	}
	return up
}

func (r rolling) intro() string {
	permanent := names(r.Topology.Permanent())
	text := fmt.Sprintf("You will %s a NATS cluster of %d servers, %s, from %s to %s while clients are connected.",
		r.noun, len(permanent), List(permanent), r.From, r.To)
	if r.mixed() {
		text += " The servers end with different builds, side by side for as long as you like."
	}
	if r.From.Same(r.To) {
		text = fmt.Sprintf("You will restart a NATS cluster of %d servers, %s, one by one while clients are connected. %s is on both sides: no version changes.",
			len(permanent), List(permanent), r.To)
	}
	if spare, ok := r.Topology.Spare(); ok {
		text += fmt.Sprintf(" A temporary server %s gives the clients another place to go meanwhile.", spare.Name)
	}
	text += " Real nats-server processes run on this machine; each is stopped, its binary is replaced, and it is started again."
	if r.down && len(r.Advice) > 0 {
		text += fmt.Sprintf(" The text on going back: “%s” Today: %s", r.Advice[0].TextSays.Text, r.Advice[0].Policy.Text)
	}
	return text
}

// mixed says that the permanent servers end with different builds.
func (r rolling) mixed() bool {
	permanent := r.Topology.Permanent()
	return slices.ContainsFunc(permanent, func(n cluster.Node) bool { return r.to(n) != r.to(permanent[0]) })
}

// asWritten says that the servers are the tutorial's: two, and a temporary one.
// What it says of where clients go is about those.
func (r rolling) asWritten() bool {
	_, spare := r.Topology.Spare()
	return spare && len(r.Topology.Permanent()) == 2
}

// from and to are the builds of a node's turn.
func (r rolling) from(n cluster.Node) cluster.Build { return r.From.Of(n.Name) }
func (r rolling) to(n cluster.Node) cluster.Build   { return r.To.Of(n.Name) }

func slug(verb, node string) string { return verb + "-" + strings.ToLower(node) }

func (r rolling) startAction(n cluster.Node) StartNode {
	a := StartNode{Node: n.Name, Args: r.Topology.Args(n)}
	if r.Dir != "" {
		a.Slot = r.slot(n)
	}
	return a
}

func (r rolling) stopAction(n cluster.Node) StopNode { return StopNode{Node: n.Name, How: r.Stop} }

// isUp requires a server, and starts it where it is missing.
func (r rolling) isUp(nodes ...cluster.Node) []Requirement {
	var out []Requirement
	for _, n := range nodes {
		out = append(out, Requirement{Check: Up{Node: n.Name}, Remedy: r.startAction(n)})
	}
	return out
}

// has requires a build in the node's slot, and puts it there where it is not.
func (r rolling) has(n cluster.Node, b cluster.Build) Requirement {
	return Requirement{
		Check:  OnDisk{Node: n.Name, Build: b},
		Remedy: Replace{Node: n.Name, Build: b, Slot: r.slot(n)},
	}
}

// others lists every node of the cluster as it stands during the turns.
func (r rolling) others(without string) []cluster.Node {
	var out []cluster.Node
	for _, n := range r.Topology.Nodes {
		if n.Name != without {
			out = append(out, n)
		}
	}
	return out
}

func (r rolling) start(i int) Step {
	permanent := r.Topology.Permanent()
	n := permanent[i]
	s := Step{
		ID: slug("start", n.Name), Title: "Start " + n.Name, Node: n.Name,
		Given:   append(r.isUp(permanent[:i]...), r.has(n, r.from(n))),
		Do:      r.startAction(n),
		Met:     Running{Node: n.Name, Build: r.from(n)},
		Until:   []Check{Running{Node: n.Name, Build: r.from(n)}},
		Timeout: actTimeout,
		Undo:    r.stopAction(n),
	}
	if i == 0 {
		s.Why = fmt.Sprintf("The first server. Clients connect to it on port %d, other servers on %d. Its routes list every permanent server, "+
			"itself included, so that all of them can be started with the same list. Nobody listens on %d yet, and it will say so: "+
			"that complaint is expected, and it keeps trying once a second.", n.ClientPort, n.RoutePort, permanent[1].RoutePort)
		s.Quote = "You will see the server started, we notice it emits some warnings because it cannot connect to 'localhost:6333'."
		s.Until = append(s.Until, Complains{Node: n.Name, Peer: permanent[1]})
		s.Claims = []Claim{refusedRoute(n, permanent[1]), selfRoute(n)}
		return s
	}
	s.Why = fmt.Sprintf("%s dials the routes it was given, and the servers tell each other about the rest of the cluster: that is gossip. "+
		"Each pair keeps several connections (a pool of three and one for the system account), so count peers, not connections.", n.Name)
	if i == 1 {
		s.Quote = "Let's fix that, by starting the second server."
	}
	s.Until = append(s.Until, Meshed{Among: names(permanent[:i+1])})
	return s
}

func (r rolling) connect() Step {
	permanent := r.Topology.Permanent()
	first, last := permanent[0], permanent[len(permanent)-1]
	s := Step{
		ID: "connect-clients", Title: "Connect the clients", Why: crew(r.Workload, first, last),
		Quote:   "Let's get one client, so we can observe it moving between servers as servers get removed.",
		Given:   r.isUp(permanent...),
		Do:      ConnectClients{Workload: r.Workload, To: first},
		Met:     Present{Clients: r.Workload.Clients()},
		Until:   append([]Check{Census{}, Reached{}}, r.current()...),
		Timeout: actTimeout,
		NoUndo:  "clients only watch; they end with the rehearsal",
	}
	if !r.Workload.Behaviour.All {
		s.Met = StartedOn{Node: first.Name}
		s.Until = append([]Check{s.Met}, s.Until...)
		s.Claims = []Claim{connectedTo(first)}
	}
	for i := range r.Workload.Applications {
		joined := Joined{Application: cluster.ApplicationName(i)}
		s.Met, s.Until = both{s.Met, joined}, append(s.Until, joined)
	}
	return s
}

func (r rolling) startSpare(n cluster.Node) Step {
	s := Step{
		ID: slug("start", n.Name), Title: fmt.Sprintf("Start %s, the temporary server", n.Name), Node: n.Name,
		Why: fmt.Sprintf("While a server is away its clients need somewhere to go. %s joins for the time of the %s and already runs %s. "+
			"Nobody moves when a server joins; but within an instant every connected client is told that %s exists.", n.Name, r.noun, r.to(n), n.Name),
		Quote:   "Its sole purpose is to provide an additional place where clients can go other than 'A' and ensure we don't end up with a single server serving all the clients after the upgrade procedure.",
		Given:   append(r.isUp(r.Topology.Permanent()...), r.has(n, r.to(n))),
		Do:      r.startAction(n),
		Met:     Running{Node: n.Name, Build: r.to(n)},
		Until:   []Check{Running{Node: n.Name, Build: r.to(n)}, Meshed{Among: names(r.Topology.Nodes)}},
		Claims:  []Claim{learned(n, len(r.Topology.Nodes))},
		Timeout: actTimeout,
		Undo:    r.stopAction(n),
	}
	if !r.Workload.Behaviour.IgnoreDiscovered {
		s.Until = append(s.Until, Know{Nodes: r.Topology.Nodes})
	}
	return s
}

func (r rolling) stop(i int) Step {
	n := r.Topology.Permanent()[i]
	others := r.others(n.Name)
	s := Step{
		ID: slug("stop", n.Name), Title: "Stop " + n.Name, Node: n.Name,
		Given:   append(append(r.isUp(others...), r.replicated()...), r.fit(n)),
		Do:      r.stopAction(n),
		Stops:   true,
		Met:     Exited{Node: n.Name},
		Past:    Restarted{Node: n.Name, Build: r.to(n)},
		Until:   append([]Check{Exited{Node: n.Name}}, r.elsewhere(n)...),
		Timeout: r.stopTimeout(),
		Undo:    r.startAction(n),
		Back:    r.back(n),
	}
	if len(others) > 1 {
		s.Until = append(s.Until, Meshed{Among: names(others)})
	}
	switch i {
	case 0:
		s.Why = fmt.Sprintf("Now the %s begins. %s Its clients notice at once and try the next server they know; gossip has told them which there are.", r.noun, r.stopWords(n))
		s.Quote = "We invoke our admin powers and turn off 'A' by issuing a `CTRL+C` to the terminal on 'A' and observe that either 'B' or 'C' reports that a new client connected."
		s.Claims = append(s.Claims, subscriberMoves(n.Name))
		if r.asWritten() {
			s.Claims, s.Predict = append(s.Claims, evenly(n, others)), names(others)
		}
	case 1:
		s.Why = fmt.Sprintf("%s is %s; now the same for %s. %s Watch where its clients go.", r.Topology.Permanent()[0].Name, r.done, n.Name, r.stopWords(n))
		s.Quote = r.quoted("We move on to upgrade 'B'. Notice that clients from 'B' reconnect to 'A' and 'C'.")
		if r.asWritten() {
			s.Claims, s.Predict = append(s.Claims, redistribute("clients from 'B' reconnect to 'A' and 'C'", n, others)), names(others)
		}
	default:
		s.Why = fmt.Sprintf("The same rotation for %s. %s", n.Name, r.stopWords(n))
		s.Quote = "If we had more servers, we would continue the stop, update, restart rotation as we did for 'A' and 'B'."
	}
	return s
}

// elsewhere is what is asked of the clients of a server that is gone. Those that
// know no other wait for it.
func (r rolling) elsewhere(n cluster.Node) []Check {
	if r.Workload.Behaviour.Stranded() {
		return nil
	}
	return []Check{Census{Without: n.Name}, Reached{}}
}

// streams says that the rehearsal has some.
func (r rolling) streams() bool { return r.Topology.JetStream && r.Workload.JetStream() }

// current is what is asked of the streams before a server is stopped and after
// one is back.
func (r rolling) current() []Check {
	if !r.streams() {
		return nil
	}
	return []Check{Replicated{Nodes: r.Topology.Permanent()}}
}

func (r rolling) replicated() []Requirement {
	var out []Requirement
	for _, c := range r.current() {
		out = append(out, Requirement{Check: c})
	}
	return out
}

func (r rolling) stopTimeout() time.Duration {
	if r.Stop != cluster.StopLameDuck {
		return actTimeout
	}
	return actTimeout + LameDuckTime(r.Workload.Clients())
}

// stopWords tells what the chosen way to stop does.
func (r rolling) stopWords(n cluster.Node) string {
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

func (r rolling) replace(i int) Step {
	n := r.Topology.Permanent()[i]
	why := fmt.Sprintf("The heart of the %s: the file that %s is started from becomes %s. The new file is written beside the old one and renamed over it, "+
		"so that there is never half a binary. The file on disk and the version that runs are two facts: nothing changes for %s until it is started.", r.noun, n.Name, r.to(n), n.Name)
	if r.to(n).Source == "embedded" {
		why += " This server is inside nats-roll itself, which is nats-server when it is called so; hence the name of the file that is copied."
	}
	return Step{
		ID: slug("replace", n.Name), Title: fmt.Sprintf("Replace %s's binary", n.Name), Node: n.Name,
		Why:     why,
		Quote:   r.quoted("We perform the upgrade process, update the binary for 'A', and restart 'A'."),
		Do:      Replace{Node: n.Name, Build: r.to(n), Slot: r.slot(n)},
		Met:     r.replaced(n),
		Past:    Restarted{Node: n.Name, Build: r.to(n)},
		Until:   []Check{OnDisk{Node: n.Name, Build: r.to(n)}},
		Timeout: actTimeout,
		Undo:    Replace{Node: n.Name, Build: r.from(n), Slot: r.slot(n)},
		Back:    r.back(n),
	}
}

// fit is what is asked of a build before a server is stopped for it.
func (r rolling) fit(n cluster.Node) Requirement {
	return Requirement{
		Check:  Fit{Node: n.Name, Build: r.to(n)},
		Remedy: Inspect{Node: n.Name, Build: r.to(n), Args: r.Topology.Args(n)},
		Look:   true,
	}
}

// back is the way back in a node's turn: whatever runs there now is ended, and
// the old server is started from the old file.
func (r rolling) back(n cluster.Node) *Way {
	how := cluster.StopInt
	if r.Stop == cluster.StopKill {
		how = cluster.StopKill
	}
	return &Way{
		Do: []Action{
			StopNode{Node: n.Name, How: how},
			Replace{Node: n.Name, Build: r.from(n), Slot: r.slot(n)},
			r.startAction(n),
		},
		Until: append([]Check{Running{Node: n.Name, Build: r.from(n)}, Meshed{Among: names(r.Topology.Nodes)}, Census{}, Reached{}, NoneGone{}}, r.current()...),
		Build: r.from(n),
	}
}

// replaced is what makes replacing unnecessary. When both sides are the same
// build, the file looks right from the start, and only doing it is doing it.
func (r rolling) replaced(n cluster.Node) Check {
	if r.from(n).Same(r.to(n)) {
		return nil
	}
	return OnDisk{Node: n.Name, Build: r.to(n)}
}

func (r rolling) slot(n cluster.Node) string {
	return filepath.Join(r.Dir, n.Name)
}

func (r rolling) restart(i int) Step {
	n := r.Topology.Permanent()[i]
	s := Step{
		ID: slug("restart", n.Name), Title: fmt.Sprintf("Start %s again", n.Name), Node: n.Name,
		Why: fmt.Sprintf("The same command line as before, and another binary. %s dials its routes and is back in the mesh within moments. "+
			"No client comes back by itself: clients move when they lose a server, not when one joins.", n.Name),
		Quote:   "… and restart 'A'.",
		Given:   append(r.isUp(r.others(n.Name)...), r.has(n, r.to(n))),
		Do:      r.startAction(n),
		Met:     Running{Node: n.Name, Build: r.to(n)},
		Until:   []Check{Running{Node: n.Name, Build: r.to(n)}, Healthy{Node: n.Name}, Meshed{Among: names(r.Topology.Nodes)}, Census{}, Reached{}},
		Timeout: actTimeout,
		Undo:    r.stopAction(n),
		Back:    r.back(n),
	}
	s.Until = append(s.Until, r.current()...)
	if i > 0 {
		s.Quote = r.quoted("We upgrade and restart 'B'.")
	}
	return s
}

func (r rolling) stopSpare(n cluster.Node) Step {
	permanent := r.Topology.Permanent()
	return Step{
		ID: slug("stop", n.Name), Title: fmt.Sprintf("Turn %s off", n.Name), Node: n.Name,
		Why:     fmt.Sprintf("Every permanent server is %s, so %s has done its work. %s Its clients go to the servers that stay; whether they spread is worth a look.", r.done, n.Name, r.stopWords(n)),
		Quote:   "After restarting the last server, we can go ahead and turn off 'C.' Any clients on 'C' will redistribute to our permanent cluster members.",
		Given:   r.isUp(permanent...),
		Do:      r.stopAction(n),
		Stops:   true,
		Met:     Exited{Node: n.Name},
		Until:   []Check{Exited{Node: n.Name}, Census{Without: n.Name}, Reached{}, Meshed{Among: names(permanent)}},
		Claims:  []Claim{redistribute("Any clients on 'C' will redistribute to our permanent cluster members", n, permanent)},
		Predict: names(permanent),
		Timeout: r.stopTimeout(),
		Undo:    r.startAction(n),
	}
}

// LookBack is the step that closes the books.
const LookBack = "look-back"

func (r rolling) lookBack() Step {
	permanent := r.Topology.Permanent()
	s := Step{
		ID: LookBack, Title: "See what happened",
		Why: "The publisher stops and the last message in flight is waited for; then the books are closed: which client went where, how long it was away, " +
			"and which messages it missed or got twice. Core NATS delivers at most once: what is sent while a subscriber changes servers is gone for it.",
		Given:   r.isUp(permanent...),
		Do:      SettleTraffic{},
		Timeout: actTimeout,
		NoUndo:  "looking changes nothing; the publisher can be started again with a new rehearsal",
	}
	if r.Hold > 0 {
		s.Given = append(s.Given, Requirement{Check: Steady{Nodes: names(permanent), For: r.Hold}})
		s.Timeout += r.Hold
	}
	for _, n := range permanent {
		s.Until = append(s.Until, Running{Node: n.Name, Build: r.to(n)})
	}
	s.Until = append(s.Until, Meshed{Among: names(permanent)}, NoneGone{}, Census{}, Accounted{})
	if r.streams() {
		s.Until = append(s.Until, Kept{Budgeted: r.Budgeted})
	}
	if r.down {
		s.Quote = backQuote
		s.Claims = []Claim{samePath(permanent, r.To)}
	}
	return s
}
