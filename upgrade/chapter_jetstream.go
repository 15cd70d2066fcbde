package upgrade

import (
	"fmt"
	"time"

	"nats-roll/cluster"
)

var jetStreamChapter = Chapter{
	Name: "jetstream", About: "streams during the upgrade: leaders, majorities, and what a temporary server leaves behind", Takes: "15 minutes", Plan: JetStream,
	Flags: map[string]string{"nodes": "3", "jetstream": "true", "clients": "5"},
	Fixed: []string{"nodes", "jetstream", "no-spare"},
	Shape: func(t *cluster.Topology) { t.Configured = true },
}

// sampleMessages is how many messages the small streams get.
const sampleMessages = 100

// JetStream is the chapter on what the text leaves out: servers that store messages.
func JetStream(s Spec) Plan {
	s.Workload.Samples = sampleMessages
	if s.Workload.Stores == 0 { // something has to be written
		s.Workload.Stores, s.Workload.StoreRate = 1, 50
	}
	if s.Workload.Timeout == 0 {
		s.Workload.Timeout = time.Second
	}
	spare, hasSpare := s.Topology.Spare()
	c := jetStreamed{base: base{s}, all: base{s}}
	c.Topology.Nodes = s.Topology.Permanent() // the temporary server comes at the end
	return c.plan(spare, hasSpare)
}

// jetStreamed builds the steps; its methods stand in their order.
type jetStreamed struct {
	base
	all base // with the temporary server
}

const (
	partCluster  = "Three servers with streams"
	partTurns    = "One server after the other"
	partMajority = "Without a majority"
	partGhost    = "A temporary server with JetStream"
	partEnd      = "What it came to"
)

func (c jetStreamed) plan(spare cluster.Node, hasSpare bool) Plan {
	p := c.all.head("jetstream", "JetStream", c.intro())
	p.Configs = configured(p.Topology, shortLameDuckConfig+cluster.SystemAccount)
	p.Order = leaderLast
	permanent := c.Topology.Permanent()
	add := func(part string, steps ...Step) {
		for _, s := range steps {
			s.Part = part
			p.Steps = append(p.Steps, s)
		}
	}
	for i := range permanent {
		add(partCluster, c.begin(i))
	}
	add(partCluster, c.work())
	for _, n := range permanent {
		add(partTurns, c.stop(n), c.swap(n), c.restart(n))
	}
	if len(permanent) == 3 {
		add(partMajority, c.without(permanent)...)
	}
	if hasSpare {
		add(partGhost, c.join(spare), c.leave(spare), c.remove(spare))
	}
	add(partEnd, c.close())
	return p
}

func (c jetStreamed) intro() string {
	permanent := names(c.Topology.Permanent())
	return fmt.Sprintf("The text speaks of messages that are delivered and forgotten. With JetStream, servers store them, in streams, and several servers keep a copy of each. "+
		"You will upgrade %s from %s to %s while streams are written to and read from, and see who leads, what stands still and for how long, and that nothing that was acknowledged is lost. "+
		"Then you take away one server too many, and let a temporary server with JetStream leave something behind that has to be removed by hand.",
		List(permanent), c.From, c.To)
}

// begin starts a server. Nobody complains of the others here: that is the text's.
func (c jetStreamed) begin(i int) Step {
	s := c.start(i)
	s.Quote, s.Claims = "", nil
	n := c.Topology.Permanent()[i]
	s.Until = []Check{Running{Node: n.Name, Build: c.from(n)}}
	switch i {
	case 0:
		s.Why = fmt.Sprintf("As in the text, and more: -js turns JetStream on, and -sd says where it stores. The file after -c gives the system account a user, who may manage the servers. "+
			"%s waits for the others: servers with JetStream form a group, and it decides nothing before more than half of them are there.", n.Name)
		s.Hint = "The group of all servers with JetStream is called the meta group. It decides which streams there are and which servers keep them."
	default:
		s.Until = append(s.Until, Meshed{Among: names(c.Topology.Permanent()[:i+1])})
		s.Why = fmt.Sprintf("%s joins. As soon as more than half of the servers are there, they elect one that leads the group; that takes some seconds the first time. "+
			"Each stream gets a group of its own, and a leader of its own.", n.Name)
		s.Hint = "The page /jsz of any server's monitoring port shows the group as that server sees it."
	}
	if i == len(c.Topology.Permanent())-1 {
		s.Until = append(s.Until, MetaWhole{Nodes: names(c.Topology.Permanent())})
	}
	return s
}

func (c jetStreamed) work() Step {
	s := c.connect()
	s.Quote, s.Claims = "", nil
	s.Title = "Connect the clients and make streams"
	s.Why += fmt.Sprintf(" Besides, there are three small streams that get %d messages each at once and none later: ONE is kept by a single server on its disk, ONE_IN_MEMORY by a single server in its memory, "+
		"THREE_IN_MEMORY by three servers in theirs. ROLL and KV_ROLL, the bucket's, are kept by three on their disks.", sampleMessages)
	s.Hint = "A message is acknowledged when more than half of the servers that keep the stream have it. That is why one of three may be away."
	s.Until = append(s.Until, SameCopies{Nodes: names(c.Topology.Permanent())}, Remembered{}, Acking{})
	return s
}

// gate is what must hold before a server's turn.
func (c jetStreamed) gate(n cluster.Node) []Requirement {
	var others []Restarted
	for _, o := range c.others(n.Name) {
		others = append(others, Restarted{Node: o.Name, Build: c.to(o)})
	}
	out := c.isUp(c.others(n.Name)...)
	for _, o := range c.Topology.Nodes { // and the one that leaves: it hands over what it has
		out = append(out, Requirement{Check: Healthy{Node: o.Name}})
	}
	out = append(out, Requirement{Check: Quorum{Without: n.Name}})
	out = append(out, c.replicated()...)
	return append(out, Requirement{Check: Last{Node: n.Name, Others: others}, Remedy: c.stepDown("")}, c.fit(n))
}

// stepDown has another server lead the meta group: that one, if it is named.
func (c jetStreamed) stepDown(to string) Ask {
	a := Ask{Server: c.Topology.Permanent()[0], Subject: "$JS.API.META.LEADER.STEPDOWN"}
	if to != "" {
		a.Body = fmt.Sprintf(`{"placement":{"preferred":%q}}`, to)
	}
	return a
}

func (c jetStreamed) stop(n cluster.Node) Step {
	others := c.others(n.Name)
	return Step{
		ID: slug("stop", n.Name), Title: "Stop " + n.Name, Node: n.Name, Turn: "upgrade",
		Why: fmt.Sprintf("Before a server is stopped, somebody has to count: without %s, more than half of the group must be there. And it must not be the one that leads the group, unless all others have had their turn: "+
			"every stop of a leader costs an election. Who leads is looked up before each turn, and the turns are put in order by that. %s "+
			"The streams that %s leads get other leaders; until they have, what is written to them waits.", n.Name, c.stopWords(n), n.Name),
		Hint:    "A server that is asked to end hands its streams over first, which takes milliseconds. After kill -9 the others wait four to nine seconds until they believe that it is gone.",
		Given:   c.gate(n),
		Do:      c.stopAction(n),
		Stops:   true,
		Met:     Exited{Node: n.Name},
		Past:    Restarted{Node: n.Name, Build: c.to(n)},
		Until:   append([]Check{Exited{Node: n.Name}, LedElsewhere{Node: n.Name}, Single{Away: n.Name}, Acking{}, Meshed{Among: names(others)}}, c.elsewhere(n)...),
		Timeout: c.stopTimeout(),
		Undo:    c.startAction(n),
		Back:    c.back(n),
	}
}

func (c jetStreamed) swap(n cluster.Node) Step {
	return Step{
		ID: slug("replace", n.Name), Title: fmt.Sprintf("Replace %s's binary", n.Name), Node: n.Name, Turn: "upgrade",
		Why: fmt.Sprintf("The file that %s is started from becomes %s. Its store folder beside it stays as it is: the new server reads what the old one has written. "+
			"The way back is another matter, because older servers may not read what newer ones write.", n.Name, c.to(n)),
		Hint:    "nats-roll advise tells which versions can read what.",
		Do:      Replace{Node: n.Name, Build: c.to(n), Slot: c.slot(n)},
		Met:     c.replaced(n),
		Past:    Restarted{Node: n.Name, Build: c.to(n)},
		Until:   []Check{OnDisk{Node: n.Name, Build: c.to(n)}},
		Timeout: actTimeout,
		Undo:    Replace{Node: n.Name, Build: c.from(n), Slot: c.slot(n)},
		Back:    c.back(n),
	}
}

func (c jetStreamed) restart(n cluster.Node) Step {
	return Step{
		ID: slug("restart", n.Name), Title: fmt.Sprintf("Start %s again", n.Name), Node: n.Name, Turn: "upgrade",
		Why: fmt.Sprintf("%s comes back and has to catch up: what was written while it was away is sent to it by the leaders. Only they know how far it is, and only they are asked. "+
			"Whoever stops the next server before that is done has two that are away. And one look does not settle it, so all of this has to hold for a moment.", n.Name),
		Hint:  "A stream in one server's memory is empty when that server is back. One in three memories is filled again from the others, if one waits for it.",
		Given: append(c.isUp(c.others(n.Name)...), c.has(n, c.to(n))),
		Do:    c.startAction(n),
		Met:   Running{Node: n.Name, Build: c.to(n)},
		Until: append(append([]Check{Running{Node: n.Name, Build: c.to(n)}}, c.whole()...), Remembered{}, Census{}, Reached{}, Acking{}),
		Hold:  time.Second, Timeout: actTimeout,
		Undo: c.stopAction(n),
		Back: c.back(n),
	}
}

// whole is what is true of servers and streams when all is well.
func (c jetStreamed) whole() []Check {
	permanent := names(c.Topology.Permanent())
	out := []Check{Meshed{Among: permanent}}
	for _, n := range permanent {
		out = append(out, Healthy{Node: n})
	}
	out = append(out, MetaWhole{Nodes: permanent})
	return append(append(out, c.current()...), SameCopies{Nodes: permanent})
}

// prefers is since when the meta group can be told who is to lead it.
const prefers = cluster.Version("2.11.0")

// without takes away two of three servers, first, second and third, the first one
// staying.
func (c jetStreamed) without(permanent []cluster.Node) []Step {
	stays, second, first := permanent[0], permanent[1], permanent[2]
	var out []Step
	if c.to(stays).Version.Compare(prefers) >= 0 {
		out = append(out, Step{
			ID: slug("lead", stays.Name), Title: fmt.Sprintf("Have %s lead the group", stays.Name), Node: stays.Name,
			Why: fmt.Sprintf("Who leads can be moved by hand, through the system account. That is worth doing before a leader is stopped, and it is how this part makes sure that the server which stays, %s, is the leader: "+
				"a leader that loses its followers notices that later than a follower that loses its leader.", stays.Name),
			Hint: "nats server cluster step-down does the same.",
			Do:   c.stepDown(stays.Name), Met: Leads{Node: stays.Name},
			Given:   c.isUp(permanent...),
			Until:   []Check{Leads{Node: stays.Name}, MetaWhole{Nodes: names(permanent)}},
			Timeout: actTimeout,
			NoUndo:  "any server may lead; the servers move it by themselves", Loose: true,
		})
	}
	again := c.startAction
	return append(
		out,
		Step{
			ID: slug("away", first.Name), Title: fmt.Sprintf("Stop %s once more", first.Name), Node: first.Name,
			Why: fmt.Sprintf("Two of three are left, and that is a majority: streams are written to as before. But it is the last server that may be away. " +
				"This is where a cluster of two servers begins: its majority is two, so that every stop of one of them is what comes next."),
			Hint:  "Look at the count: how many are left, how many are needed.",
			Given: append(c.isUp(stays, second), Requirement{Check: Quorum{Without: first.Name}}), Do: c.stopAction(first), Stops: true,
			Met:     Exited{Node: first.Name},
			Until:   []Check{Exited{Node: first.Name}, LedElsewhere{Node: first.Name}, Acking{}, Census{Without: first.Name}, Reached{}},
			Timeout: c.stopTimeout(), Undo: again(first),
		},
		Step{
			ID: slug("away", second.Name), Title: fmt.Sprintf("Stop %s, too", second.Name), Node: second.Name,
			Why: fmt.Sprintf("One of three is no majority. Nothing can be written to a stream with three copies, and nobody answers for it; ordinary messages go on. "+
				"Watch /healthz of %s, which every probe relies on: a leader looks for its followers every ten seconds, and until it has missed them long enough it says that all is well.", stays.Name),
			Hint:  "This is the mistake to avoid: the next server was stopped before the last one was back, because a probe said ok.",
			Given: c.isUp(stays), Do: c.stopAction(second), Stops: true,
			Met: Exited{Node: second.Name},
			Until: []Check{
				Exited{Node: second.Name},
				Halted{For: 3 * time.Second},
				Unwell{Node: stays.Name, After: second.Name},
				Census{Without: second.Name},
				Reached{},
			},
			Tell:    stands,
			Timeout: c.stopTimeout() + actTimeout, Undo: again(second),
		},
		Step{
			ID: slug("return", second.Name), Title: fmt.Sprintf("Start %s again", second.Name), Node: second.Name, // the title is that of its turn; the part is another
			Why: fmt.Sprintf("With %s there are two again. They elect leaders, which takes some seconds, and the clients' attempts that were waiting come through: "+
				"each was sent again until it was acknowledged, under the same id, so that it is stored once.", second.Name),
			Hint:  "Nothing had to be repaired. What was acknowledged before is there, and what was not was never promised.",
			Given: append(c.isUp(stays), c.has(second, c.to(second))), Do: again(second),
			Met:     Running{Node: second.Name, Build: c.to(second)},
			Until:   []Check{Running{Node: second.Name, Build: c.to(second)}, Meshed{Among: []string{stays.Name, second.Name}}, Quorum{Without: first.Name}, Acking{}},
			Timeout: actTimeout, Undo: c.stopAction(second),
		},
		Step{
			ID: slug("return", first.Name), Title: fmt.Sprintf("Start %s again", first.Name), Node: first.Name,
			Why:   fmt.Sprintf("And %s, which catches up from the leaders. Only now could a server be stopped again.", first.Name),
			Hint:  "Compare the numbers of messages that each server has of each stream.",
			Given: append(c.isUp(stays, second), c.has(first, c.to(first))), Do: again(first),
			Met:     Running{Node: first.Name, Build: c.to(first)},
			Until:   append(append([]Check{Running{Node: first.Name, Build: c.to(first)}}, c.whole()...), Remembered{}, Acking{}),
			Timeout: actTimeout, Undo: c.stopAction(first),
		},
	)
}

// stands tells that writes wait when the step is over, as a stall is counted when it ends.
func stands(t Told) []string {
	f := t.After.Fleet
	d := f.Stored.Standing(f.At)
	if d == 0 {
		return nil
	}
	return []string{fmt.Sprintf("The message that was published last has waited for %s by now, and goes on waiting: how long in all is counted when it is stored.", Round(d.Truncate(time.Second)))}
}

// stored is the action that starts a temporary server with JetStream, which it
// normally never has.
func (c jetStreamed) stored(n cluster.Node) StartNode {
	a := c.all.startAction(n)
	a.Args = append(a.Args, "-js", "-sd", cluster.StoreDir)
	return a
}

// off ends the temporary server so that the others are told.
func (c jetStreamed) off(n cluster.Node) StopNode {
	return StopNode{Node: n.Name, How: cluster.StopInt}
}

func (c jetStreamed) removal(n cluster.Node) Ask {
	return Ask{Server: c.Topology.Permanent()[0], Subject: "$JS.API.SERVER.REMOVE", Body: fmt.Sprintf(`{"peer":%q}`, n.Name)}
}

func (c jetStreamed) join(n cluster.Node) Step {
	permanent := c.Topology.Permanent()
	everyone := append(names(permanent), n.Name)
	return Step{
		ID: slug("start", n.Name), Title: fmt.Sprintf("Start %s with JetStream", n.Name), Node: n.Name,
		Why: fmt.Sprintf("The text adds a temporary server so that clients have another place to go. Without JetStream that does no harm. Here %s is given JetStream, by mistake as it were: it joins the group, "+
			"which now has %d members and needs %d of them. No stream moves to it by itself.", n.Name, len(everyone), majority(len(everyone))),
		Hint:  "The size of the group is not how many servers run. It is how many ever joined and were not removed.",
		Given: append(c.isUp(permanent...), c.has(n, c.to(n))), Do: c.stored(n),
		Met:     Running{Node: n.Name, Build: c.to(n)},
		Until:   []Check{Running{Node: n.Name, Build: c.to(n)}, Meshed{Among: everyone}, MetaWhole{Nodes: everyone}},
		Timeout: actTimeout,
		NoUndo:  "to take it back the server has to be removed from the group, and one that was removed is not let in again at once",
	}
}

func (c jetStreamed) leave(n cluster.Node) Step {
	size := len(c.Topology.Permanent()) + 1
	return Step{
		ID: slug("stop", n.Name), Title: fmt.Sprintf("Turn %s off", n.Name), Node: n.Name,
		Why: fmt.Sprintf("%s has done its work and is turned off, as the text says. But the group keeps its place: it still counts %d members and needs %d, and one of them will never come back. "+
			"All servers say that they are well, and the next server that is restarted leaves too few.", n.Name, size, majority(size)),
		Hint:  "Count: members, those that are away, and one more that is to be stopped. (After kill -9 it takes a minute or more until the leader calls a server offline; so this one gets Ctrl+C in any case.)",
		Given: c.isUp(c.Topology.Permanent()...), Do: c.off(n), Stops: true,
		Met:     Exited{Node: n.Name},
		Until:   []Check{Exited{Node: n.Name}, Ghost{Node: n.Name, Size: size}, Acking{}},
		Timeout: actTimeout,
		Undo:    c.stored(n),
	}
}

func (c jetStreamed) remove(n cluster.Node) Step {
	permanent := c.Topology.Permanent()
	return Step{
		ID: slug("remove", n.Name), Title: fmt.Sprintf("Remove %s from the group", n.Name), Node: n.Name,
		Why: fmt.Sprintf("A server that will not come back has to be removed from the group, through the system account, while it is off. Then the group has %d members again, and one of them may be away. "+
			"It is simpler to give a temporary server no JetStream at all, which is what the other chapters do.", len(permanent)),
		Hint:    "nats server cluster peer-remove does the same. It is meant for servers that are gone for good: what they kept is not theirs any more.",
		Given:   append(c.isUp(permanent...), Requirement{Check: Exited{Node: n.Name}, Remedy: c.off(n)}),
		Do:      c.removal(n),
		Met:     MetaWhole{Nodes: names(permanent)},
		Until:   []Check{MetaWhole{Nodes: names(permanent)}, Quorum{Without: permanent[0].Name}, Acking{}},
		Timeout: actTimeout,
		NoUndo:  "the server joins the group again when it is started with JetStream",
	}
}

func (c jetStreamed) close() Step {
	s := c.lookBack()
	s.Why = "The publishers stop, and every message that was acknowledged is looked up in the stream: it must be there, once. The servers' own copies are compared for the last time. " +
		"What to take home: stop servers so that they can say goodbye, count before each stop, ask the leaders and wait until all is current, stop the leader last, and give temporary servers no JetStream. " +
		"Streams with one copy are away with their server, and what is only in one memory does not outlive it."
	s.Hint = "Compare the longest time that a write took with the way in which you stopped the servers: try --stop kill."
	s.Until = append(s.Until, SameCopies{Nodes: names(c.Topology.Permanent())}, Remembered{}, StreamsSum{})
	return s
}
