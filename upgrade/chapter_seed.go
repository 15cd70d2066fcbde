package upgrade

import (
	"fmt"
	"time"

	"nats-roll/cluster"
)

// seeded is the tutorial's "Seed Servers": three servers of which only the first is
// configured, and what that is worth when the first is away.
var seeded = Chapter{
	Name: "seed", About: "the tutorial's seed servers: what they save, and what they cost while the seed is down", Takes: "10 minutes", Plan: Seed,
	Flags: map[string]string{"nodes": "3", "no-spare": "true"},
	// Where clients know a single server, or streams need a majority, other things
	// than routes would decide what is seen.
	Fixed: []string{"nodes", "no-spare", "jetstream", "ignore-discovered"},
	Shape: func(t *cluster.Topology) { t.Seeded = true },
}

// apartFor is how long two servers are watched that do not find each other. With
// the seed up it takes them well under a second.
const apartFor = 4 * time.Second

// Seed builds the mesh from one configured server, upgrades it, and then has the
// seed down while another server is restarted, twice: with a list of one, and with
// a list of all.
func Seed(s Spec) Plan {
	s.Workload.Pinned = []string{s.Topology.Nodes[1].Name}
	r := seed{base: base{s}}
	n := s.Topology.Permanent()
	r.a, r.b, r.c = n[0], n[1], n[2]
	p := r.head("seed", "Seed servers", r.intro())
	part := func(name string, steps ...Step) {
		for _, st := range steps {
			st.Part = name
			p.Steps = append(p.Steps, st)
		}
	}
	part("The mesh", r.startA(), r.startB(), r.startC(), r.clients())
	part("The upgrade", r.upgrade(r.a), r.upgrade(r.b), r.upgrade(r.c))
	part("The seed is down", r.seedDown(), r.lost(), r.seedBack())
	part("The cure", r.tell(r.a), r.tell(r.b), r.tell(r.c))
	part("The same again", r.seedDownAgain(), r.found(), r.seedBackAgain(), r.close())
	return p
}

type seed struct {
	base
	a, b, c cluster.Node
}

// full is the topology in which every server lists all of them.
func (r seed) full() cluster.Topology {
	t := r.Topology
	t.Seeded = false
	return t
}

func (r seed) intro() string {
	return fmt.Sprintf("You will build a NATS cluster of three servers of which only %[1]s, the seed, is known to the others: they tell each other of the rest, which is called gossip. "+
		"You see each link come about, and upgrade the servers from %[4]s to %[5]s. Then the seed is down while %[2]s is restarted, and %[2]s and %[3]s do not find each other. "+
		"At the end every server lists all of them, and the same accident does no harm.", r.a.Name, r.b.Name, r.c.Name, r.From, r.To)
}

func (r seed) startA() Step {
	return Step{
		ID: slug("start", r.a.Name), Title: fmt.Sprintf("Start %s, the seed", r.a.Name), Node: r.a.Name,
		Why: fmt.Sprintf("The seed is a server like any other: it only listens. It is not told of any other server, there is no -routes on its command line, "+
			"so it complains about nobody and has no peers. Others will come to it on port %d.", r.a.RoutePort),
		Hint:    "Compare the command line with those of the next two steps: what is missing here?",
		Quote:   "It is possible to allow the server gossip protocol drive it and reduce the amount of configuration. You could for example start A, B and C as follows",
		Given:   []Requirement{r.has(r.a, r.from(r.a))},
		Do:      r.startAction(r.a),
		Met:     Running{Node: r.a.Name, Build: r.from(r.a)},
		Until:   []Check{Running{Node: r.a.Name, Build: r.from(r.a)}, Alone{Node: r.a.Name}},
		Timeout: actTimeout,
		Undo:    r.stopAction(r.a),
	}
}

func (r seed) startB() Step {
	return Step{
		ID: slug("start", r.b.Name), Title: "Start " + r.b.Name, Node: r.b.Name,
		Why: fmt.Sprintf("%s is told of one server, the seed, and dials it. /routez, the servers' own list of their connections to other servers, says who dialed "+
			"(did_solicit), and whether the server's own configuration made it do so (is_configured).", r.b.Name),
		Hint:    fmt.Sprintf("-routes of %s has one address. Whose?", r.b.Name),
		Quote:   "Once they connect to the 'seed server'",
		Given:   append(r.isUp(r.a), r.has(r.b, r.from(r.b))),
		Do:      r.startAction(r.b),
		Met:     Running{Node: r.b.Name, Build: r.from(r.b)},
		Until:   []Check{Running{Node: r.b.Name, Build: r.from(r.b)}, Linked{A: r.a.Name, B: r.b.Name}},
		Timeout: actTimeout,
		Undo:    r.stopAction(r.b),
	}
}

func (r seed) startC() Step {
	return Step{
		ID: slug("start", r.c.Name), Title: "Start " + r.c.Name, Node: r.c.Name,
		Why: fmt.Sprintf("%[3]s is told of the seed, too, and of nobody else. %[1]s passes on to %[2]s that there is a %[3]s now, and %[2]s dials it: "+
			"a link that no configuration names. That is gossip between servers, and it makes the mesh: every server has a link to every other.", r.a.Name, r.b.Name, r.c.Name),
		Hint:    fmt.Sprintf("Who could tell %s where %s is?", r.b.Name, r.c.Name),
		Quote:   "Once they connect to the 'seed server', they will learn about all the other servers and connect to each other forming the full mesh.",
		Given:   append(r.isUp(r.a, r.b), r.has(r.c, r.from(r.c))),
		Do:      r.startAction(r.c),
		Met:     Running{Node: r.c.Name, Build: r.from(r.c)},
		Until:   []Check{Running{Node: r.c.Name, Build: r.from(r.c)}, Linked{A: r.a.Name, B: r.c.Name}, Linked{A: r.b.Name, B: r.c.Name, Gossip: true}},
		Claims:  []Claim{seedMesh(r.a, r.b, r.c), seedLearned(r.a, r.b, r.c), lessConfigured(r.a, r.b, r.c)},
		Timeout: actTimeout,
		Undo:    r.stopAction(r.c),
	}
}

func (r seed) clients() Step {
	s := r.connect()
	s.Hint = fmt.Sprintf("One client is unlike the others: it knows only %s. It is the one to watch later.", r.b.Name)
	return s
}

// restart ends a server and starts it again, with the file that is in its slot.
func (r seed) restart(n cluster.Node, args []string) Series {
	start := r.startAction(n)
	start.Args = args
	return Series{r.stopAction(n), start}
}

// whole is what must be true when every server is up again.
func (r seed) whole() []Check {
	return []Check{Meshed{Among: names(r.Topology.Nodes)}, Census{}, Reached{}}
}

func (r seed) upgrade(n cluster.Node) Step {
	s := Step{
		ID: slug("upgrade", n.Name), Title: "Upgrade " + n.Name, Node: n.Name,
		Given:   append(r.isUp(r.others(n.Name)...), r.fit(n)),
		Do:      Series{r.stopAction(n), Replace{Node: n.Name, Build: r.to(n), Slot: r.slot(n)}, r.startAction(n)},
		Past:    Restarted{Node: n.Name, Build: r.to(n)},
		Until:   append([]Check{Restarted{Node: n.Name, Build: r.to(n)}, Healthy{Node: n.Name}}, r.whole()...),
		Stops:   true,
		Timeout: r.stopTimeout() + actTimeout,
		Undo:    Series{r.stopAction(n), Replace{Node: n.Name, Build: r.from(n), Slot: r.slot(n)}, r.startAction(n)},
		Undone:  append([]Check{Running{Node: n.Name, Build: r.from(n)}}, r.whole()...),
		Back:    r.back(n),
	}
	switch n.Name {
	case r.a.Name:
		s.Why = fmt.Sprintf("Stop, replace the binary, start: the three commands of the tutorial, one after the other. The seed comes first. While it is away, %s and %s keep the link "+
			"that they have; but who starts in that time finds nobody. Hence the rule of this upgrade: no other server is stopped while the seed is down.", r.b.Name, r.c.Name)
		s.Hint = "What would a server find that is started just now, while the seed is away?"
		s.Quote = "We perform the upgrade process, update the binary for 'A', and restart 'A':"
	case r.b.Name:
		s.Why = fmt.Sprintf("%[1]s is up, so %[2]s may go: when it is back it dials %[1]s, and hears of %[3]s from there. "+
			"The subscriber that knows only %[2]s waits for it: with one address in its list, the client library pauses for two seconds between two tries.", r.a.Name, r.b.Name, r.c.Name)
		s.Hint = "The step takes two seconds longer than the one before. Which client makes it so?"
		s.Quote = "We upgrade and restart 'B':"
	default:
		s.Why = fmt.Sprintf("The same for %s, with %s up. After this all three run %s, and the mesh is whole: nothing that happened so far needed more than the seed's address.", n.Name, r.a.Name, r.to(n))
		s.Hint = "Count the links in the panel of the routes: three servers, three pairs."
		s.Quote = "If we had more servers, we would continue the stop, update, restart rotation as we did for 'A' and 'B'."
	}
	return s
}

func (r seed) down(n cluster.Node) Requirement {
	return Requirement{Check: Exited{Node: n.Name}, Remedy: r.stopAction(n)}
}

func (r seed) stopSeed(id, title string) Step {
	return Step{
		ID: id, Title: title, Node: r.a.Name,
		Given:   r.isUp(r.others(r.a.Name)...),
		Do:      r.stopAction(r.a),
		Met:     Exited{Node: r.a.Name},
		Until:   []Check{Exited{Node: r.a.Name}, Meshed{Among: []string{r.b.Name, r.c.Name}}, Census{Without: r.a.Name}, Reached{}},
		Stops:   true,
		Timeout: r.stopTimeout(),
	}
}

func (r seed) seedDown() Step {
	s := r.stopSeed(slug("stop", r.a.Name), fmt.Sprintf("Stop %s, the seed", r.a.Name))
	s.Why = fmt.Sprintf("Now the accident. The seed goes away, as it might with its machine, and does not come back at once. %s and %s keep their link, and every message still arrives: "+
		"nothing looks wrong.", r.b.Name, r.c.Name)
	s.Hint = "Everything works. What does it depend on now?"
	s.Undo = r.startAction(r.a)
	return s
}

func (r seed) restartWithoutSeed(id string, args []string) Step {
	return Step{
		ID: id, Title: fmt.Sprintf("Restart %s while %s is down", r.b.Name, r.a.Name), Node: r.b.Name,
		Given:   append(r.isUp(r.c), r.down(r.a), r.has(r.b, r.to(r.b))),
		Do:      r.restart(r.b, args),
		Met:     StartedWithout{Node: r.b.Name, Down: r.a.Name},
		Stops:   true,
		Timeout: r.stopTimeout() + actTimeout,
	}
}

func (r seed) lost() Step {
	s := r.restartWithoutSeed(slug("restart", r.b.Name), r.Topology.Args(r.b))
	s.Why = fmt.Sprintf("%[2]s knows one address, that of %[1]s, and nobody listens there. %[2]s and %[3]s had heard of each other by gossip; what a server has only heard of, it does not dial for ever, "+
		"and a server that is started anew has heard of nobody. So there are two clusters now. Both call themselves healthy; what is published on %[3]s does not reach who listens on %[2]s.", r.a.Name, r.b.Name, r.c.Name)
	s.Hint = fmt.Sprintf("Look at the routes for as long as you like, and at the subscriber of %s only: what does it hear?", r.b.Name)
	s.Until = []Check{
		StartedWithout{Node: r.b.Name, Down: r.a.Name},
		Healthy{Node: r.b.Name},
		Healthy{Node: r.c.Name},
		Apart{A: r.b.Name, B: r.c.Name, For: apartFor},
		Census{},
		Unheard{Node: r.b.Name, For: apartFor / 2},
	}
	s.NoUndo = fmt.Sprintf("only %s can bring the two together again, and that is the next step", r.a.Name)
	return s
}

func (r seed) startSeed(id string) Step {
	return Step{
		ID: id, Title: fmt.Sprintf("Start %s again", r.a.Name), Node: r.a.Name,
		Given:   append(r.isUp(r.others(r.a.Name)...), r.has(r.a, r.to(r.a))),
		Met:     Running{Node: r.a.Name, Build: r.to(r.a)},
		Until:   append([]Check{Running{Node: r.a.Name, Build: r.to(r.a)}}, r.whole()...),
		Timeout: actTimeout,
		Undo:    r.stopAction(r.a),
	}
}

func (r seed) seedBack() Step {
	s := r.startSeed(slug("restart", r.a.Name))
	s.Do = r.startAction(r.a)
	s.Why = fmt.Sprintf("%[2]s and %[3]s try the seed once a second, for ever, since their configuration names it. When it is back they are both with it within a second, and it tells %[2]s of %[3]s. "+
		"Only now does the subscriber on %[2]s hear a number again, and see how many it has missed: they are lost, and counted in this step.", r.a.Name, r.b.Name, r.c.Name)
	s.Hint = "How many messages were lost? It is about as many as were published while you read the step before."
	s.Until = append(s.Until, Linked{A: r.b.Name, B: r.c.Name, Gossip: true})
	return s
}

// toldOfSeed is that a server was given no other routes than at first.
func (r seed) toldOfSeed(n cluster.Node) Check {
	if n.Name == r.a.Name {
		return RoutesGiven{Node: n.Name}
	}
	return RoutesGiven{Node: n.Name, Routes: []cluster.Node{r.a}}
}

// tell restarts a server with a list of all.
func (r seed) tell(n cluster.Node) Step {
	s := Step{
		ID: slug("list-all", n.Name), Title: fmt.Sprintf("Restart %s with every route", n.Name), Node: n.Name,
		Given:   append(r.isUp(r.others(n.Name)...), r.has(n, r.to(n))),
		Do:      r.restart(n, r.full().Args(n)),
		Met:     RoutesGiven{Node: n.Name, Routes: r.Topology.Permanent()},
		Until:   append([]Check{RoutesGiven{Node: n.Name, Routes: r.Topology.Permanent()}, Running{Node: n.Name, Build: r.to(n)}}, r.whole()...),
		Stops:   true,
		Timeout: r.stopTimeout() + actTimeout,
		Undo:    r.restart(n, r.Topology.Args(n)),
		Undone:  append([]Check{Running{Node: n.Name, Build: r.to(n)}, r.toldOfSeed(n)}, r.whole()...),
	}
	switch n.Name {
	case r.a.Name:
		s.Why = "The cure is the longer list: every server is given the addresses of all, the same list everywhere, itself included, which it ignores. " +
			"One server after the other is restarted with it; a restart is a restart, so it goes as an upgrade does."
		s.Hint = "What is new on the command line?"
		s.Quote = "Keen readers will notice a self-route. The NATS server will ignore the self-route, but it makes for a single consistent configuration for all servers."
	case r.b.Name:
		s.Why = fmt.Sprintf("The same for %[1]s. Now it would dial %[2]s by itself, again and again, also when the seed is away.", n.Name, r.c.Name)
		s.Hint = "How many addresses does it try now?"
	default:
		s.Why = "And the last one. From here on no server is special: the word seed has lost its meaning, since each is known to all the others."
		s.Hint = "Which of the three could you take away now without harm?"
	}
	return s
}

func (r seed) seedDownAgain() Step {
	s := r.stopSeed(slug("stop-again", r.a.Name), fmt.Sprintf("Stop %s once more", r.a.Name))
	s.Why = fmt.Sprintf("The same accident as before: %s goes away and stays away. As before, %s and %s keep their link.", r.a.Name, r.b.Name, r.c.Name)
	s.Hint = "So far it is the same. The difference comes with the next step."
	start := r.startAction(r.a)
	start.Args = r.full().Args(r.a)
	s.Undo = start
	return s
}

func (r seed) found() Step {
	s := r.restartWithoutSeed(slug("restart-again", r.b.Name), r.full().Args(r.b))
	s.Why = fmt.Sprintf("%[2]s is restarted while %[1]s is down, as before. It dials every address of its list: nobody listens at that of %[1]s, but %[3]s answers. "+
		"The two are one cluster within a moment, and the subscriber on %[2]s hears what is published on %[3]s.", r.a.Name, r.b.Name, r.c.Name)
	s.Hint = fmt.Sprintf("This time %s says that it was configured to dial, or %s does.", r.b.Name, r.c.Name)
	s.Until = []Check{
		StartedWithout{Node: r.b.Name, Down: r.a.Name},
		RoutesGiven{Node: r.b.Name, Routes: r.Topology.Permanent()},
		Linked{A: r.b.Name, B: r.c.Name},
		Census{},
		Reached{},
	}
	s.Met = nil                                 // once it was taken back, it looks done
	s.Undo = r.restart(r.b, r.full().Args(r.b)) // what was before is the same, with another process
	s.Met = nil                                 // else it would be done once it is taken back
	s.Undone = []Check{Linked{A: r.b.Name, B: r.c.Name}, Census{}, Reached{}}
	return s
}

func (r seed) seedBackAgain() Step {
	s := r.startSeed(slug("restart-again", r.a.Name))
	start := r.startAction(r.a)
	start.Args = r.full().Args(r.a)
	s.Do = start
	s.Why = fmt.Sprintf("%s comes back to a cluster that did not miss it. Nothing waited for it but its own place.", r.a.Name)
	s.Hint = "Compare what this step cost with the first time that it came back."
	return s
}

func (r seed) close() Step {
	s := r.lookBack()
	s.Why = fmt.Sprintf("The publisher stops, the last message is waited for, and the books are closed. The subscriber that knows only %[2]s shows what the hole between the servers cost; the restarts of %[2]s "+
		"cost it about two seconds each. What to do: give every server the addresses of all, or of at least two that are not down together. With seeds, stop no server while one is down.", r.a.Name, r.b.Name)
	s.Hint = "Where were most messages lost: when a server stopped, or when two servers did not see each other?"
	s.Until = append(s.Until, Missed{Node: r.b.Name})
	return s
}
