package upgrade

import (
	"fmt"
	"strings"
	"time"

	"nats-roll/cluster"
)

var spreadChapter = Chapter{
	Name: "spread", About: "where clients really go, and what spreads them again", Takes: "10 minutes", Plan: Spread,
	Flags: map[string]string{"clients": "300"},
	Fixed: []string{"nodes", "no-spare", "jetstream", "ignore-discovered"},
	Shape: func(t *cluster.Topology) { t.Configured = true },
}

// Spread walks the tutorial's upgrade with many clients, sets where they go beside
// what is predicted, and tries what spreads them again.
func Spread(s Spec) Plan {
	s.Workload.Parties = []cluster.Party{{
		Name: lone, Members: loneMembers, At: s.Topology.Permanent()[1].Name, Late: true,
		Behaviour: cluster.Behaviour{IgnoreDiscovered: true, MaxReconnects: loneTries},
	}}
	return spreading{rolling{base: base{s}, chapter: "spread", noun: "upgrade", done: "upgraded"}}.plan()
}

// The party that knows one server only.
const (
	lone        = "lone"
	loneMembers = 5
	loneTries   = 3
)

// spreading builds the steps of the chapter; its methods stand in their order.
type spreading struct{ rolling }

// The ids of the steps that are cures, and what they are called in the conclusion.
var cures = []struct{ id, name string }{
	{"kick-clients", "closing surplus connections through the system account (KICK)"},
	{"reconnect-clients", "every client reconnects (ForceReconnect)"},
	{"draw-servers", "every client draws one of its servers (SetServerPool, ForceReconnect)"},
	{"connect-anew", "every client connects anew with all addresses"},
}

func (r spreading) plan() Plan {
	p := r.head("spread", "Where clients go", r.intro())
	p.Configs = configured(r.Topology, cluster.SystemAccount)
	permanent := r.Topology.Permanent()
	a, b := permanent[0], permanent[1]

	walk := r.walk()
	ask := []Step{r.warn(), r.kick()}
	if r.Stop == cluster.StopLameDuck { // they have been told already
		ask = ask[1:]
	}
	if r.oldest().Compare(movesClients) < 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("Servers before %s cannot be asked to close a client's connection: that cure is left out, because %s is older.", movesClients, r.oldest()))
		ask = nil
	} else {
		ask = append(ask, r.pileUp("pile-up-again", b))
	}
	own := []Step{r.reconnect(b), r.draw()}
	several := []Step{r.pileUp("pile-up-once-more", a), r.renew()}
	if spare, ok := r.Topology.Spare(); ok {
		several = append(several, r.anotherRound(spare)...)
	}
	for _, part := range []struct {
		title string
		steps []Step
	}{
		{"As the text does it", walk},
		{"Cure: ask the server to let clients go", ask},
		{"Cure: the application changes servers", own},
		{"Cure: give clients several addresses", several},
		{"A client that knows one server", r.alone(b)},
	} {
		for _, st := range part.steps {
			st.Part = part.title
			p.Steps = append(p.Steps, st)
		}
	}
	p.Steps = append(p.Steps, r.close())
	return p
}

func (r spreading) intro() string {
	return fmt.Sprintf("The text says that clients spread about evenly whenever a server is stopped. You will walk its upgrade with %d clients and see, after every stop, "+
		"where they went, where the text would have them, and where their own lists of servers said that they would go. "+
		"Look at where all of them are at the end. Then you will try what spreads them again, and see what each way costs; and what becomes of a client that knows one server only.", r.Workload.Clients())
}

// oldest is the oldest of the versions that run once all are upgraded.
func (r spreading) oldest() cluster.Version {
	out := r.to(r.Topology.Nodes[0]).Version
	for _, n := range r.Topology.Nodes {
		if v := r.to(n).Version; v.Compare(out) < 0 {
			out = v
		}
	}
	return out
}

// walk is the text's procedure.
func (r spreading) walk() []Step {
	permanent := r.Topology.Permanent()
	var out []Step
	for i := range permanent {
		out = append(out, r.start(i))
	}
	out = append(out, r.connect())
	spare, hasSpare := r.Topology.Spare()
	if hasSpare {
		s := r.startSpare(spare)
		s.Hint = "Nobody moves when a server joins. But every client shuffles its list of servers now, because it hears of one that it never knew: what is decided here is seen when A is stopped."
		out = append(out, s)
	}
	for i, n := range permanent {
		s := r.stop(i)
		s.Hint = fmt.Sprintf("Each client keeps a list of the servers it knows. When it loses %s, it goes to the next one in the list, and %s goes to the end. The clients panel says what the lists predict.", n.Name, n.Name)
		out = append(out, r.foreseen(s, n, without(r.Topology.Nodes, n.Name)), r.upgrade(i))
	}
	if hasSpare {
		s := r.stopSpare(spare)
		s.Why += " This is the stop after which the text expects the clients on all permanent servers."
		out = append(out, r.foreseen(s, spare, permanent))
	}
	return out
}

// foreseen adds to a stop what the lists predict, and what was seen.
func (r spreading) foreseen(s Step, n cluster.Node, nodes []cluster.Node) Step {
	s.Foretell, s.Tell = listsAfter(n), sayWhere(s.Predict, n, nodes)
	return s
}

// upgrade is a server's new binary and its start, in one step.
func (r spreading) upgrade(i int) Step {
	n := r.Topology.Permanent()[i]
	s, swap := r.restart(i), r.replace(i)
	s.ID, s.Title = slug("upgrade", n.Name), fmt.Sprintf("Start %s with the new binary", n.Name)
	s.Why = fmt.Sprintf("%s's binary is replaced by %s, and it is started with the same command line as before. No client comes back by itself: clients move when they lose a server, not when one joins. "+
		"For them %s is not new, so it is put at the end of their lists, and nothing is shuffled.", n.Name, r.to(n), n.Name)
	s.Quote = swap.Quote
	s.Given = r.isUp(r.others(n.Name)...)
	s.Do = Series{swap.Do, s.Do}
	s.Undo = Series{s.Undo, swap.Undo}
	s.Undone = append(s.Undone, swap.undone()...)
	s.Met = both{Running{Node: n.Name, Build: r.to(n)}, Restarted{Node: n.Name, Build: r.to(n)}}
	return s
}

// notOneServer: what the temporary server is for, by the text.
func notOneServer(permanent []cluster.Node) Claim {
	return claim("no-single-server", func(_, after cluster.Observation) Finding {
		clients := after.Fleet.On()
		name, most, all := fullest(clients, permanent)
		switch s := share(clients, permanent); {
		case all < 8:
			return undecided("%s; %d clients are too few to tell", on(clients, permanent), all)
		case s >= 95:
			return differs("%s: %s has %d %% of the clients", on(clients, permanent), name, s).because("in-order")
		default:
			return holds("%s: %s, the fullest, has %d of %d", on(clients, permanent), name, most, all)
		}
	})
}

// cure is a step that moves clients by other means than a stop.
func (r spreading) cure(s Step) Step {
	permanent := r.Topology.Permanent()
	s.NoUndo = "the clients have moved; the next part begins by piling them up again"
	s.Timeout = actTimeout + time.Duration(r.Workload.Clients())*20*time.Millisecond
	s.Given = r.isUp(permanent...)
	s.Until = append([]Check{Census{}, Reached{}}, s.Until...)
	s.Tell = func(t Told) []string { return []string{effect(t, permanent)} }
	return s
}

// effect tells what a cure has done, and what it cost.
func effect(t Told, nodes []cluster.Node) string {
	before, after := t.Before.Fleet.On(), t.After.Fleet.On()
	im := Measure(t.Before, t.After)
	s := fmt.Sprintf("the fullest server had %d %% of the clients and has %d %% (%s → %s)", share(before, nodes), share(after, nodes), on(before, nodes), on(after, nodes))
	if im.Reconnects == 0 {
		return s + "; nobody moved"
	}
	return fmt.Sprintf("%s; away meanwhile: %s, for %s at most; %s lost", s, count(im.Reconnects, "client"), Round(im.LongestAway), count(int(im.Lost), "message"))
}

func (r spreading) warn() Step {
	permanent := r.Topology.Permanent()
	return r.cure(Step{
		ID: "warn-clients", Title: "Tell surplus clients to leave",
		Why: "An administrator can talk to servers through the system account, an account of their own that their configuration file names a user of. " +
			"Here the fullest server is asked to tell the clients that it has too many of that it is about to end (LDM, lame duck mode), although it is not: a polite word. " +
			"The client library hands that on to the application, and does nothing by itself. This application does nothing either.",
		Hint:  "Watch whether anybody moves.",
		Do:    Shift{Verb: "LDM", Among: permanent},
		Until: []Check{Warned{Clients: max(1, r.Workload.Clients()/len(permanent)/2)}},
	})
}

func (r spreading) kick() Step {
	permanent := r.Topology.Permanent()
	s := r.cure(Step{
		ID: "kick-clients", Title: "Kick surplus clients",
		Why: "The same request with another word: the server closes the connections of the clients that it has too many of (KICK). For a client that is a lost connection like any other: it goes to the next server in its list, which of two servers is the other one. " +
			"Nothing in the application has to be ready for it, and only those that are to move are disturbed. Servers can do this since 2.10.",
		Hint:  "The first request asks for as many connections as are too many; then there is a request for each.",
		Do:    Shift{Verb: "KICK", Among: permanent},
		Until: []Check{Even{Nodes: permanent}},
	})
	s.Foretell = func(o cluster.Observation) map[string]int {
		clients := o.Fleet.On()
		name, most, all := fullest(clients, permanent)
		left := most - all/len(permanent)
		return nextInList("", func(_ int, c cluster.Client) bool { // whichever they are
			if c.Node != name || left == 0 {
				return false
			}
			left--
			return true
		})(o)
	}
	return s
}

// pileUp brings the picture back, the way it came about: a server is restarted.
func (r spreading) pileUp(id string, n cluster.Node) Step {
	permanent := r.Topology.Permanent()
	s := Step{
		ID: id, Title: fmt.Sprintf("Restart %s: all go to one server", n.Name), Node: n.Name,
		Why: fmt.Sprintf("So that the next cure is tried on the same picture, it is brought about again in the way it came about: %s is stopped and started at once. "+
			"Its clients go to the server that is left and stay there. Every restart of a server in a cluster of two undoes whatever spread the clients before.", n.Name),
		Hint:    "How long do an even spread's clients need to be on one server again?",
		Given:   r.isUp(permanent...),
		Do:      Series{r.quickStop(n), r.startAction(n)},
		Stops:   true,
		Until:   []Check{Again{Node: n.Name}, Running{Node: n.Name, Build: r.to(n)}, Meshed{Among: names(permanent)}, Census{Without: n.Name}, Reached{}, Know{Nodes: permanent}},
		Timeout: actTimeout,
		NoUndo:  "the clients have moved, and do not come back by themselves",
	}
	return r.foreseen(s, n, permanent)
}

func (r spreading) reconnect(to cluster.Node) Step {
	s := r.cure(Step{
		ID: "reconnect-clients", Title: "Tell every client to reconnect",
		Why: "The applications themselves can change servers: nats.go has ForceReconnect for that, which drops the connection and goes on as after a loss. Every subscriber calls it now. " +
			"It is meant as a cure, but look at the list: the server that a client is on goes to its end, so with two servers every client goes to the other one. Shuffling the list before does not change that.",
		Hint: "Both servers are up. Where will the clients be?",
		Do:   TellClients{Act: cluster.ActReconnect},
	})
	s.Foretell = nextInList("", func(_ int, c cluster.Client) bool { return c.Role.Hears() })
	if len(r.Topology.Permanent()) == 2 && !r.Workload.Behaviour.All {
		s.Until = append(s.Until, StartedOn{Node: to.Name})
	}
	cost := s.Tell
	s.Tell = func(t Told) []string {
		return append(cost(t), sayWhere(nil, to, r.Topology.Permanent())(t)...)
	}
	return s
}

func (r spreading) draw() Step {
	permanent := r.Topology.Permanent()
	return r.cure(Step{
		ID: "draw-servers", Title: "Let every client draw a server",
		Why: "The same with a draw: each client takes one of the servers it knows by chance, its own among them. If it is another than its own, it puts that first in its list (SetServerPool) and calls ForceReconnect; if not, it stays. " +
			"That needs a few lines in every application, and somebody who tells it when; but nobody has to know who is where, and about half of the clients are not disturbed.",
		Hint:  "Chance does not share out exactly; of 300 clients, one server has 150 give or take 17.",
		Do:    TellClients{Act: cluster.ActDraw},
		Until: []Check{Even{Nodes: permanent}},
	})
}

func (r spreading) renew() Step {
	permanent := r.Topology.Permanent()
	return r.cure(Step{
		ID: "connect-anew", Title: "Connect anew with all addresses",
		Why: "Now every subscriber is given the addresses of all permanent servers, as a changed configuration would, and is started anew: its old connection is closed, and a new one made. " +
			"When a client connects, it shuffles the servers it was given (unless that is switched off) and takes the first. That spreads them at once, but it is a restart of every application: all of them are away for a moment.",
		Hint:  "The next four steps show whether several addresses keep the clients spread.",
		Do:    TellClients{Act: cluster.ActRenew},
		Until: r.unlessOrdered(Even{Nodes: permanent}),
	})
}

// unlessOrdered is nothing if clients keep the order of the URLs that they are given:
// then all of them begin at the first.
func (r spreading) unlessOrdered(c Check) []Check {
	if r.Workload.Behaviour.NoRandomize {
		return nil
	}
	return []Check{c}
}

// anotherRound is the round of stops once more, with the temporary server.
func (r spreading) anotherRound(spare cluster.Node) []Step {
	permanent := r.Topology.Permanent()
	start := r.startSpare(spare)
	start.ID, start.Title, start.Quote, start.Claims = slug("again", spare.Name), fmt.Sprintf("Start %s once more", spare.Name), "", nil
	start.Why = fmt.Sprintf("Do several addresses change the next round? %s joins as before, and each permanent server is restarted. These clients knew %s before or know it from now on; either way it has a place in their lists.", spare.Name, spare.Name)
	out := []Step{start}
	for _, n := range permanent {
		s := r.pileUp(slug("again", n.Name), n)
		s.Title = fmt.Sprintf("Restart %s beside %s", n.Name, spare.Name)
		s.Why = fmt.Sprintf("%s is stopped and started at once, as in a rolling restart. With %s there are two servers to which its clients can go.", n.Name, spare.Name)
		s.Hint = "The lists of these clients began in different orders, since each has shuffled the addresses it was given."
		s.Until = []Check{Running{Node: n.Name, Build: r.to(n)}, Meshed{Among: names(r.Topology.Nodes)}, Census{Without: n.Name}, Reached{}, Know{Nodes: r.Topology.Nodes}}
		out = append(out, r.foreseen(s, n, r.Topology.Nodes))
	}
	stop := r.stopSpare(spare)
	stop.ID, stop.Title, stop.Quote, stop.Claims, stop.Predict = slug("again-stop", spare.Name), fmt.Sprintf("Turn %s off once more", spare.Name), "", nil, nil
	stop.Why = fmt.Sprintf("The end of the second round. %s Compare with the end of the first: one address and a list learned by gossip, or several addresses in an order of each client's own.", r.stopWords(spare))
	return append(out, r.foreseen(stop, spare, permanent))
}

// alone is the part of the clients that know one server.
func (r spreading) alone(n cluster.Node) []Step {
	permanent := r.Topology.Permanent()
	is := func(status cluster.ClientStatus, lost int) PartyIs {
		return PartyIs{Party: lone, Members: loneMembers, Status: status, Lost: lost}
	}
	running := []Check{Running{Node: n.Name, Build: r.to(n)}, Meshed{Among: names(permanent)}}
	join := Step{
		ID: "join-lone", Title: "Connect clients that know one server", Node: n.Name,
		Why: fmt.Sprintf("%d more clients connect to %s. They are set to ignore the servers that they are told of (IgnoreDiscoveredServers), as some applications are behind a proxy or a firewall. "+
			"And they give up on a server after %d tries (MaxReconnects), so that you see it within seconds: the library's own limit is 60 tries, about two seconds apart, which is two minutes.", loneMembers, n.Name, loneTries),
		Hint:    "They hear no numbered messages, and nobody waits for them.",
		Given:   r.isUp(permanent...),
		Do:      TellClients{Act: cluster.ActJoin, Party: lone},
		Met:     is(cluster.ClientConnected, 0),
		Until:   []Check{is(cluster.ClientConnected, 0)},
		Timeout: actTimeout,
		NoUndo:  "clients only watch; they end with the rehearsal",
	}
	blink := Step{
		ID: "restart-in-time", Title: fmt.Sprintf("Restart %s at once", n.Name), Node: n.Name,
		Why: fmt.Sprintf("%s is away for a fraction of a second. A client that knows another server is there in milliseconds. One that does not waits two seconds before it tries %s again, "+
			"because the wait comes after the whole list was tried, and its list is this one server.", n.Name, n.Name),
		Hint:    "Compare how long the clients were away.",
		Given:   r.isUp(permanent...),
		Do:      Series{r.quickStop(n), r.startAction(n)},
		Stops:   true,
		Until:   append([]Check{Again{Node: n.Name}}, append(running, is(cluster.ClientConnected, 1), Census{}, Reached{})...),
		Timeout: actTimeout,
		NoUndo:  "it is as it was, but for who is where",
		Tell:    loneWaited,
	}
	gone := Step{
		ID: "stop-too-long", Title: fmt.Sprintf("Stop %s for too long", n.Name), Node: n.Name,
		Why: fmt.Sprintf("Now %s stays away, as it does when somebody reads the manual between the stop and the start. The lone clients try, wait, try again, and after %d tries give up for good: the connection is closed, and nothing but the application itself can make a new one. "+
			"%s", n.Name, loneTries, r.stopWords(n)),
		Hint:    "With the library's own limit you would have two minutes.",
		Given:   r.isUp(permanent...),
		Do:      r.quickStop(n),
		Stops:   true,
		Until:   []Check{Exited{Node: n.Name}, is(cluster.ClientClosed, 1), Census{Without: n.Name}, Reached{}},
		Timeout: actTimeout,
		NoUndo:  "a connection that was closed for good does not come back",
	}
	back := Step{
		ID: "start-too-late", Title: fmt.Sprintf("Start %s, too late for some", n.Name), Node: n.Name,
		Why:     fmt.Sprintf("%s is back, and everything looks well: the servers are up and meshed, and all who know more than one server are connected. The lone clients do not come back: no server can call a client.", n.Name),
		Hint:    "Such an application goes on running and hears nothing; its own log may say “nats: connection closed”.",
		Given:   r.isUp(without(permanent, n.Name)...),
		Do:      r.startAction(n),
		Until:   append(running, is(cluster.ClientClosed, 1), Census{}, NoneGone{Other: true}),
		Timeout: actTimeout,
		Undo:    r.quickStop(n),
	}
	return []Step{join, blink, gone, back}
}

// loneWaited compares the party with the others.
func loneWaited(t Told) []string {
	var waited, others time.Duration
	least := time.Duration(-1)
	for i, c := range t.After.Fleet.Clients {
		if i >= len(t.Before.Fleet.Clients) || c.Disconnects == t.Before.Fleet.Clients[i].Disconnects {
			continue
		}
		if c.Party == lone {
			waited = max(waited, c.LastAway)
			if least < 0 || c.LastAway < least {
				least = c.LastAway
			}
		} else {
			others = max(others, c.LastAway)
		}
	}
	s := fmt.Sprintf("the clients that know one server were away for %s to %s", Round(max(0, least)), Round(waited))
	if others > 0 {
		s += fmt.Sprintf("; those that know another, %s at most", Round(others))
	}
	return []string{s}
}

// close is the last step, with what all of it comes to.
func (r spreading) close() Step {
	s := r.lookBack()
	s.Why = "The books are closed: where the clients were after every stop and who foretold it, and what each cure did and cost. " + s.Why
	permanent := r.Topology.Permanent()
	s.Tell = func(t Told) []string {
		var out []string
		last := slug("stop", "c")
		if spare, ok := r.Topology.Spare(); ok {
			last = slug("stop", spare.Name)
		}
		if end, ok := t.Over[last]; ok {
			out = append(out, fmt.Sprintf("the text's procedure ends with %s: the fullest server has %d %% of the clients", on(end.On, permanent), share(end.On, permanent)))
		}
		lists, stops := 0, 0
		for _, o := range t.Over {
			if o.Listed != nil && !strings.HasPrefix(o.ID, "kick") {
				stops++
				if equal(o.Listed, o.On, r.Topology.Nodes) {
					lists++
				}
			}
		}
		out = append(out, fmt.Sprintf("the clients' lists foretold %d of %d moves exactly", lists, stops))
		for _, c := range cures {
			if o, ok := t.Over[c.id]; ok {
				im := o.Impact
				out = append(out, fmt.Sprintf("%s: fullest server %d %% → %d %%; %d moved, away for %s at most; %d lost",
					c.name, share(o.Before, permanent), share(o.On, permanent), im.Reconnects, Round(im.LongestAway), im.Lost))
			}
		}
		if spare, ok := r.Topology.Spare(); ok {
			if o, ok := t.Over[slug("again-stop", spare.Name)]; ok {
				out = append(out, fmt.Sprintf("a second round with several addresses ends with %s: the fullest server has %d %%", on(o.On, permanent), share(o.On, permanent)))
			}
		}
		if o, ok := t.Over["stop-too-long"]; ok {
			out = append(out, fmt.Sprintf("of the clients that know one server, %d of %d gave up for good within %s: give clients several addresses, and MaxReconnects -1", closed(t.After.Fleet, lone), loneMembers, Round(o.Took)))
		}
		return append(out, "so look at where the clients are after a rolling restart, and spread them: with KICK where nobody can change the applications, with a draw in the client where somebody can")
	}
	return s
}

func closed(f cluster.Fleet, party string) int {
	n := 0
	for _, c := range members(f, party) {
		if c.Status == cluster.ClientClosed {
			n++
		}
	}
	return n
}

// equal compares two spreads.
func equal(a, b map[string]int, nodes []cluster.Node) bool {
	for _, n := range nodes {
		if a[n.Name] != b[n.Name] {
			return false
		}
	}
	return true
}
