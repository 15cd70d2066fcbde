package upgrade

import (
	"fmt"
	"time"

	"nats-roll/cluster"
)

// What the servers of this chapter are configured with: a shorter farewell than
// their own, of ten seconds before the first client is closed.
const shortFarewell = `lame_duck_grace_period: "3s"
lame_duck_duration: "30s"
`

// typo has a field that no server knows.
const typo = "max_conections: 1000\n"

// theStream is the stream that the rehearsal's clients work on.
const theStream = "ROLL"

// How long something is watched that must not be noticed, or must not happen.
const (
	frozenFor = 4 * time.Second
	deafFor   = time.Second
	limpFor   = 3 * time.Second
)

// BreakIt is a roll in the middle of which six things go wrong, one after the
// other: what it looks like, and the way back.
func BreakIt(s Spec) Plan {
	p := s.Topology.Permanent()
	return breakIt{base: base{s}, a: p[0], b: p[1], c: p[len(p)-1]}.plan()
}

// farewell configures every server.
func farewell(t *cluster.Topology) { t.Configured = true }

// breakIt builds the steps. A meets a bad binary and a taken port, B a wrong
// configuration, C is killed as it leaves; then A is frozen, and loses what it has
// stored.
type breakIt struct {
	base
	a, b, c cluster.Node
}

func (r breakIt) plan() Plan {
	p := r.head("break-it", "Break it", fmt.Sprintf("You will upgrade a NATS cluster of %d servers, from %s to %s, and break it six times on the way: "+
		"a bad binary, a taken port, a wrong configuration, a kill in the middle of a farewell, a frozen server, a damaged store. "+
		"Each time you see what one should notice, and where; and then the way back. "+
		"The servers have JetStream, which keeps messages on disk on three of them, so that there is something to lose.", len(r.Topology.Permanent()), r.From, r.To))
	p.Notes = append(p.Notes, "A configuration file shortens what a server waits for as it leaves: 3 seconds before it closes its first client, not 10.")
	p.Configs = map[string]string{}
	for _, n := range r.Topology.Nodes {
		p.Configs[n.Name] = shortFarewell
	}
	for i := range r.Topology.Permanent() {
		p.Steps = append(p.Steps, r.start(i))
	}
	p.Steps = append(p.Steps, r.connect())
	part := func(name string, steps ...Step) {
		for _, s := range steps {
			s.Part = name
			p.Steps = append(p.Steps, s)
		}
	}
	part("A bad binary", r.cut(), r.spoil(), r.tryHalf(), r.putBack(), r.up("return", r.a, r.from(r.a),
		fmt.Sprintf("The old binary and the old command line: %s is what it was. All that the bad file cost is the time in which %s was away, and the clients who had to move.", r.a.Name, r.a.Name),
		"Did anybody but "+r.a.Name+"'s own clients notice?", true))
	part("A taken port", r.turn(r.a), r.take(), r.tryPort(), r.giveBack())
	part("A wrong configuration", r.misspell(), r.test(), r.swapB(), r.tryConfig(), r.correct())
	if r.Windows {
		p.Notes = append(p.Notes, "Windows has no signals: a server cannot be frozen or put into lame duck mode there. These drills are left out.")
		part("The last server", r.turn(r.c), r.up("restart", r.c, r.to(r.c), r.lastWhy(), "Which versions does the panel of servers show now?", true))
	} else {
		part("Killed as it leaves", r.kill(), r.replaceC(), r.up("restart", r.c, r.to(r.c), r.lastWhy(), "Which versions does the panel of servers show now?", true))
		part("A frozen server", r.freeze(), r.thaw())
	}
	part("A damaged store", r.leave(), r.damage(), r.limp(), r.heal())
	p.Steps = append(p.Steps, r.close())
	return p
}

// without names the permanent servers but one.
func (r breakIt) without(n cluster.Node) []string { return names(r.others(n.Name)) }

// calm is what is true of the others, and of the clients, while a node is away.
func (r breakIt) calm(n cluster.Node) []Check {
	return append(r.elsewhere(n), Meshed{Among: r.without(n)})
}

// whole is what is true when nothing is broken any more.
func (r breakIt) whole(n cluster.Node, b cluster.Build) []Check {
	return append([]Check{Running{Node: n.Name, Build: b}, Healthy{Node: n.Name}}, append(r.upAgain(n, b)[1:], NoneGone{})...)
}

// up starts a server and sees all well.
func (r breakIt) up(verb string, n cluster.Node, b cluster.Build, why, hint string, given bool) Step {
	s := Step{
		ID: slug(verb, n.Name), Title: "Start " + n.Name + " again", Node: n.Name, Why: why, Hint: hint,
		Do:      r.startAction(n),
		Met:     Running{Node: n.Name, Build: b},
		Until:   r.whole(n, b),
		Timeout: actTimeout,
		Undo:    r.quickStop(n),
	}
	if given {
		s.Given = []Requirement{r.has(n, b)}
	}
	return s
}

func (r breakIt) lastWhy() string {
	return fmt.Sprintf("The third server runs %s, so the roll is through, in spite of everything so far. Two drills that do not belong to anybody's turn are left.", r.to(r.c))
}

func (r breakIt) inspect(n cluster.Node, b cluster.Build) Inspect {
	return Inspect{Node: n.Name, Build: b, Args: r.Topology.Args(n), Slot: r.slot(n)}
}

// 1. A bad binary.

func (r breakIt) cut() Step {
	n := r.a
	return Step{
		ID: slug("cut", n.Name), Title: fmt.Sprintf("Cut %s's new binary off", n.Name), Node: n.Name,
		Why: fmt.Sprintf("A copy that broke off, a full disk, a download behind a login page: what should be a nats-server often is none. "+
			"Here the first half of %s is copied into %s's folder. Asking the file costs nothing: what is no server cannot say its version, and a check before anything is stopped finds that. %s runs all the while.", r.to(n), n.Name, n.Name),
		Hint:    "How would you find out whether a file is a nats-server without starting a server?",
		Given:   append(r.isUp(r.Topology.Permanent()...), r.replicated()...),
		Do:      Series{CutOff{Node: n.Name, Build: r.to(n), Slot: r.slot(n)}, r.inspect(n, Half)},
		Until:   []Check{Unfit{Node: n.Name, Build: Half, Says: "cut off"}, Running{Node: n.Name, Build: r.from(n)}, Census{}},
		Timeout: actTimeout,
		Undo:    r.inspect(n, r.to(n)),
		Undone:  []Check{Fit{Node: n.Name, Build: r.to(n)}},
	}
}

func (r breakIt) spoil() Step {
	n := r.a
	return Step{
		ID: slug("spoil", n.Name), Title: "Put it in place all the same", Node: n.Name,
		Why: fmt.Sprintf("Somebody skips the check. %s Then the half binary is renamed over %s's file. The file on disk and the version that runs are two facts, so while %s still ran, nobody would have noticed; now it is down and has nothing to start from. "+
			"The old file has kept a second name in the folder, nats-server.previous.", r.stopWords(n), n.Name, n.Name),
		Hint:    "What can " + n.Name + " be started from now? What else lies in its folder?",
		Given:   r.isUp(r.others(n.Name)...),
		Do:      Series{r.stopAction(n), Replace{Node: n.Name, Build: Half, Slot: r.slot(n)}},
		Stops:   true,
		Until:   append([]Check{Exited{Node: n.Name}, Spoilt{Node: n.Name}}, r.calm(n)...),
		Timeout: r.stopTimeout(),
		Undo:    Series{Replace{Node: n.Name, Build: r.from(n), Slot: r.slot(n)}, r.startAction(n)},
		Undone:  r.whole(n, r.from(n)),
	}
}

func (r breakIt) tryHalf() Step {
	n := r.a
	return Step{
		ID: slug("try", n.Name), Title: fmt.Sprintf("Try to start %s", n.Name), Node: n.Name,
		Why: fmt.Sprintf("What the system makes of half a program differs: it refuses to run it, or kills it at once. There is no line of %s in its log to read, because it never came so far. "+
			"The others complain that nobody listens at %s's route port, once a second and for each connection; that is noise, they serve everybody.", n.Name, n.Name),
		Hint:    "Where would you look for the reason, if the log is empty?",
		Do:      Attempt{Action: r.startAction(n)},
		Expect:  []string{n.Name},
		Until:   append([]Check{Fails{Node: n.Name, Why: "its binary is no server"}}, r.calm(n)...),
		Timeout: actTimeout,
		NoUndo:  "nothing was changed: the server did not start",
	}
}

func (r breakIt) putBack() Step {
	n := r.a
	return Step{
		ID: slug("mend", n.Name), Title: "Put the old binary back", Node: n.Name,
		Why: "The way back is the file that worked. It needs no download and no room on the disk, if it was kept: here it is nats-server.previous, under its own name again. " +
			"Then the new one is asked once more, the whole of it this time.",
		Hint:    "Do you keep the old binary beside the new one, where you work?",
		Do:      Series{Replace{Node: n.Name, Build: r.from(n), Slot: r.slot(n)}, r.inspect(n, r.to(n))},
		Until:   []Check{OnDisk{Node: n.Name, Build: r.from(n)}, Fit{Node: n.Name, Build: r.to(n)}},
		Timeout: actTimeout,
		Undo:    Series{Replace{Node: n.Name, Build: Half, Slot: r.slot(n)}},
		Undone:  []Check{Spoilt{Node: n.Name}},
	}
}

// 2. A taken port.

// turn stops a server for its upgrade and replaces its binary.
func (r breakIt) turn(n cluster.Node) Step {
	return Step{
		ID: slug("stop", n.Name), Title: fmt.Sprintf("Stop %s and replace its binary", n.Name), Node: n.Name,
		Why: fmt.Sprintf("%s's turn in the roll, as ever. %s Its clients go elsewhere, and %s takes the old file's place.",
			n.Name, r.stopWords(n), r.to(n)),
		Hint:    "Where do the clients go this time?",
		Given:   append(r.isUp(r.others(n.Name)...), r.replicated()...),
		Do:      Series{r.stopAction(n), Replace{Node: n.Name, Build: r.to(n), Slot: r.slot(n)}},
		Stops:   true,
		Until:   append([]Check{Exited{Node: n.Name}, OnDisk{Node: n.Name, Build: r.to(n)}}, r.calm(n)...),
		Timeout: r.stopTimeout(),
		Undo:    Series{Replace{Node: n.Name, Build: r.from(n), Slot: r.slot(n)}, r.startAction(n)},
		Undone:  r.whole(n, r.from(n)),
	}
}

func (r breakIt) take() Step {
	n := r.a
	return Step{
		ID: slug("take", n.Name), Title: fmt.Sprintf("Take %s's client port", n.Name), Node: n.Name,
		Why: fmt.Sprintf("While a server is down its ports are free, and whoever comes first has them: a second nats-server that somebody forgot, a program that was given any free port. "+
			"Here this program listens on %d. Nobody notices yet.", n.ClientPort),
		Hint:    "What could sit on a server's port in your place while it is down for a minute?",
		Do:      Occupy{Node: n, On: true},
		Until:   []Check{PortTaken{Node: n}},
		Timeout: actTimeout,
		Undo:    Occupy{Node: n},
		Undone:  []Check{portFree{n}},
	}
}

func (r breakIt) tryPort() Step {
	n := r.a
	return Step{
		ID: slug("refused", n.Name), Title: fmt.Sprintf("Try to start %s", n.Name), Node: n.Name,
		Why: fmt.Sprintf("A nats-server that cannot have a port logs one line that begins with [FTL], for fatal, and ends with status 1. This program looks before it starts one, and names who has the port: "+
			"the process id is what you need, to end it or to see that it may stay. (lsof -i :%d and ss -ltnp tell the same.)", n.ClientPort),
		Hint:    fmt.Sprintf("Which command shows you who listens on %d?", n.ClientPort),
		Given:   []Requirement{{Check: PortTaken{Node: n}, Remedy: Occupy{Node: n, On: true}}},
		Do:      Attempt{Action: r.startAction(n), Says: "in use"},
		Expect:  []string{n.Name},
		Until:   append([]Check{Fails{Node: n.Name, Why: "somebody else has its port", Says: "in use by pid"}}, r.calm(n)...),
		Timeout: actTimeout,
		NoUndo:  "nothing was changed: the server did not start",
	}
}

func (r breakIt) giveBack() Step {
	n := r.a
	s := r.up("free", n, r.to(n), fmt.Sprintf("Once the port is free, the same command works, and %s is the first to run %s. Nothing else has to be mended: a refused start leaves nothing behind.", n.Name, r.to(n)),
		"Do clients come back to "+n.Name+" by themselves?", true)
	s.Title = "Free the port and start " + n.Name
	s.Do = Series{Occupy{Node: n}, r.startAction(n)}
	s.Until = append([]Check{portFree{n}}, s.Until...)
	s.Undo = Series{r.quickStop(n), Occupy{Node: n, On: true}}
	s.Undone = []Check{Exited{Node: n.Name}, PortTaken{Node: n}}
	return s
}

// 3. A wrong configuration.

func (r breakIt) configure(n cluster.Node, text string) Configure {
	return Configure{Node: n.Name, Text: text, Slot: r.slot(n)}
}

func (r breakIt) misspell() Step {
	n := r.b
	s := Step{
		ID: slug("misspell", n.Name), Title: fmt.Sprintf("Break %s's configuration", n.Name), Node: n.Name,
		Why: fmt.Sprintf("Together with the new binary somebody changes the configuration, and makes a typing error: max_conections, with one n. %s runs and has read the old text long ago. "+
			"SIGHUP asks it to read the file again: it refuses the whole file, says so in its log, and goes on as before. So a wrong file is a trap for the next start, which may be months away.", n.Name),
		Hint:    "Which two things would tell you that the file is wrong, before the next restart does?",
		Given:   r.isUp(r.Topology.Permanent()...),
		Do:      Series{r.configure(n, shortFarewell+typo), SendSignal{Node: n.Name, Signal: cluster.SignalReload}},
		Until:   []Check{HasConfig{Node: n.Name, Text: shortFarewell + typo, As: "has a typing error"}, Grumbles{Node: n.Name, About: cluster.TopicReloadFailed, What: "it cannot use the file"}, Running{Node: n.Name, Build: r.from(n)}, Meshed{Among: names(r.Topology.Nodes)}, Census{}, Reached{}},
		Timeout: actTimeout,
		Undo:    Series{r.configure(n, shortFarewell), SendSignal{Node: n.Name, Signal: cluster.SignalReload}},
		Undone:  []Check{HasConfig{Node: n.Name, Text: shortFarewell, As: "is as it was"}},
	}
	if r.Windows {
		s.Why = fmt.Sprintf("Together with the new binary somebody changes the configuration, and makes a typing error: max_conections, with one n. %s runs and has read the old text long ago, so nobody notices. A wrong file is a trap for the next start, which may be months away.", n.Name)
		s.Do, s.Undo = s.Do.(Series)[0], s.Undo.(Series)[0]
		s.Until = append(s.Until[:1:1], s.Until[2:]...)
	}
	return s
}

func (r breakIt) test() Step {
	n := r.b
	return Step{
		ID: slug("test", n.Name), Title: "Ask the new binary about the file", Node: n.Name,
		Why: "Every nats-server checks a configuration without starting: with -t. Ask the binary that is to read the file, the new one, because what is a field differs between versions. " +
			"It names the file, the line and the field. This is the check that belongs before every restart.",
		Hint:    "Which of the two binaries should be asked, the old or the new one?",
		Do:      r.inspect(n, r.to(n)),
		Until:   []Check{Unfit{Node: n.Name, Build: r.to(n), Says: "max_conections"}, Running{Node: n.Name, Build: r.from(n)}},
		Timeout: actTimeout,
		NoUndo:  "asking changes nothing",
	}
}

func (r breakIt) swapB() Step {
	s := r.turn(r.b)
	s.Why = fmt.Sprintf("Nobody has asked. %s is stopped for its turn; its binary is replaced. %s Until here all looks well.", r.b.Name, r.stopWords(r.b))
	s.Hint = "What do the others and the clients notice of the wrong file?"
	s.Undo, s.Undone, s.NoUndo = nil, nil, "started again it would read the wrong file; two steps from here that is mended"
	return s
}

func (r breakIt) tryConfig() Step {
	n := r.b
	return Step{
		ID: slug("try", n.Name), Title: fmt.Sprintf("Try to start %s", n.Name), Node: n.Name,
		Why:     fmt.Sprintf("The server reads the file, says on one line what is wrong with it, and ends with status 1. It is one start too late to find out; but it costs nothing more than that %s stays away: the other two serve everybody and keep every stream, because two of three are a majority.", n.Name),
		Hint:    "How many servers may be away before the streams stop?",
		Do:      Attempt{Action: r.startAction(n)},
		Expect:  []string{n.Name},
		Until:   append([]Check{Fails{Node: n.Name, Why: "its configuration is wrong", Says: "max_conections"}}, r.calm(n)...),
		Timeout: actTimeout,
		NoUndo:  "nothing was changed: the server did not start",
	}
}

func (r breakIt) correct() Step {
	n := r.b
	s := r.up("mend", n, r.to(n), fmt.Sprintf("The way back is the old text; or the right one, if you have the time to look for it. %s then starts with the new binary: the two changes have nothing to do with each other, which is a reason not to make them on the same day.", n.Name),
		"What would you have suspected first, the binary or the file?", true)
	s.Title = "Put the old text back and start " + n.Name
	s.Do = Series{r.configure(n, shortFarewell), r.startAction(n)}
	s.Until = append([]Check{HasConfig{Node: n.Name, Text: shortFarewell, As: "is as it was"}}, s.Until...)
	s.Undo = Series{r.quickStop(n), r.configure(n, shortFarewell+typo)}
	s.Undone = []Check{Exited{Node: n.Name}}
	return s
}

// 4. Killed as it leaves.

// kill is one step: a reader takes longer than the server that is leaving.
func (r breakIt) kill() Step {
	n := r.c
	return Step{
		ID: slug("kill", n.Name), Title: fmt.Sprintf("Kill %s as it leaves", n.Name), Node: n.Name,
		Why: fmt.Sprintf("In lame duck mode a server takes no new clients, tells those it has that it is leaving, waits (ten seconds, here three), and then closes one client after the other. "+
			"Somebody is impatient and sends SIGTERM, as service managers do after a while; a server that is leaving ignores it. What loses its patience next sends SIGKILL, which nobody can ignore: "+
			"the clients that %s still has lose their connections in one instant, all together. A service manager's time limit has to be longer than the farewell.", n.Name),
		Hint:    "Do the clients come to one server, or to both? All at once, or one by one?",
		Given:   append(append(r.isUp(r.Topology.Permanent()...), r.replicated()...), r.fit(n)),
		Do:      Series{Drain{Node: n.Name}, SendSignal{Node: n.Name, Signal: cluster.SignalTerm}, Sleep{For: deafFor}, StopNode{Node: n.Name, How: cluster.StopKill}},
		Stops:   true,
		Until:   append([]Check{Deaf{Node: n.Name, Signal: cluster.SignalTerm, For: deafFor}, Killed{Node: n.Name}}, r.calm(n)...),
		Timeout: actTimeout,
		NoUndo:  "its clients do not come back by themselves, and a server without clients leaves at once: it cannot be killed as it leaves once more",
	}
}

func (r breakIt) replaceC() Step {
	n := r.c
	return Step{
		ID: slug("replace", n.Name), Title: fmt.Sprintf("Replace %s's binary", n.Name), Node: n.Name,
		Why: fmt.Sprintf("A killed server has had no time to write down where it was. What JetStream has acknowledged is on disk all the same, on at least two of three servers; "+
			"%s catches up on the rest when it is back. Its turn goes on as any other.", n.Name),
		Hint:    "What could be missing on " + n.Name + "'s disk, and who has it?",
		Do:      Replace{Node: n.Name, Build: r.to(n), Slot: r.slot(n)},
		Met:     r.replaced(n),
		Until:   []Check{OnDisk{Node: n.Name, Build: r.to(n)}},
		Timeout: actTimeout,
		Undo:    Replace{Node: n.Name, Build: r.from(n), Slot: r.slot(n)},
	}
}

// 5. A frozen server.

func (r breakIt) freeze() Step {
	n := r.a
	return Step{
		ID: slug("freeze", n.Name), Title: "Freeze " + n.Name, Node: n.Name,
		Why: fmt.Sprintf("SIGSTOP stops a process in its tracks, as a hanging disk or a virtual machine that is moved does. It lives, its connections stand, the system still takes what is sent to it. So nobody notices: peers keep their routes, clients are connected. "+
			"A client asks with a ping every two minutes and gives up after two without an answer: it takes minutes until it looks for another server. Until then nothing reaches the clients on %s. Only who asks %s itself, with a short time limit, knows.", n.Name, n.Name),
		Hint:    "Which of the panels still shows " + n.Name + " as if all were well?",
		Given:   append(r.isUp(r.Topology.Permanent()...), r.replicated()...),
		Do:      Hold{Node: n.Name, On: true},
		Until:   append([]Check{Numb{Node: n.Name, For: frozenFor}, Unnoticed{Node: n.Name}}, r.starved(n)...),
		Timeout: actTimeout,
		Undo:    Hold{Node: n.Name},
		Undone:  r.whole(n, r.to(n)),
	}
}

// starved is asked only where messages flow.
func (r breakIt) starved(n cluster.Node) []Check {
	if r.Workload.Rate == 0 {
		return nil
	}
	return []Check{Starved{Node: n.Name, By: uint64(r.Workload.Rate)}} // a second's worth
}

func (r breakIt) thaw() Step {
	n := r.a
	return Step{
		ID: slug("thaw", n.Name), Title: fmt.Sprintf("Let %s go on", n.Name), Node: n.Name,
		Why: fmt.Sprintf("SIGCONT lets it go on: it works off what has piled up, and its clients get late what they had not got. Had it been frozen for long, the others would have closed their routes, because nobody took what they wrote. "+
			"A server that does not come back is ended with SIGKILL, because it hears nothing else, and started again: for its clients that is the drill before. %s is alive again, with nothing lost.", n.Name),
		Hint:    "What became of the messages that were published meanwhile?",
		Do:      Hold{Node: n.Name},
		Until:   r.whole(n, r.to(n)),
		Timeout: actTimeout,
		Undo:    Hold{Node: n.Name, On: true},
		Undone:  []Check{Numb{Node: n.Name, For: time.Second}},
	}
}

// 6. A damaged store.

func (r breakIt) leave() Step {
	n := r.a
	how := StopNode{Node: n.Name, How: cluster.StopLameDuck}
	why := "This time the farewell is let go to its end: a pause, then one client closed after the other. They were told before, and each looks for another server alone. It takes its time, and that is the price."
	hint := "Compare with the kill: how long is a client away, and how many are away at the same time?"
	if r.Windows {
		how = r.quickStop(n)
		why = "It has to be down before anybody can do something to its files. It is asked to end, and its clients go elsewhere, as in every turn of the roll."
		hint = "How many servers have what is in the streams now?"
	}
	return Step{
		ID: slug("leave", n.Name), Title: fmt.Sprintf("Let %s leave in peace", n.Name), Node: n.Name,
		Why: fmt.Sprintf("%s is stopped once more. %s", n.Name, why), Hint: hint,
		Given:   append(r.isUp(r.Topology.Permanent()...), r.replicated()...),
		Do:      how,
		Stops:   true,
		Until:   append([]Check{Exited{Node: n.Name}}, r.calm(n)...),
		Timeout: actTimeout + LameDuckTime(r.Workload.Clients()),
		Undo:    r.startAction(n),
		Undone:  r.whole(n, r.to(n)),
	}
}

func (r breakIt) damage() Step {
	n := r.a
	return Step{
		ID: slug("damage", n.Name), Title: fmt.Sprintf("Damage what %s has stored", n.Name), Node: n.Name,
		Why: fmt.Sprintf("Disks fail, file systems are repaired badly, somebody tidies up. Here the folder in which %s keeps the stream %s becomes a file. Each of the three servers has the whole stream, so nothing is lost yet; "+
			"but it is the second copy of three that is in danger.", n.Name, theStream),
		Hint:    "How many good copies of the stream are left?",
		Given:   []Requirement{{Check: Exited{Node: n.Name}, Remedy: r.quickStop(n)}},
		Do:      Damage{Node: n.Name, Stream: theStream, Slot: r.slot(n)},
		Until:   append([]Check{StoreDamaged{Node: n.Name}}, r.calm(n)...),
		Timeout: actTimeout,
		NoUndo:  "what is damaged is thrown away two steps from here, and comes anew from the other servers",
	}
}

func (r breakIt) limp() Step {
	n := r.a
	return Step{
		ID: slug("limp", n.Name), Title: fmt.Sprintf("Start %s on the damaged store", n.Name), Node: n.Name,
		Why: fmt.Sprintf("%s starts, takes clients and routes messages: for most eyes it is back. One warning in its log and its own /healthz say that it has no place for the stream. Look at what the stream's leader says of it: "+
			"the leader only sees that %s is there. So ask every server itself, and go on only when each says that it is healthy.", n.Name, n.Name),
		Hint:    "Which of the checks would have let you go on to the next server?",
		Given:   r.isUp(r.others(n.Name)...),
		Do:      r.startAction(n),
		Until:   append([]Check{Running{Node: n.Name, Build: r.to(n)}, Meshed{Among: names(r.Topology.Nodes)}, Grumbles{Node: n.Name, About: cluster.TopicStoreFailed, What: "it cannot keep the stream"}, Steady{Nodes: []string{n.Name}, For: limpFor}, Ill{Node: n.Name, Says: theStream}, Believed{Node: n.Name}}, Census{}, Reached{}),
		Timeout: actTimeout,
		Undo:    r.quickStop(n),
	}
}

func (r breakIt) heal() Step {
	n := r.a
	s := r.up("heal", n, r.to(n), fmt.Sprintf("The other two have everything, so the quickest way back is to throw %s's copy away and let it fetch a new one: stop it, remove the folder, start it. "+
		"Never do that to two servers at a time, and never to one that has the only copy of something. It is done when the leaders say that its replicas are current and it says so itself.", n.Name),
		"Where does "+n.Name+" get the messages from?", false)
	s.Title = fmt.Sprintf("Remove the store and start %s", n.Name)
	s.Given = append(r.isUp(r.others(n.Name)...), r.has(n, r.to(n)))
	s.Do = Series{r.quickStop(n), EmptyStore{Node: n.Name, Slot: r.slot(n)}, r.startAction(n)}
	s.Stops = true
	s.Met = nil // it runs, and is ill
	s.Until = append([]Check{emptied{n.Name}}, s.Until...)
	s.Undo, s.NoUndo = nil, "what was damaged is gone, and nobody wants it back"
	return s
}

func (r breakIt) close() Step {
	s := r.lookBack()
	s.Why = "All three servers run the new build, and every message is looked for. What to take home: ask the new binary and the new configuration before anything is stopped; keep the old binary; " +
		"give a farewell the time that it takes; ask each server itself, with a short time limit, whether it is well, and stop the next one only when all are. " + s.Why
	s.Hint = "Which of the six would have reached your users?"
	if !r.Windows {
		s.Until = append(s.Until, Parted{Killed: r.c.Name, Ended: r.a.Name})
	}
	return s
}

// portFree holds when nats-roll has given a port back.
type portFree struct{ node cluster.Node }

func (c portFree) String() string { return fmt.Sprintf("%s's port is its own again", c.node.Name) }

func (c portFree) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.node.Name)
	switch {
	case s.Occupied:
		return no(fmt.Sprintf("nats-roll listens on %d", c.node.ClientPort))
	case s.Process.PID == 0:
		return unknown("")
	}
	return yes(fmt.Sprintf("nats-roll does not listen on %d", c.node.ClientPort))
}

// emptied holds when nothing is left of what was damaged.
type emptied struct{ node string }

func (c emptied) String() string { return "nothing is left of the damaged store" }

func (c emptied) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.node)
	switch {
	case s.Damage != "":
		return no(s.Damage)
	case s.Process.PID == 0:
		return unknown("")
	}
	return yes(cluster.StoreDir + " is new")
}
