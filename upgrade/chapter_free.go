package upgrade

import "fmt"

// free has no plan: the servers, the clients, and every key.
var free = Chapter{
	Name: "free", About: "no plan: the servers, the clients, and every key; run ends it after --hold, 5s", Takes: "open end", Plan: Free,
	Flags: map[string]string{"hold": "5s"},
}

// Free brings the servers and the clients up, and leaves them to the person. The
// books are closed when they say so, or, unattended, when the hold is over.
func Free(s Spec) Plan {
	r := base{s}
	p := r.head("free", "Free play", fmt.Sprintf("There is no plan here. %s run, clients are connected and messages flow; the rest is yours: stop, kill, replace and start whatever you like, "+
		"as often as you like, from here or from another terminal. What you do is seen, counted and recorded all the same.", List(names(s.Topology.Nodes))))
	p.Steps = append(p.Steps, r.startAll(), r.connect(), r.play())
	return p
}

// startAll starts every server, the temporary one as well.
func (r base) startAll() Step {
	all := r.Topology.Nodes
	s := Step{
		ID: "start-servers", Title: "Start the servers",
		Why: fmt.Sprintf("%s are started one after the other, each in a folder of its own with a nats-server file of its own. They find each other by their routes, "+
			"and every two of them keep a link. Whatever happens to one of them later, you see it in the other panels.", List(names(all))),
		Hint:    "How many links are there between so many servers?",
		Until:   []Check{Meshed{Among: names(all)}},
		Timeout: actTimeout,
	}
	var do, undo Series
	var up every
	for _, n := range all {
		b := r.from(n)
		if !n.Permanent {
			b = r.to(n)
		}
		s.Given = append(s.Given, r.has(n, b))
		do, undo = append(do, r.startAction(n)), append(undo, r.stopAction(n))
		up = append(up, Running{Node: n.Name, Build: b})
		s.Until = append(s.Until, Running{Node: n.Name, Build: b})
		s.Undone = append(s.Undone, Exited{Node: n.Name})
	}
	s.Do, s.Met, s.Undo = do, up, undo
	return s
}

// play is the one step that waits: it is done when the person has had enough.
func (r base) play() Step {
	s := Step{
		ID: LookBack, Title: "Close the books when you are done",
		Why: fmt.Sprintf("Choose a server with ↑ and ↓: x stops it, K kills it, D puts it into lame duck mode, in which it sends its clients away before it ends; b replaces its binary by %s, and s starts it. Things to try: stop the server that has most clients, and see where they go. "+
			"Kill one instead: what is lost? Replace a binary and forget the restart. Stop two at once. Take a server down for longer than you would dare. "+
			"Look at the clients, at the routes, at the lost messages, and at the log; ? lists every key. This page waits until you press Enter: then the publisher stops and everything is counted.", r.To),
		Hint:    "Guess first what will be lost, and then look: that is where it is fun.",
		Do:      SettleTraffic{},
		Until:   []Check{Accounted{}},
		Timeout: actTimeout + r.Hold,
		NoUndo:  "looking changes nothing; the publisher can be started again with a new rehearsal",
	}
	if r.Budgeted { // unattended: nobody plays, so everything has to be there still
		if r.Hold > 0 {
			s.Given = []Requirement{{Check: Steady{Nodes: names(r.Topology.Nodes), For: r.Hold}}}
		}
		s.Until = append([]Check{Meshed{Among: names(r.Topology.Nodes)}, NoneGone{}, Census{}}, s.Until...)
	}
	return s
}
