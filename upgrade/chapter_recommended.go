package upgrade

import (
	"fmt"
	"time"

	"nats-roll/cluster"
)

var recommendedChapter = Chapter{
	Name: "recommended", About: "the upgrade as written, and as it is recommended today, from the same start", Takes: "10 minutes", Plan: Recommended,
	Flags: map[string]string{"clients": "8"},
	Fixed: []string{"stop"},
	Shape: func(t *cluster.Topology) { t.Configured = true },
}

// Recommended walks the text's upgrade and today's, one after the other, from the
// same start, so that they can be compared.
func Recommended(s Spec) Plan {
	written, today := s, s
	written.Stop, today.Stop = cluster.StopInt, cluster.StopLameDuck
	if today.Workload.JetStream() && today.Workload.Timeout == 0 {
		today.Workload.Timeout, written.Workload.Timeout = time.Second, time.Second
	}
	permanent := s.Topology.Permanent()
	c := recommended{
		written: rolling{base: base{written}, chapter: "recommended", noun: "upgrade", done: "upgraded"},
		today:   jetStreamed{base: base{today}, all: base{today}},
	}
	c.today.Topology.Nodes = permanent // today's text has no temporary server
	return c.plan()
}

type recommended struct {
	written rolling
	today   jetStreamed
}

const (
	partStart   = "The same start for both"
	partWritten = "As written"
	partAgain   = "Back to the start"
	partToday   = "As recommended"
	partCompare = "Side by side"
)

func (c recommended) plan() Plan {
	w := c.written
	permanent := w.Topology.Permanent()
	p := w.head("recommended", "As written and as recommended", c.intro())
	p.Configs = configured(w.Topology, c.config())
	p.Compare = []string{partWritten, partToday}
	p.Order = leaderLast
	add := func(part string, steps ...Step) {
		for _, s := range steps {
			s.Part = part
			p.Steps = append(p.Steps, s)
		}
	}
	for i := range permanent {
		add(partStart, c.begin(i))
	}
	add(partStart, c.connected("connect-clients", "Connect the clients"))
	spare, hasSpare := w.Topology.Spare()
	if hasSpare {
		s := w.startSpare(spare)
		s.Claims = nil
		add(partWritten, s)
	}
	for i := range permanent {
		add(partWritten, c.stopWritten(i), c.replaceWritten(i), c.restartWritten(i))
	}
	if hasSpare {
		s := w.stopSpare(spare)
		s.Claims, s.Predict = nil, nil
		add(partWritten, s)
	}
	add(partWritten, c.count())
	add(partAgain, c.reset(), c.connected("connect-again", "Connect new clients"))
	for i, n := range permanent {
		add(partToday, c.drain(i), c.swap(n), c.rejoin(n))
	}
	add(partCompare, c.close())
	return p
}

// config is every server's; with JetStream its group is managed through the system
// account.
func (c recommended) config() string {
	if c.written.Topology.JetStream {
		return shortLameDuckConfig + cluster.SystemAccount
	}
	return shortLameDuckConfig
}

func (c recommended) intro() string {
	permanent := names(c.written.Topology.Permanent())
	return fmt.Sprintf("You will upgrade %s from %s to %s twice, from the same start. First as the text has it: Ctrl+C, a new binary, a start, and on to the next. "+
		"Then as it is recommended today: servers leave in lame duck mode, in which they close their clients one by one, and the next one's turn comes only when everything that can be asked says that the last one is back. "+
		"In the end a table sets side by side what each of them cost your clients. It shows what was measured here; with JetStream and three servers the difference is another one than without.",
		List(permanent), c.written.From, c.written.To)
}

// begin starts a server, which has a configuration here.
func (c recommended) begin(i int) Step {
	s := c.written.start(i)
	n := c.written.Topology.Permanent()[i]
	if i == 0 {
		s.Claims = nil
		s.Why = fmt.Sprintf("%s has a file for its configuration here, which the text's servers have not: how long lame duck mode lasts can be set nowhere else, and by default it is two minutes. "+
			"30 s is the least that a server takes; 1 s is how long it waits before it closes the first client.", n.Name)
		s.Hint = "There is no word on the command line for lame_duck_duration and lame_duck_grace_period."
		s.Quote = ""
		s.Until = []Check{Running{Node: n.Name, Build: c.written.from(n)}, LameDuckSet{Node: n.Name}}
	}
	if i == len(c.written.Topology.Permanent())-1 && c.written.Topology.JetStream {
		s.Until = append(s.Until, MetaWhole{Nodes: names(c.written.Topology.Permanent())})
	}
	return s
}

func (c recommended) connected(id, title string) Step {
	s := c.written.connect()
	s.ID, s.Title, s.Claims = id, title, nil
	s.Hint = "All subscribers begin on the first server, in both halves: the start is the same."
	if id != "connect-clients" {
		s.Quote, s.Met = "", nil // clients of before are no clients of now
		s.Why = "The clients of the first half are gone; new ones are connected where those were at first. So the second half begins as the first one did."
	}
	if c.written.streams() {
		s.Until = append(s.Until, c.today.whole()...)
	}
	return s
}

// stopWritten is the text's stop: the clients are watched, and nothing else.
func (c recommended) stopWritten(i int) Step {
	n := c.written.Topology.Permanent()[i]
	s := c.written.stop(i)
	s.Given = append(c.written.isUp(c.written.others(n.Name)...), c.written.fit(n))
	s.Until = append([]Check{Exited{Node: n.Name}}, c.written.elsewhere(n)...)
	s.Claims, s.Predict = nil, nil
	s.Hint = "Nobody asks here whether the servers that stay can do without this one."
	return s
}

func (c recommended) replaceWritten(i int) Step {
	s := c.written.replace(i)
	s.Hint = "The same in both halves."
	return s
}

// restartWritten is over when the server runs: the text goes on to the next.
func (c recommended) restartWritten(i int) Step {
	n := c.written.Topology.Permanent()[i]
	s := c.written.restart(i)
	s.Until = []Check{Running{Node: n.Name, Build: c.written.to(n)}}
	s.Why = fmt.Sprintf("The same command line as before, and another binary. As the text has it, %s runs and that is that: the next step comes at once.", n.Name)
	s.Hint = "That it runs is not yet that the others see it, or that it has what was stored meanwhile."
	return s
}

// count closes the books of the first half.
func (c recommended) count() Step {
	s := Step{
		ID: "count-written", Title: "Count what that cost",
		Why: "The publishers stop, and the last message on its way is waited for. What the clients of this half have lost, got twice and waited for is kept for the table at the end. " +
			"All servers are up and run what they should; but that is so in any case, and says little about what it cost.",
		Hint:    "Look at the longest time that a client was without a server.",
		Given:   c.written.isUp(c.written.Topology.Permanent()...),
		Do:      SettleTraffic{},
		Until:   []Check{NoneGone{}, Census{}, Accounted{}},
		Timeout: 2 * actTimeout,
		NoUndo:  "counting changes nothing; new clients are connected for the second half",
	}
	if c.written.streams() {
		s.Until = append(s.Until, Kept{Budgeted: c.written.Budgeted})
	}
	return s
}

// reset brings the old servers back where they were.
func (c recommended) reset() Step {
	w := c.written
	permanent := w.Topology.Permanent()
	var stop, replace, start Series
	for _, n := range permanent {
		stop = append(stop, StopNode{Node: n.Name, How: cluster.StopInt})
		replace = append(replace, Replace{Node: n.Name, Build: w.from(n), Slot: w.slot(n)})
		start = append(start, w.startAction(n))
	}
	s := Step{
		ID: "reset", Title: "Bring the old servers back",
		Why: fmt.Sprintf("So that both halves begin alike, the clients leave, and %s are stopped, get their old binaries and are started again. This is no way to downgrade: all of them are away at the same time. "+
			"It is not part of the table.", List(names(permanent))),
		Hint: "For the way back that the text describes there is a chapter of its own.",
		Do:   Series{DisconnectClients{}, stop, replace, start}, Stops: true,
		Timeout: 2 * actTimeout,
		NoUndo:  "it is itself the way back from the first half",
	}
	for _, n := range permanent {
		s.Until = append(s.Until, Running{Node: n.Name, Build: w.from(n)})
	}
	s.Until = append(s.Until, Meshed{Among: names(permanent)})
	if w.Topology.JetStream {
		s.Until = append(s.Until, MetaWhole{Nodes: names(permanent)})
		for _, n := range permanent {
			s.Until = append(s.Until, Healthy{Node: n.Name})
		}
	}
	return s
}

// gate is what is asked before a server leaves: whether the others can do without.
func (c recommended) gate(n cluster.Node) []Requirement {
	t := c.today
	set := Requirement{Check: LameDuckSet{Node: n.Name}, Remedy: Configure{Node: n.Name, Text: c.config(), Slot: t.slot(n)}}
	if t.Topology.JetStream {
		return append(t.gate(n), set, Requirement{Check: Census{}})
	}
	out := t.isUp(t.others(n.Name)...)
	for _, o := range t.Topology.Nodes {
		out = append(out, Requirement{Check: Healthy{Node: o.Name}})
	}
	return append(out, set, Requirement{Check: Census{}}, t.fit(n))
}

// impatience is when SIGTERM is sent to the first server that leaves.
const impatience = time.Second

func (c recommended) drain(i int) Step {
	t := c.today
	n := t.Topology.Permanent()[i]
	s := Step{
		ID: slug("drain", n.Name), Title: fmt.Sprintf("Let %s leave in lame duck mode", n.Name), Node: n.Name, Turn: partToday,
		Why: fmt.Sprintf("SIGUSR2 puts %s into lame duck mode: it takes no new clients, tells those it has and the other servers that it will go, waits a second, and closes one client after another with half a second to a second between two. "+
			"So they do not all come to the other servers in the same instant. How long it takes follows from how many there are. Client libraries are told, but most do nothing until they are closed.", n.Name),
		Hint:  "The time left is shown beside the server. Only SIGINT cuts it short.",
		Given: c.gate(n),
		Do:    t.stopAction(n), Stops: true,
		Met:     Exited{Node: n.Name},
		Until:   append([]Check{Exited{Node: n.Name}, Left{Node: n.Name}}, t.elsewhere(n)...),
		Timeout: t.stopTimeout(),
		Undo:    t.startAction(n),
		Back:    t.back(n),
	}
	if i == 0 {
		s.Do = Leave{Node: n.Name, After: impatience}
		s.Until = append(s.Until, Ignores{Node: n.Name})
		s.Why += " Service managers that lose their patience send SIGTERM; here it is sent after a second, to see what comes of it."
	}
	if t.streams() {
		s.Until = append(s.Until, LedElsewhere{Node: n.Name}, Acking{})
		s.Why += " Its streams go first: they are handed over before the first client is closed."
	}
	return s
}

func (c recommended) swap(n cluster.Node) Step {
	s := c.today.swap(n)
	s.ID, s.Turn, s.Past = slug("swap", n.Name), partToday, nil
	s.Why = fmt.Sprintf("As before: the file that %s is started from becomes %s. Before the server left, the new file had been copied beside the old one and had said what it is and that it takes this command line and configuration.", n.Name, c.today.to(n))
	s.Hint = "The same in both halves."
	return s
}

// green is how long everything has to be well before the next server's turn.
const green = 3 * time.Second

func (c recommended) rejoin(n cluster.Node) Step {
	t := c.today
	permanent := t.Topology.Permanent()
	s := Step{
		ID: slug("rejoin", n.Name), Title: fmt.Sprintf("Start %s, and wait until all is well", n.Name), Node: n.Name, Turn: partToday,
		Why: fmt.Sprintf("One answer is not enough, and the server that was started is not the only one to be asked: it is a new process of the right version, all servers see each other with all their connections, in both directions, "+
			"every one of them says that it is healthy, and every client is there. Then all of that has to stay so for %g seconds: a server can say ok just before it learns that it is behind.", green.Seconds()),
		Hint:  "Each line says where it was read. /healthz alone knows nothing of the other servers.",
		Given: append(t.isUp(t.others(n.Name)...), t.has(n, t.to(n))),
		Do:    t.startAction(n),
		Met:   Running{Node: n.Name, Build: t.to(n)},
		Until: []Check{Renewed{Node: n.Name, Build: t.to(n)}},
		Hold:  green, Timeout: actTimeout,
		Undo: t.stopAction(n),
		Back: t.back(n),
	}
	if t.Topology.JetStream {
		s.Until = append(s.Until, t.whole()...)
		s.Why += " With JetStream, the leaders are asked whether all others are current; followers do not know."
	} else {
		s.Until = append(s.Until, Meshed{Among: names(permanent)})
		for _, o := range permanent {
			s.Until = append(s.Until, Healthy{Node: o.Name})
		}
	}
	s.Until = append(s.Until, Census{}, Reached{})
	return s
}

func (c recommended) close() Step {
	s := c.today.lookBack()
	s.Why = "The books of the second half are closed, and after this step a table sets both halves side by side. Lame duck mode takes longer and moves clients one by one; what each of them misses while it changes servers is about the same, " +
		"because core NATS does not keep anything for it. What the gates are worth shows with streams, and on the day when a server does not come back as it should."
	s.Hint = "Walk it again with --nodes 3 --jetstream, and compare how long writing stood still."
	if c.today.streams() {
		s.Until = append(s.Until, SameCopies{Nodes: names(c.today.Topology.Permanent())}, StreamsSum{})
	}
	return s
}
