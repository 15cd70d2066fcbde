package upgrade

import (
	"fmt"

	"nats-roll/cluster"
)

// Rolling is the tutorial's upgrade, as written: the permanent servers one by
// one, with a temporary one beside them when the topology has it.
func Rolling(s Spec) Plan {
	return rolling{base: base{s}, chapter: "rolling", noun: "upgrade", done: "upgraded"}.plan()
}

// Downgrade is what the tutorial says of going back: the same path, and another
// binary.
func Downgrade(s Spec) Plan {
	return rolling{base: base{s}, chapter: "downgrade", noun: "downgrade", done: "downgraded", down: true}.plan()
}

// rolling builds the steps of both chapters; its methods stand in their order.
type rolling struct {
	base
	chapter, noun, done string
	down                bool
}

func (r rolling) plan() Plan {
	p := r.head(r.chapter, "Rolling "+r.noun, r.intro())
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
	p.Steps = append(p.Steps, r.close())
	return p
}

// backQuote is the text's on the way down.
const backQuote = "Fortunately, the downgrade path is the same as the upgrade path as noted above. Swap the binary and do a rolling restart."

// moreServers is the text's on the servers after B.
const moreServers = "If we had more servers, we would continue the stop, update, restart rotation as we did for 'A' and 'B'."

// restarts is the text's on the binary and the new start of a server, in the
// order of their turns.
func restarts(i int, first string) string {
	switch i {
	case 0:
		return first
	case 1:
		return "We upgrade and restart 'B':"
	default:
		return moreServers
	}
}

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

func (r rolling) startSpare(n cluster.Node) Step {
	s := Step{
		ID: slug("start", n.Name), Title: fmt.Sprintf("Start %s, the temporary server", n.Name), Node: n.Name,
		Why: fmt.Sprintf("While a server is away its clients need somewhere to go. %s joins for the time of the %s and already runs %s. "+
			"Nobody moves when a server joins; but within an instant every connected client is told that %s exists.", n.Name, r.noun, r.to(n), n.Name),
		Hint:    fmt.Sprintf("%s is named in nobody's list of routes. It dials the servers of its own list, and they tell the rest. Watch how many servers the clients know afterwards.", n.Name),
		Quote:   "Its sole purpose is to provide an additional place where clients can go other than 'A' and ensure we don't end up with a single server serving all the clients after the upgrade procedure.",
		Given:   append(r.isUp(r.Topology.Permanent()...), r.has(n, r.to(n))),
		Do:      r.startAction(n),
		Met:     Running{Node: n.Name, Build: r.to(n)},
		Until:   []Check{Running{Node: n.Name, Build: r.to(n)}, Meshed{Among: names(r.Topology.Nodes)}},
		Claims:  []Claim{becomeAware(r.Topology.Nodes), joinsWhile(n, r.Topology.Nodes), clientsLearn(n)},
		Timeout: actTimeout,
		Undo:    r.quickStop(n),
		Undone:  append([]Check{Exited{Node: n.Name}, Meshed{Among: names(r.Topology.Permanent())}}, r.elsewhere(n)...),
	}
	if !r.Workload.Behaviour.IgnoreDiscovered {
		s.Until = append(s.Until, Know{Nodes: r.Topology.Nodes})
	}
	if r.asWritten() {
		s.Claims = append(s.Claims, threePossible())
	}
	return s
}

func (r rolling) stop(i int) Step {
	n := r.Topology.Permanent()[i]
	others := r.others(n.Name)
	s := Step{
		ID: slug("stop", n.Name), Title: "Stop " + n.Name, Node: n.Name,
		Given:   append(append(r.isUp(others...), r.replicated()...), r.fit(n)),
		Hint:    fmt.Sprintf("Guess first: where will the clients of %s go, and how many messages will they miss? Then watch the clients and the traffic.", n.Name),
		Do:      r.stopAction(n),
		Stops:   true,
		Met:     Exited{Node: n.Name},
		Past:    Restarted{Node: n.Name, Build: r.to(n)},
		Until:   append([]Check{Exited{Node: n.Name}}, r.elsewhere(n)...),
		Timeout: r.stopTimeout(),
		Undo:    r.startAction(n),
		Undone:  r.upAgain(n, r.from(n)),
		Back:    r.back(n),
	}
	if len(others) > 1 {
		s.Until = append(s.Until, Meshed{Among: names(others)})
	}
	switch i {
	case 0:
		s.Why = fmt.Sprintf("Now the %s begins. %s Its clients notice at once and try the next server they know; gossip has told them which there are.", r.noun, r.stopWords(n))
		s.Quote = "We invoke our admin powers and turn off 'A' by issuing a `CTRL+C` to the terminal on 'A' and observe that either 'B' or 'C' reports that a new client connected."
		s.Claims = append(s.Claims, listOnDisconnect(n), newClientReported(n.Name))
		if r.asWritten() {
			s.Claims, s.Predict = append(s.Claims, anotherPlace(n, others[1]), evenly(n, others)), names(others)
		}
	case 1:
		s.Why = fmt.Sprintf("%s is %s; now the same for %s. %s Watch where its clients go.", r.Topology.Permanent()[0].Name, r.done, n.Name, r.stopWords(n))
		s.Quote = r.quoted("We move on to upgrade 'B'. Notice that clients from 'B' reconnect to 'A' and 'C'.")
		if r.asWritten() {
			s.Claims, s.Predict = append(s.Claims, redistribute("from-b", n, others)), names(others)
		}
	default:
		s.Why = fmt.Sprintf("The same rotation for %s. %s", n.Name, r.stopWords(n))
		s.Quote = r.quoted(moreServers)
	}
	return s
}

func (r rolling) replace(i int) Step {
	n := r.Topology.Permanent()[i]
	why := fmt.Sprintf("The heart of the %s: the file that %s is started from becomes %s. The new file is written beside the old one and renamed over it, "+
		"so that there is never half a binary. The file on disk and the version that runs are two facts: nothing changes for %s until it is started.", r.noun, n.Name, r.to(n), n.Name)
	if r.to(n).ByName() {
		why += " This server is inside nats-roll itself, which is nats-server when it is called so; hence the name of the file that is copied."
	}
	return Step{
		ID: slug("replace", n.Name), Title: fmt.Sprintf("Replace %s's binary", n.Name), Node: n.Name,
		Why:     why,
		Quote:   r.quoted(restarts(i, "We perform the upgrade process, update the binary for 'A', and restart 'A':")),
		Hint:    "A file that is being run cannot be written into. What can be done with its name, though? Compare “on disk” and “runs” in the table of servers afterwards.",
		Do:      Replace{Node: n.Name, Build: r.to(n), Slot: r.slot(n)},
		Met:     r.replaced(n),
		Past:    Restarted{Node: n.Name, Build: r.to(n)},
		Until:   []Check{OnDisk{Node: n.Name, Build: r.to(n)}},
		Timeout: actTimeout,
		Undo:    Replace{Node: n.Name, Build: r.from(n), Slot: r.slot(n)},
		Back:    r.back(n),
	}
}

func (r rolling) restart(i int) Step {
	n := r.Topology.Permanent()[i]
	s := Step{
		ID: slug("restart", n.Name), Title: fmt.Sprintf("Start %s again", n.Name), Node: n.Name,
		Why: fmt.Sprintf("The same command line as before, and another binary. %s dials its routes and is back in the mesh within moments. "+
			"No client comes back by itself: clients move when they lose a server, not when one joins.", n.Name),
		Hint:    fmt.Sprintf("It is the command that %s was first started with. Watch two things: the version that runs, and how many clients %s has afterwards.", n.Name, n.Name),
		Quote:   r.quoted(restarts(i, "… and restart 'A':")),
		Given:   append(r.isUp(r.others(n.Name)...), r.has(n, r.to(n))),
		Do:      r.startAction(n),
		Met:     Running{Node: n.Name, Build: r.to(n)},
		Until:   []Check{Running{Node: n.Name, Build: r.to(n)}, Healthy{Node: n.Name}, Meshed{Among: names(r.Topology.Nodes)}, Census{}, Reached{}},
		Timeout: actTimeout,
		Undo:    r.quickStop(n),
		Undone:  append([]Check{Exited{Node: n.Name}}, r.elsewhere(n)...),
		Back:    r.back(n),
	}
	if others := r.others(n.Name); len(others) > 1 {
		s.Undone = append(s.Undone, Meshed{Among: names(others)})
	}
	s.Until = append(s.Until, r.current()...)
	return s
}

func (r rolling) stopSpare(n cluster.Node) Step {
	permanent := r.Topology.Permanent()
	return Step{
		ID: slug("stop", n.Name), Title: fmt.Sprintf("Turn %s off", n.Name), Node: n.Name,
		Why:     fmt.Sprintf("Every permanent server is %s, so %s has done its work. %s Its clients go to the servers that stay; whether they spread is worth a look.", r.done, n.Name, r.stopWords(n)),
		Hint:    "Its clients know the servers that stay. Does each of those get as many? The bars of the clients tell, and the text's guess stands beside what comes.",
		Quote:   "After restarting the last server, we can go ahead and turn off 'C.' Any clients on 'C' will redistribute to our permanent cluster members.",
		Given:   r.isUp(permanent...),
		Do:      r.stopAction(n),
		Stops:   true,
		Met:     Exited{Node: n.Name},
		Until:   []Check{Exited{Node: n.Name}, Census{Without: n.Name}, Reached{}, Meshed{Among: names(permanent)}},
		Claims:  []Claim{redistribute("from-c", n, permanent), notOneServer(permanent), aboutEvenly(permanent)},
		Predict: names(permanent),
		Timeout: r.stopTimeout(),
		Undo:    r.startAction(n),
		Undone:  r.upAgain(n, r.to(n)),
	}
}

// close is the last step; on the way down, with what the text says of that.
func (r rolling) close() Step {
	s := r.lookBack()
	permanent := r.Topology.Permanent()
	s.Claims = []Claim{clientMoves(), twoSuffice(permanent, r.To)}
	if r.down {
		s.Quote = backQuote
		s.Claims = []Claim{samePath(permanent, r.To), earlierMayWork(permanent, r.From, r.To)}
	}
	return s
}
