package upgrade

// What the tutorial says of servers and their routes.

import (
	"fmt"
	"slices"
	"strings"

	"nats-roll/cluster"
)

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

// ofComplaints is a claim that is judged by how one server complains of another,
// which does not run.
func ofComplaints(id string, n, peer cluster.Node, judge func(lines []cluster.LogLine) Finding) Claim {
	return claim(id, func(_, after cluster.Observation) Finding {
		s, _ := after.Server(n.Name)
		lines := linesAbout(s.Refused, peer)
		switch {
		case s.Process.Guest:
			return undecided("%s", notOurLog)
		case len(lines) == 0:
			return undecided("%s has not complained", n.Name)
		}
		return judge(lines)
	})
}

// warns: the text calls the complaint a warning.
func warns(n, peer cluster.Node) Claim {
	return ofComplaints("warns", n, peer, func(lines []cluster.LogLine) Finding {
		if l := lines[0].Level; l != cluster.LevelWarn {
			return differs("%s complains at level [%s]", n.Name, l).because("level")
		}
		return holds("%s complains at level [%s]", n.Name, lines[0].Level)
	})
}

// refusedLine: the words of the first server's complaint, letter by letter but for
// the port, which may have been moved.
func refusedLine(n, peer cluster.Node) Claim {
	c := ofComplaints("refused-line", n, peer, func(lines []cluster.LogLine) Finding {
		first := lines[0]
		if first.Text == fmt.Sprintf("Error trying to connect to route: dial tcp localhost:%d: connect: connection refused", peer.RoutePort) {
			return holds("%s says so", n.Name)
		}
		f := differs("%s says: [%s] %s", n.Name, first.Level, first.Text)
		if strings.Contains(first.Text, "(attempt ") {
			f = f.because("attempts")
		}
		if !strings.Contains(first.Text, "dial tcp localhost:") {
			f = f.because("resolved")
		}
		if again := likeFirst(lines); again > 1 {
			f.Detail += fmt.Sprintf(", %s", count(again, "time"))
			f = f.because("twice")
		}
		return f
	})
	// Several connections may be dialed at once, each by itself. Once one of them is
	// dialed again, a second later, all have been dialed; the server's lines say so
	// only if it writes them at level debug.
	c.Late = func(after cluster.Observation) bool {
		s, _ := after.Server(n.Name)
		lines := linesAbout(s.Refused, peer)
		return !s.Process.Guest && len(lines) == likeFirst(lines) && len(lines) < 2
	}
	return c
}

// likeFirst counts the lines that say what the first of them says.
func likeFirst(lines []cluster.LogLine) int {
	n := 0
	for _, l := range lines {
		if l.Text == lines[0].Text && l.Level == lines[0].Level {
			n++
		}
	}
	return n
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
