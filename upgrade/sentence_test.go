package upgrade

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"nats-roll/advice"
	"nats-roll/cluster"
)

// planOf is a chapter as the text has it.
func planOf(t *testing.T, c Chapter) Plan {
	t.Helper()
	permanent, spare := 2, true
	if c.Flags["nodes"] != "" {
		if _, err := fmt.Sscan(c.Flags["nodes"], &permanent); err != nil {
			t.Fatal(err)
		}
	}
	if c.Flags["no-spare"] == "true" {
		spare = false
	}
	top, err := cluster.NewTopology(permanent, spare, 0)
	if err != nil {
		t.Fatal(err)
	}
	if c.Shape != nil {
		c.Shape(&top)
	}
	build := func(v cluster.Version) cluster.Builds {
		return cluster.Builds{Build: cluster.Build{Version: v, SHA256: string(v)}}
	}
	return c.Plan(Spec{Topology: top, From: build("2.15.1"), To: build("2.15.2"), Workload: cluster.Workload{Subscribers: 20, Rate: 100}})
}

// Every sentence is verbatim, in the text's order, and something decides it: a judge
// of its own, or a step of the chapter that it names. A claim of a step is listed.
func TestEverySentenceIsDecided(t *testing.T) {
	carried := map[string][]string{}
	for _, c := range Chapters {
		for _, st := range planOf(t, c).Steps {
			for _, cl := range st.Claims {
				carried[c.Name] = append(carried[c.Name], cl.ID)
				if s, ok := FindSentence(cl.ID); !ok || cl.Judge == nil || cl.Text != s.Text {
					t.Errorf("%s, %s: claim %q is not listed, or has no judge", c.Name, st.ID, cl.ID)
				}
			}
		}
	}
	last := Span{}
	seen := map[string]bool{}
	for _, s := range Sentences {
		p, ok := Find(s.Text)
		switch {
		case !ok || s.Section() == "":
			t.Errorf("%s is not in the text: %s", s.ID, s.Text)
			continue
		case seen[s.ID]:
			t.Errorf("%s is there twice", s.ID)
		case p.Spans[0].Block < last.Block || p.Spans[0].Block == last.Block && p.Spans[0].From < last.From:
			t.Errorf("%s stands before the one that is listed before it", s.ID)
		case (s.Judge == nil) == (s.Chapter == ""):
			t.Errorf("%s: a judge %t, chapter %q", s.ID, s.Judge != nil, s.Chapter)
		}
		seen[s.ID], last = true, p.Spans[0]
		if _, ok := FindChapter(s.Chapter); ok && !slices.Contains(carried[s.Chapter], s.ID) {
			t.Errorf("%s: no step of chapter %s puts it to the test", s.ID, s.Chapter)
		}
	}
}

// What a step quotes is a claim, or asks for something to be done.
func TestEveryQuoteIsAClaimOrAnInstruction(t *testing.T) {
	known := slices.Clone(Instructions)
	for _, s := range Sentences {
		for piece := range strings.SplitSeq(s.Text, "…") {
			known = append(known, strings.TrimSpace(piece))
		}
	}
	slices.SortFunc(known, func(a, b string) int { return len(b) - len(a) })
	words := regexp.MustCompile(`\pL+`)
	for _, c := range Chapters {
		for _, st := range planOf(t, c).Steps {
			for piece := range strings.SplitSeq(st.Quote, "…") {
				piece = strings.Trim(piece, " .:")
				if slices.ContainsFunc(known, func(k string) bool { return strings.Contains(k, piece) }) {
					continue
				}
				rest := piece
				for _, k := range known {
					rest = strings.ReplaceAll(rest, strings.Trim(k, " .:"), "")
				}
				if left := strings.Join(words.FindAllString(rest, -1), " "); left != "" && left != "and" && left != "but" {
					t.Errorf("%s, %s quotes %q, which is neither a claim nor an instruction", c.Name, st.ID, left)
				}
			}
		}
	}
	for _, i := range Instructions {
		if _, ok := Find(i); !ok {
			t.Errorf("not in the text: %s", i)
		}
	}
}

// Every cause says how, why, since when, and where that can be read; every
// difference has one.
func TestEveryDifferenceHasACause(t *testing.T) {
	for name, c := range causes {
		if c.How == "" || c.Why == "" || c.Since == "" || name != "unknown" && !strings.HasPrefix(c.Source, "https://github.com/nats-io/") {
			t.Errorf("%s: %+v", name, c)
		}
	}
	f := differs("something").of(Sentences[0])
	if len(f.Because) != 1 || f.Because[0] != causes["unknown"] {
		t.Errorf("%+v", f)
	}
}

func TestSentencesThatNoServerDecides(t *testing.T) {
	known, err := advice.For("2.15.1", "2.15.2", advice.Situation{Nodes: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		id     string
		ground Ground
		stands Holding
		detail string
		since  string
	}{
		{"three-to-five", Ground{}, Undecided, "it is advice", ""},
		{"rigorous-testing", Ground{}, Undecided, "nothing that a running server shows", ""},
		{"support-policy", Ground{Advice: known}, Differs, "2.15 gets patches", "2.11"},
		{"support-policy", Ground{}, Undecided, "nothing is known", ""},
		{"command-of-c", Ground{}, Undecided, "there is no nats command-line tool on PATH", ""},
		{"command-of-c", Ground{CLI: Tried{Path: "/bin/nats"}}, Holds, "/bin/nats takes it", ""},
		{"command-of-c", Ground{CLI: Tried{Path: "/bin/nats", Code: 1, Said: "nats: error: unknown short flag '-D'\nhelp\n"}}, Differs, "/bin/nats ends with exit status 1: nats: error: unknown short flag '-D'", "the first"},
	} {
		s, _ := FindSentence(tc.id)
		f, ok := s.Decide(tc.ground)
		if !ok || f.Stands != tc.stands || !strings.Contains(f.Detail, tc.detail) || f.Section == "" {
			t.Errorf("%s: %+v", tc.id, f)
		}
		if tc.since != "" && (len(f.Because) == 0 || !strings.Contains(f.Because[0].Since, tc.since)) {
			t.Errorf("%s since %+v", tc.id, f.Because)
		}
	}
	if s, _ := FindSentence("self-route"); s.Judge != nil {
		t.Error("a step decides that")
	}
}

// The complaint of A, in the words of several versions.
func TestTheComplaintIsJudged(t *testing.T) {
	p := planOf(t, Chapters[0])
	a, b := p.Topology.Nodes[0], p.Topology.Nodes[1]
	line := func(level cluster.Level, text string) cluster.LogLine {
		return cluster.LogLine{Node: "A", PID: 7, Level: level, Text: text, Topic: cluster.TopicRouteRefused}
	}
	today := "Error trying to connect to route (attempt 1): dial tcp 127.0.0.1:6333: connect: connection refused"
	for _, tc := range []struct {
		name   string
		lines  []cluster.LogLine
		guest  bool
		words  Holding // of the line
		causes []string
		warns  Holding
		late   bool // another line may come
	}{
		{"nothing yet", nil, false, Undecided, nil, Undecided, true},
		{"in another terminal", []cluster.LogLine{line("ERR", today)}, true, Undecided, nil, Undecided, false},
		{"as the text has it", []cluster.LogLine{line("WRN", "Error trying to connect to route: dial tcp localhost:6333: connect: connection refused")}, false, Holds, nil, Holds, true},
		{"gnatsd 1.4.1", []cluster.LogLine{line("ERR", "Error trying to connect to route: dial tcp 127.0.0.1:6333: connect: connection refused")}, false, Differs, []string{"resolved"}, Differs, true},
		{"2.9.25, or one of two connections", []cluster.LogLine{line("ERR", today)}, false, Differs, []string{"attempts", "resolved"}, Differs, true},
		{"2.9.25", []cluster.LogLine{line("ERR", today), line("DBG", strings.Replace(today, "1)", "2)", 1))}, false, Differs, []string{"attempts", "resolved"}, Differs, false},
		{"2.10 and later", []cluster.LogLine{line("ERR", today), line("ERR", today)}, false, Differs, []string{"attempts", "resolved", "twice"}, Differs, false},
	} {
		o := cluster.Observe(p.Topology)
		o.Servers[0].Process = cluster.Process{PID: 7, Guest: tc.guest}
		o.Servers[0].Refused = tc.lines
		f := refusedLine(a, b).Judge(o, o)
		var want []Cause
		for _, c := range tc.causes {
			want = append(want, causes[c])
		}
		if f.Stands != tc.words || !slices.Equal(f.Because, want) {
			t.Errorf("%s: %+v", tc.name, f)
		}
		if got := refusedLine(a, b).Late(o); got != tc.late {
			t.Errorf("%s: more to come: %t", tc.name, got)
		}
		if f := warns(a, b).Judge(o, o); f.Stands != tc.warns {
			t.Errorf("%s: %+v", tc.name, f)
		}
	}
}

// What is decided by where the clients are.
func TestWhereClientsAreIsJudged(t *testing.T) {
	p := planOf(t, Chapters[0])
	a, b, c := p.Topology.Nodes[0], p.Topology.Nodes[1], p.Topology.Nodes[2]
	on := func(nodes string) cluster.Observation {
		o := cluster.Observe(p.Topology)
		for i, n := range nodes {
			o.Fleet.Clients = append(o.Fleet.Clients, cluster.Client{
				ID: i, Name: fmt.Sprint("sub ", i), Role: cluster.RoleSubscriber, Status: cluster.ClientConnected, Node: string(n),
				Known: []string{a.ClientURL(), b.ClientURL(), c.ClientURL()},
				Trail: []cluster.Hop{{Node: "A"}, {Node: string(n)}},
			})
		}
		return o
	}
	all := cluster.Workload{Behaviour: cluster.Behaviour{All: true}}
	kept := cluster.Workload{Behaviour: cluster.Behaviour{All: true, NoRandomize: true}}
	for _, tc := range []struct {
		name          string
		claim         Claim
		before, after cluster.Observation
		stands        Holding
		detail        string
	}{
		{"given one", selectRandomly(cluster.Workload{}, a), on(""), on("AAAAAAAAAA"), Differs, "all 10 are on A, the only address that they were given"},
		{"given all", selectRandomly(all, a), on(""), on("AABABBABAB"), Holds, "5 to A, 5 to B"},
		{"told to keep the order", selectRandomly(kept, a), on(""), on("AAAAAAAAAA"), Undecided, "they were told to keep the order"},
		{"too few", selectRandomly(all, a), on(""), on("AB"), Undecided, "2 clients are too few"},
		{"one server has all", notOneServer([]cluster.Node{a, b}), on(""), on("AAAAAAAA"), Differs, "A 8, B 0: A has 100 % of the clients"},
		{"two have", notOneServer([]cluster.Node{a, b}), on(""), on("AAAAAAAB"), Holds, "A, the fullest, has 7 of 8"},
		{"not even", aboutEvenly([]cluster.Node{a, b}), on(""), on("AAAAAAAA"), Differs, "in the end 8 on A, 0 on B; of 8 clients, 1 to 7 each is what chance allows"},
		{"even", aboutEvenly([]cluster.Node{a, b}), on(""), on("AAABBBBA"), Holds, "in the end 4 on A, 4 on B"},
		{"nobody to C", anotherPlace(a, c), on("AAAAAAAA"), on("BBBBBBBB"), Differs, "none of 8 went to C"},
		{"some to C", anotherPlace(a, c), on("AAAAAAAA"), on("BCCBBBBB"), Holds, "2 of 8 went to C"},
		{"three are known", threePossible(), on("A"), on("A"), Holds, "nats sub knows nats://localhost:4222"},
		{"all know C", clientsLearn(c), on("AA"), on("AA"), Holds, "2 of 2 clients know C"},
		{"the list is used", listOnDisconnect(a), on("A"), on("B"), Holds, "nats sub was given nats://localhost:4222; it knew"},
		{"it was elsewhere", listOnDisconnect(a), on("B"), on("B"), Undecided, "nats sub was on B before"},
		{"it moves", clientMoves(), on("A"), on("B"), Holds, "nats sub went A → B"},
		{"nobody there", clientMoves(), on(""), on(""), Undecided, "no client was started"},
	} {
		if f := tc.claim.Judge(tc.before, tc.after); f.Stands != tc.stands || !strings.Contains(f.Detail, tc.detail) {
			t.Errorf("%s: %s: %s", tc.name, f.Stands, f.Detail)
		}
	}
}

// The message that a client came is the server's own, about that very client.
func TestTheMessageOfAClientIsJudged(t *testing.T) {
	p := planOf(t, Chapters[0])
	a := p.Topology.Nodes[0]
	o := cluster.Observe(p.Topology)
	o.Fleet.Clients = []cluster.Client{{Name: "nats sub"}}
	judged := func(line string) Finding {
		o := o
		o.Servers = slices.Clone(o.Servers)
		o.Servers[0].Process.PID = 7
		o.Servers[0].Answer.Clients = []cluster.Connection{{Name: "nats sub", CID: 5}}
		o = o.Apply(o.At, cluster.Logged{Lines: []cluster.LogLine{{Node: "A", PID: 7, Level: cluster.LevelDebug, Topic: cluster.TopicClientUp, Text: line}}})
		return clientMessage(a).Judge(o, o)
	}
	if f := judged("127.0.0.1:50 - cid:5 - Client connection created"); f.Stands != Holds || !strings.Contains(f.Detail, "[DBG] 127.0.0.1:50 - cid:5 - ") {
		t.Errorf("%+v", f)
	}
	if f := judged("127.0.0.1:50 - cid:55 - Client connection created"); f.Stands != Undecided || !strings.Contains(f.Detail, "cid 5") {
		t.Errorf("%+v", f)
	}
	if f := clientMessage(a).Judge(o, o); f.Stands != Undecided {
		t.Errorf("%+v", f)
	}
}

// The same list on both, and the second server's command line.
func TestCommandLinesAreJudged(t *testing.T) {
	p := planOf(t, Chapters[0])
	a, b := p.Topology.Nodes[0], p.Topology.Nodes[1]
	o := cluster.Observe(p.Topology)
	for i, n := range []cluster.Node{a, b} {
		o.Servers[i].Process = cluster.Process{PID: 7 + i, Args: p.Topology.Args(n)}
		o.Servers[i].Answer = cluster.Answer{ServerID: n.Name, Version: "2.15.2"}
		o.Servers[i].Debug = "Go build: go1.26"
	}
	o.Fleet.Clients = []cluster.Client{{Status: cluster.ClientConnected, Node: "A"}}
	o.Servers[0].Answer.Peers, o.Servers[1].Answer.Peers = []cluster.Peer{{ID: "B", Routes: 4}}, []cluster.Peer{{ID: "A", Routes: 4}}
	for _, c := range []Claim{oneConfiguration([]cluster.Node{a, b}), secondServer(a, b), selfRoute(a), debugOutput(a)} {
		if f := c.Judge(o, o); f.Stands != Holds {
			t.Errorf("%s: %+v", c.ID, f)
		}
	}
	o.Servers[1].Process.Args = append([]string{"-V"}, o.Servers[1].Process.Args...)
	o.Servers[0].Answer.Peers = append(o.Servers[0].Answer.Peers, cluster.Peer{ID: "A"})
	for _, c := range []Claim{secondServer(a, b), selfRoute(a)} {
		if f := c.Judge(o, o); f.Stands != Differs {
			t.Errorf("%s: %+v", c.ID, f)
		}
	}
}
