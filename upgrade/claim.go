package upgrade

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"nats-roll/cluster"
)

// Holding says how a claim of the text stands.
type Holding string

// A claim holds as the text says, differs, or cannot be decided here.
const (
	Holds     Holding = "holds"
	Differs   Holding = "differs"
	Undecided Holding = "undecided"
)

// Claim is a sentence of the tutorial that a step puts to the test, and the
// judge that compares it with what was observed before the step and after it.
type Claim struct {
	ID    string // of the Sentence
	Text  string
	Judge func(before, after cluster.Observation) Finding
	// Late says that something it is judged by, a line of a log, is still to come. It
	// may be nil; the step waits for it for a moment.
	Late func(after cluster.Observation) bool
}

// Finding is what was seen of a claim.
type Finding struct {
	ID      string  `json:"id,omitempty"`
	Section string  `json:"section,omitempty"` // of the text
	Text    string  `json:"text"`
	Stands  Holding `json:"stands"`
	Detail  string  `json:"detail"`
	Because []Cause `json:"because,omitempty"` // why it differs, as far as that is known
}

func judge(claims []Claim, before, after cluster.Observation) []Finding {
	var out []Finding
	for _, c := range claims {
		f := c.Judge(before, after)
		s, _ := FindSentence(c.ID)
		s.Text = c.Text
		out = append(out, f.of(s))
	}
	return out
}

// of makes it the finding on a sentence. A difference that nothing is known about
// says so.
func (f Finding) of(s Sentence) Finding {
	f.ID, f.Section, f.Text = s.ID, s.Section(), s.Text
	if f.Stands == Differs && len(f.Because) == 0 {
		f = f.because("unknown")
	}
	return f
}

// Decide judges the sentence, if that needs no server.
func (s Sentence) Decide(g Ground) (Finding, bool) {
	if s.Judge == nil {
		return Finding{}, false
	}
	return s.Judge(g).of(s), true
}

func holds(format string, args ...any) Finding {
	return Finding{Stands: Holds, Detail: fmt.Sprintf(format, args...)}
}

func differs(format string, args ...any) Finding {
	return Finding{Stands: Differs, Detail: fmt.Sprintf(format, args...)}
}

func undecided(format string, args ...any) Finding {
	return Finding{Stands: Undecided, Detail: fmt.Sprintf(format, args...)}
}

// debugOutput: the first server writes lines at level debug, and clients reach it at
// its port.
func debugOutput(n cluster.Node) Claim {
	return claim("debug-output", func(_, after cluster.Observation) Finding {
		s, _ := after.Server(n.Name)
		there := after.Fleet.On()[n.Name]
		switch {
		case s.Process.Guest:
			return undecided("%s", notOurLog)
		case s.Debug == "":
			return undecided("%s has not said anything at that level", n.Name)
		case there == 0:
			return undecided("no client is on %s", n.Name)
		}
		return holds("[DBG] %s; %s connected to %s", s.Debug, count(there, "client"), n.ClientURL())
	})
}

// routesConnect: a server dials who is in its list.
func routesConnect(n, peer cluster.Node) Claim {
	return claim("routes-connect", func(_, after cluster.Observation) Finding {
		s, _ := after.Server(n.Name)
		dialed := linesAbout(s.Refused, peer)
		if len(dialed) == 0 {
			return undecided("%s has not complained of %s, which does not run", n.Name, peer.Name)
		}
		return holds("%s has tried %s, which is in its list, %s", n.Name, peer.RouteURL(), count(len(dialed), "time"))
	})
}

// linesAbout are the lines that name a peer's route port.
func linesAbout(lines []cluster.LogLine, peer cluster.Node) []cluster.LogLine {
	var out []cluster.LogLine
	for _, l := range lines {
		if strings.Contains(l.Text, fmt.Sprintf(":%d:", peer.RoutePort)) {
			out = append(out, l)
		}
	}
	return out
}

// warns: the text calls the complaint a warning.
func warns(n, peer cluster.Node) Claim {
	return claim("warns", func(_, after cluster.Observation) Finding {
		s, _ := after.Server(n.Name)
		lines := linesAbout(s.Refused, peer)
		switch {
		case s.Process.Guest:
			return undecided("%s", notOurLog)
		case len(lines) == 0:
			return undecided("%s has not complained", n.Name)
		case lines[0].Level != cluster.LevelWarn:
			return differs("%s complains at level [%s]", n.Name, lines[0].Level).because("level")
		}
		return holds("%s complains at level [%s]", n.Name, lines[0].Level)
	})
}

// refusedLine: the words of the first server's complaint, letter by letter but for
// the port, which may have been moved.
func refusedLine(n, peer cluster.Node) Claim {
	return claim("refused-line", func(_, after cluster.Observation) Finding {
		s, _ := after.Server(n.Name)
		lines := linesAbout(s.Refused, peer)
		switch {
		case s.Process.Guest:
			return undecided("%s", notOurLog)
		case len(lines) == 0:
			return undecided("%s has not complained", n.Name)
		}
		first := lines[0].Text
		if first == fmt.Sprintf("Error trying to connect to route: dial tcp localhost:%d: connect: connection refused", peer.RoutePort) {
			return holds("%s says so", n.Name)
		}
		f := differs("%s says: [%s] %s", n.Name, lines[0].Level, first)
		if strings.Contains(first, "(attempt ") {
			f = f.because("attempts")
		}
		if !strings.Contains(first, "dial tcp localhost:") {
			f = f.because("resolved")
		}
		again := 0
		for _, l := range lines {
			if l.Text == first && l.Level == lines[0].Level {
				again++
			}
		}
		if again > 1 {
			f.Detail += fmt.Sprintf(", %s", count(again, "time"))
			f = f.because("twice")
		}
		return f
	})
}

// selfRoute: no server counts itself among its peers.
func selfRoute(n cluster.Node) Claim {
	return claim("self-route", func(_, after cluster.Observation) Finding {
		s, _ := after.Server(n.Name)
		if !s.Answer.Known() {
			return undecided("%s has not answered", n.Name)
		}
		if slices.ContainsFunc(s.Answer.Peers, func(p cluster.Peer) bool { return p.ID == s.Answer.ServerID }) {
			return differs("/routez of %s lists %s itself", n.Name, n.Name)
		}
		return holds("-routes of %s lists %s; /routez lists no route to itself", n.Name, n.RouteURL())
	})
}

// oneConfiguration: the same list on every server, and they see each other.
func oneConfiguration(nodes []cluster.Node) Claim {
	return claim("one-configuration", func(_, after cluster.Observation) Finding {
		lists := map[string]string{}
		for _, n := range nodes {
			s, _ := after.Server(n.Name)
			lists[n.Name] = routesOf(s.Process)
		}
		v := Meshed{Among: names(nodes)}.Eval(after)
		same := cluster.Alike(lists)
		switch {
		case !v.Met:
			return undecided("%s", v.Detail)
		case len(same) != 1 || same[0].Of == "":
			return undecided("they were started with different lists")
		}
		return holds("%s were started with -routes %s; %s", List(names(nodes)), same[0].Of, v.Detail)
	})
}

// secondServer: the second server's command line but for its name and its ports.
func secondServer(a, b cluster.Node) Claim {
	return claim("second-server", func(_, after cluster.Observation) Finding {
		sa, _ := after.Server(a.Name)
		sb, _ := after.Server(b.Name)
		if len(sa.Process.Args) == 0 || len(sb.Process.Args) == 0 {
			return undecided("their command lines are not known")
		}
		if got, want := strings.Join(sb.Process.Args, " "), renamed(sa.Process.Args, a, b); got != want {
			return differs("%s was started with %s", b.Name, got)
		}
		return holds("ports %d and %d here; the rest of the command line is that of %s, but for the name", b.ClientPort, b.RoutePort, a.Name)
	})
}

// renamed is a command line of one node as it would be another's.
func renamed(args []string, from, to cluster.Node) string {
	out := slices.Clone(args)
	for i := 1; i < len(out); i++ {
		switch out[i-1] {
		case "-n":
			out[i] = to.Name
		case "-p":
			out[i] = fmt.Sprint(to.ClientPort)
		case "-m":
			out[i] = fmt.Sprint(to.MonitorPort)
		case "-cluster":
			out[i] = strings.Replace(out[i], from.RouteURL(), to.RouteURL(), 1)
		}
	}
	return strings.Join(out, " ")
}

// clientMessage: the tutorial's subscriber is seen by its server, which says so.
func clientMessage(n cluster.Node) Claim {
	c := claim("client-message", func(_, after cluster.Observation) Finding {
		if len(after.Fleet.Clients) == 0 {
			return undecided("no client was started")
		}
		return reported(after, after.Fleet.Clients[0].Name, n.Name)
	})
	c.Late = messageToCome
	return c
}

// messageToCome says that the tutorial's subscriber is on a server which writes such
// messages, and that this one was not read yet.
func messageToCome(o cluster.Observation) bool {
	if len(o.Fleet.Clients) == 0 {
		return false
	}
	c := o.Fleet.Clients[0]
	s, _ := o.Server(c.Node)
	return s.Debug != "" && !s.Process.Guest && c.Status == cluster.ClientConnected && reported(o, c.Name, c.Node).Stands != Holds
}

// reported looks for a client in the answers and in the lines of a server.
func reported(o cluster.Observation, client, node string) Finding {
	s, _ := o.Server(node)
	i := slices.IndexFunc(s.Answer.Clients, func(c cluster.Connection) bool { return c.Name == client })
	if i < 0 {
		return undecided("it is not on the page of /connz of %s that is read", node)
	}
	c := s.Answer.Clients[i]
	cid := fmt.Sprintf("cid:%d ", c.CID)
	line := slices.IndexFunc(s.Greeted, func(l cluster.LogLine) bool { return strings.Contains(l.Text, cid) })
	switch {
	case s.Process.Guest:
		return undecided("/connz of %s lists it as cid %d; the message was %s", node, c.CID, notOurLog)
	case line < 0:
		return undecided("/connz of %s lists it as cid %d; its message is not among the lines that were read", node, c.CID)
	}
	return holds("%s says: [%s] %s (because of -D)", node, s.Greeted[line].Level, s.Greeted[line].Text)
}

// selectRandomly: where clients are after they have connected.
func selectRandomly(w cluster.Workload, first cluster.Node) Claim {
	return claim("select-randomly", func(_, after cluster.Observation) Finding {
		on := map[string]int{}
		for _, c := range after.Fleet.Clients {
			if c.Role.Hears() && c.Status == cluster.ClientConnected && c.Pinned == "" {
				on[c.Node]++
			}
		}
		n := sum(on)
		switch {
		case n < 8:
			return undecided("%s are too few to tell", count(n, "client"))
		case !w.Behaviour.All && on[first.Name] == n:
			return differs("all %d are on %s, the only address that they were given", n, first.Name).because("one-address")
		case w.Behaviour.All && w.Behaviour.NoRandomize:
			return undecided("they were told to keep the order of their list")
		case len(on) < 2:
			return differs("all %d are on one server", n).because("one-address")
		}
		return holds("%s", Impact{Moved: on}.Went())
	})
}

// joinsWhile: a server joins, and nobody moves for that.
func joinsWhile(joined cluster.Node, all []cluster.Node) Claim {
	return claim("joins-while", func(before, after cluster.Observation) Finding {
		v := Meshed{Among: names(all)}.Eval(after)
		if !v.Met {
			return undecided("%s", v.Detail)
		}
		moved := 0
		for i, was := range before.Fleet.Clients {
			if i < len(after.Fleet.Clients) && after.Fleet.Clients[i].Node != was.Node {
				moved++
			}
		}
		return holds("%s; %d of %d clients moved because %s joined", v.Detail, moved, len(before.Fleet.Clients), joined.Name)
	})
}

// becomeAware: gossip tells every client about the servers.
func becomeAware(nodes []cluster.Node) Claim {
	return claim("clients-become-aware", func(before, after cluster.Observation) Finding {
		v := Know{Nodes: nodes}.Eval(after)
		switch {
		case len(after.Fleet.Clients) == 0:
			return undecided("no client was started")
		case !v.Met:
			return differs("%s know %s", v.Detail, List(names(nodes)))
		}
		if n := after.Fleet.Reconnects - before.Fleet.Reconnects; n > 0 {
			return undecided("%d clients had to reconnect meanwhile", n)
		}
		return holds("%s clients know %s by gossip; none had to reconnect for that", strings.TrimSuffix(v.Detail, ", by gossip"), List(names(nodes)))
	})
}

// clientsLearn: gossip tells clients about the server that joined.
func clientsLearn(joined cluster.Node) Claim {
	return claim("clients-learn", func(_, after cluster.Observation) Finding {
		v := Know{Nodes: []cluster.Node{joined}}.Eval(after)
		switch {
		case len(after.Fleet.Clients) == 0:
			return undecided("no client was started")
		case !v.Met:
			return differs("%s know %s", v.Detail, joined.Name)
		}
		return holds("%s clients know %s", strings.TrimSuffix(v.Detail, ", by gossip"), joined.Name)
	})
}

// threePossible: what the tutorial's one subscriber knows.
func threePossible() Claim {
	return claim("three-possible", func(_, after cluster.Observation) Finding {
		if len(after.Fleet.Clients) == 0 {
			return undecided("no client was started")
		}
		known := after.Fleet.Clients[0].Known
		if len(known) != 3 {
			return differs("nats sub knows %d: %s", len(known), strings.Join(known, ", "))
		}
		return holds("nats sub knows %s", strings.Join(known, ", "))
	})
}

// listOnDisconnect: the client that lost its server goes to one that it was not
// given.
func listOnDisconnect(given cluster.Node) Claim {
	return claim("list-on-disconnect", func(before, after cluster.Observation) Finding {
		if len(before.Fleet.Clients) == 0 || len(after.Fleet.Clients) == 0 {
			return undecided("no client was started")
		}
		was, is := before.Fleet.Clients[0], after.Fleet.Clients[0]
		switch {
		case was.Node != given.Name:
			return undecided("nats sub was on %s before", was.Node)
		case is.Status != cluster.ClientConnected || is.Node == given.Name:
			return differs("nats sub is %s", is.Status)
		}
		return holds("nats sub was given %s; it knew %s, and is on %s", given.ClientURL(), strings.Join(was.Known, ", "), is.Node)
	})
}

// newClientReported: the tutorial's one subscriber turns up elsewhere, and the
// server there says so.
func newClientReported(from string) Claim {
	c := claim("new-client-reported", func(before, after cluster.Observation) Finding {
		if len(before.Fleet.Clients) == 0 || len(after.Fleet.Clients) == 0 {
			return undecided("no client was started")
		}
		if was := before.Fleet.Clients[0]; was.Node != from {
			return undecided("nats sub was on %s before", was.Node)
		}
		c := after.Fleet.Clients[0]
		if c.Status != cluster.ClientConnected || c.Node == from {
			return differs("nats sub is %s", c.Status)
		}
		f := reported(after, c.Name, c.Node)
		f.Detail = fmt.Sprintf("nats sub is on %s, %s after it lost %s; %s", c.Node, Round(c.LastAway), from, f.Detail)
		if f.Stands == Undecided { // where it is, is what the sentence is about
			f.Stands = Holds
		}
		return f
	})
	c.Late = messageToCome
	return c
}

// anotherPlace: somebody went to the temporary server.
func anotherPlace(from, spare cluster.Node) Claim {
	return claim("another-place", func(before, after cluster.Observation) Finding {
		moved := movedFrom(from.Name, before, after)
		n := sum(moved)
		switch {
		case n < 8:
			return undecided("%s left %s, too few to tell", count(n, "client"), from.Name)
		case moved[spare.Name] == 0:
			return differs("none of %d went to %s", n, spare.Name).because("shuffled-once")
		}
		return holds("%d of %d went to %s", moved[spare.Name], n, spare.Name)
	})
}

// chance is what is still called even: 2.6 standard deviations around a fair share,
// which a fair draw keeps to in about 99 of 100 times.
const chance = 2.6

// fair is the bounds of an even share of n clients between so many servers.
func fair(n, servers int) (low, high int) {
	share := float64(n) / float64(servers)
	by := chance * math.Sqrt(share*(1-1/float64(servers)))
	return int(math.Ceil(max(0, share-by))), int(math.Floor(share + by))
}

// even says whether every server has about its part, and the bounds that this means.
func even(moved map[string]int, to []cluster.Node) (ok bool, bounds string) {
	n := sum(moved)
	low, high := fair(n, len(to))
	ok = !slices.ContainsFunc(to, func(t cluster.Node) bool { return moved[t.Name] < low || moved[t.Name] > high })
	return ok, fmt.Sprintf("of %d clients, %d to %d each is what chance allows", n, low, high)
}

// evenly: the text's half and half. The order in which a client tries its known
// servers is shuffled when it hears of one that it never knew, so a fair share
// is a matter of chance: within 2.6 standard deviations is called even. It can
// also be no chance at all: when C joins, A and C may dial each other at once,
// drop each other's connections as duplicates, and meet again. Clients on A then
// hear that C left and that it is back, which is nothing new to them, and it
// stands last in every list. (nats.go processInfo; seen about once in ten walks)
func evenly(from cluster.Node, to []cluster.Node) Claim {
	return claim("half-and-half", func(before, after cluster.Observation) Finding {
		moved := movedFrom(from.Name, before, after)
		n := sum(moved)
		if n < 8 {
			return undecided("%s; %d clients are too few to tell halves from chance", spread(moved, to), n)
		}
		ok, bounds := even(moved, to)
		if !ok {
			return differs("%s; %s%s", spread(moved, to), bounds, asListed(moved, listed(from, to, before), to)).because("shuffled-once")
		}
		return holds("%s; %s", spread(moved, to), bounds)
	})
}

// redistribute: the text lets the clients of a later server spread again. The
// client library tries the servers it knows in a fixed order, the one it lost
// last; a server that has come back is at the end of the list.
// (nats.go selectNextServer; processInfo appends a returning server)
func redistribute(id string, from cluster.Node, to []cluster.Node) Claim {
	return claim(id, func(before, after cluster.Observation) Finding {
		moved := movedFrom(from.Name, before, after)
		n := sum(moved)
		if n < 2 {
			return undecided("%s left %s", count(n, "client"), from.Name)
		}
		for _, t := range to {
			if moved[t.Name] == 0 {
				return differs("%s%s", spread(moved, to), asListed(moved, listed(from, to, before), to)).because("in-order")
			}
		}
		return holds("%s", spread(moved, to))
	})
}

// aboutEvenly: how the clients stand when all is over.
func aboutEvenly(permanent []cluster.Node) Claim {
	return claim("about-evenly", func(_, after cluster.Observation) Finding {
		on := after.Fleet.On()
		if n := sum(on); n < 8 {
			return undecided("%s are too few to tell", count(n, "client"))
		}
		ok, bounds := even(on, permanent)
		where := fmt.Sprintf("in the end %s; %s", standing(on, permanent), bounds)
		if !ok {
			return differs("%s", where).because("in-order")
		}
		return holds("%s", where)
	})
}

// standing says where clients are: "20 on A, 2 on B".
func standing(on map[string]int, nodes []cluster.Node) string {
	return strings.ReplaceAll(spread(on, nodes), " to ", " on ")
}

// clientMoves: one and the same client, from server to server.
func clientMoves() Claim {
	return claim("client-moves", func(_, after cluster.Observation) Finding {
		if len(after.Fleet.Clients) == 0 {
			return undecided("no client was started")
		}
		c := after.Fleet.Clients[0]
		var trail []string
		for _, h := range c.Trail {
			trail = append(trail, h.Node)
		}
		way := strings.Join(trail, " → ")
		switch {
		case c.Status != cluster.ClientConnected:
			return differs("nats sub is %s after %s%s", c.Status, way, because(c.Err))
		case len(trail) < 2:
			return undecided("nats sub never lost its server")
		}
		return holds("nats sub went %s, the same process all the time: it was never started again", way)
	})
}

// twoSuffice: the whole upgrade with two permanent servers.
func twoSuffice(permanent []cluster.Node, to cluster.Builds) Claim {
	return claim("two-suffice", func(_, after cluster.Observation) Finding {
		if len(permanent) != 2 {
			return undecided("there are %d permanent servers here", len(permanent))
		}
		f := upgraded(permanent, to, after)
		if f.Stands == Holds {
			f.Detail += ", while clients were connected"
		}
		return f
	})
}

// upgraded says whether every server runs what it should.
func upgraded(permanent []cluster.Node, to cluster.Builds, o cluster.Observation) Finding {
	run := map[string]cluster.Version{}
	for _, n := range permanent {
		if v := (Running{Node: n.Name, Build: to.Of(n.Name)}).Eval(o); !v.Met {
			return differs("%s: %s", n.Name, v.Detail)
		}
		run[n.Name] = to.Of(n.Name).Version
	}
	return holds("%s", running(run))
}

// samePath: the way down is the way up. Without JetStream it is; what newer
// servers stored, older ones may not read.
func samePath(permanent []cluster.Node, to cluster.Builds) Claim {
	return claim("same-path", func(_, after cluster.Observation) Finding {
		f := upgraded(permanent, to, after)
		if f.Stands == Holds {
			f.Detail += " after the same steps, without JetStream"
		}
		return f
	})
}

// earlierMayWork: of a way down, by what is known of it and by how it went.
func earlierMayWork(permanent []cluster.Node, from, to cluster.Builds) Claim {
	return claim("earlier-may-work", func(_, after cluster.Observation) Finding {
		f := upgraded(permanent, to, after)
		if f.Stands == Holds {
			f.Detail = fmt.Sprintf("%s → %s worked here: %s, and every client is connected; nothing was stored with JetStream", from, to, f.Detail)
		}
		return f
	})
}

// lessConfigured: how many addresses the seed's servers were given, and what became
// of them.
func lessConfigured(a, b, c cluster.Node) Claim {
	return claim("less-configuration", func(_, after cluster.Observation) Finding {
		v := Meshed{Among: []string{a.Name, b.Name, c.Name}}.Eval(after)
		if !v.Met {
			return undecided("%s", v.Detail)
		}
		var given []string
		for _, n := range []cluster.Node{a, b, c} {
			s, _ := after.Server(n.Name)
			if r := routesOf(s.Process); r != "" {
				given = append(given, n.Name+" "+r)
			}
		}
		return holds("-routes: %s has none, %s; three links all the same", a.Name, strings.Join(given, ", "))
	})
}

// seedLearned: the two that know only the seed know each other.
func seedLearned(a, b, c cluster.Node) Claim {
	return claim("seed-learn", func(_, after cluster.Observation) Finding {
		var told []string
		for _, n := range []cluster.Node{b, c} {
			other := c
			if n.Name == c.Name {
				other = b
			}
			if after.Peers(n.Name)[other.Name] == 0 {
				return differs("/routez of %s lists %s, not %s", n.Name, List(peers(after, n.Name)), other.Name)
			}
			told = append(told, fmt.Sprintf("of %s: peers %s", n.Name, List(peers(after, n.Name))))
		}
		return holds("/routez %s; both were given %s alone", strings.Join(told, ", "), a.RouteURL())
	})
}

// seedMesh: the last link of the mesh, which nobody configured.
func seedMesh(a, b, c cluster.Node) Claim {
	return claim("seed-mesh", func(_, after cluster.Observation) Finding {
		mesh := Meshed{Among: []string{a.Name, b.Name, c.Name}}.Eval(after)
		if !mesh.Met {
			return differs("%s", mesh.Detail)
		}
		return holds("%s; %s", mesh.Detail, strings.TrimPrefix(Linked{A: b.Name, B: c.Name, Gossip: true}.Eval(after).Detail, "/routez: "))
	})
}

// running says who runs what: "A and B run 2.15.1".
func running(versions map[string]cluster.Version) string {
	var out []string
	for _, g := range cluster.Alike(versions) {
		verb := "run"
		if len(g.Nodes) == 1 {
			verb = "runs"
		}
		out = append(out, fmt.Sprintf("%s %s %s", List(g.Nodes), verb, g.Of))
	}
	return List(out)
}

// movedFrom counts where the clients went that were on a node before.
func movedFrom(from string, before, after cluster.Observation) map[string]int {
	moved := map[string]int{}
	for i, was := range before.Fleet.Clients {
		if was.Node != from || i >= len(after.Fleet.Clients) {
			continue
		}
		if now := after.Fleet.Clients[i]; now.Status == cluster.ClientConnected && now.Node != from {
			moved[now.Node]++
		}
	}
	return moved
}

// listed counts, for the clients that were on a node, which server stood next
// in the list of those they know.
func listed(from cluster.Node, to []cluster.Node, before cluster.Observation) map[string]int {
	next := map[string]int{}
	for _, c := range before.Fleet.Clients {
		if c.Node != from.Name {
			continue
		}
		for _, known := range c.Known {
			if i := slices.IndexFunc(to, func(n cluster.Node) bool { return at(known, n) }); i >= 0 {
				next[to[i].Name]++
				break
			}
		}
	}
	return next
}

// asListed sets where the clients went beside the lists that they had before.
func asListed(moved, listed map[string]int, to []cluster.Node) string {
	for _, t := range to {
		if moved[t.Name] != listed[t.Name] {
			return fmt.Sprintf("; next in their lists before were %s", spread(listed, to))
		}
	}
	return ", each to the next in its own list"
}

func sum(m map[string]int) int {
	n := 0
	for _, v := range m {
		n += v
	}
	return n
}

func spread(moved map[string]int, to []cluster.Node) string {
	var out []string
	for _, t := range to {
		out = append(out, fmt.Sprintf("%d to %s", moved[t.Name], t.Name))
	}
	return strings.Join(out, ", ")
}
