package upgrade_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"nats-roll/cluster"
	"nats-roll/glossary"
	"nats-roll/upgrade"
)

// The linter of chapters. A complaint says which chapter, which step and which
// rule. What is let through is in the lists here, each with a reason.

// verbs may begin a title: one who learns is told what to do.
var verbs = strings.Fields(`Add Ask Balance Break Bring Change Check Close Compare Configure Connect Count Cut Damage Drain Empty Fill Find Fix Free Freeze
	Give Have Install Kick Kill Leave Let Look Make Measure Mend Move Open Put Read Reload Remove Repair Replace Restart Restore Roll Run See Set Show Start
	Stop Switch Take Tell Try Turn Undo Update Upgrade Wait Watch Write`)

// words in capitals that may stand in a text although the glossary has no entry for
// them, and why.
var words = map[string]string{
	"NATS": "what all this is about",
	"TCP":  "how programs talk over a network; the texts need no more of it",
	"URL":  "an address, in everyday language",
	"JSON": "a name",
	"ONE":  "the name of a stream",
	"ROLL": "the name of the rehearsal's stream",
	"LDM":  "the last word of a subject", "KICK": "the last word of a subject",
	"MB": "a unit", "MiB": "a unit", "GB": "a unit",
	"INF": "the server's own word for a level", "ERR": "the server's own word for a level",
	"WRN": "the server's own word for a level", "FTL": "the server's own word for a level",
}

// explained says that the glossary, or everybody, knows a word in capitals.
func explained(word string) bool {
	there, _ := glossary.In(word)
	return words[word] != "" || len(there) > 0
}

// chapters are all of them, and the example of docs/CHAPTERS.md.
func chapters() []upgrade.Chapter {
	return append(slices.Clone(upgrade.Chapters), upgrade.Chapter{Name: "pause", Plan: upgrade.Pause, Flags: map[string]string{"no-spare": "true"}})
}

// chapterSpec is what a chapter is planned from when nobody sets a flag: what the
// command line makes of Chapter.Flags (cli/flags.go).
func chapterSpec(t testing.TB, c upgrade.Chapter, offset int) upgrade.Spec {
	t.Helper()
	s := spec(t, 2, true)
	s.Dir = "/a lab" // with a blank, as a person may have it
	s.From.Path, s.To.Path = "/the store/old/nats-server", "/the store/new/nats-server"
	if c.Down {
		s.From, s.To = s.To, s.From
	}
	permanent, spare, js := 2, true, false
	for name, value := range c.Flags {
		n, err := strconv.Atoi(value)
		on := value == "true"
		switch name {
		case "nodes":
			permanent = n
		case "no-spare":
			spare, err = !on, nil
		case "jetstream":
			js, err = on, nil
		case "clients":
			s.Workload.Subscribers = n
		case "rate":
			s.Workload.Rate = n
		case "max-reconnects":
			s.Workload.Behaviour.MaxReconnects = n
		case "no-randomize":
			s.Workload.Behaviour.NoRandomize, err = on, nil
		case "ignore-discovered":
			s.Workload.Behaviour.IgnoreDiscovered, err = on, nil
		case "given":
			s.Workload.Behaviour.All, err = value == "all", nil
		case "hold":
			s.Hold, err = time.ParseDuration(value)
		case "stop":
			s.Stop, err = cluster.ParseStop(value)
		default:
			t.Fatalf("chapter %s: the linter does not know --%s: say here what it means for the plan", c.Name, name)
		}
		if err != nil {
			t.Fatalf("chapter %s: --%s=%s: %v", c.Name, name, value, err)
		}
	}
	top, err := cluster.NewTopology(permanent, spare, offset)
	if err != nil {
		t.Fatal(err)
	}
	if top.JetStream = js; js {
		s.Workload.Stores, s.Workload.StoreRate, s.Workload.Consumers, s.Workload.KV, s.Workload.Timeout = 1, 50, 1, 10, time.Second
	}
	if c.Shape != nil {
		c.Shape(&top)
	}
	s.Topology = top
	return s
}

// planned is a plan of a chapter, with words for it.
type planned struct {
	upgrade.Plan
	chapter upgrade.Chapter
	as      string
}

// allPlans are every chapter's plans: the one that nobody sets a flag for, and more
// of those that can be had otherwise.
func allPlans(t testing.TB) []planned {
	t.Helper()
	var out []planned
	for _, c := range chapters() {
		s := chapterSpec(t, c, 0)
		out = append(out, planned{c.Plan(s), c, c.Name})
		if c.Shape != nil || slices.Contains(c.Fixed, "nodes") {
			continue
		}
		for permanent := cluster.MinPermanent; permanent <= cluster.MaxPermanent; permanent++ {
			for _, spare := range []bool{true, false} {
				s.Topology = topology(t, permanent, spare)
				out = append(out, planned{c.Plan(s), c, fmt.Sprintf("%s, %d servers, spare %t", c.Name, permanent, spare)})
			}
		}
	}
	return out
}

// rule looks at one step and says what is wrong with it.
type rule struct {
	name  string
	wrong func(planned, upgrade.Step) []string
}

var sentence = regexp.MustCompile(`[.?]\)?$`)

var slugs = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// stepRules are what every step of every chapter keeps.
var stepRules = []rule{
	{"its id is a slug", func(_ planned, s upgrade.Step) []string {
		return unless(slugs.MatchString(s.ID), "%q", s.ID)
	}},
	{"its title is a short command", func(_ planned, s upgrade.Step) []string {
		first, _, _ := strings.Cut(s.Title, " ")
		return slices.Concat(
			unless(utf8.RuneCountInString(s.Title) <= 40, "%q is longer than 40", s.Title),
			unless(slices.Contains(verbs, first), "%q begins with none of the verbs that the linter knows", s.Title),
			unless(!strings.HasSuffix(s.Title, "."), "%q ends like a sentence", s.Title))
	}},
	{"it says why", func(_ planned, s upgrade.Step) []string {
		return slices.Concat(
			unless(len(strings.Fields(s.Why)) >= 15, "%q is too short for somebody who learns", s.Why),
			unless(sentence.MatchString(s.Why), "%q does not end like a sentence", s.Why))
	}},
	{"it has a hint", func(_ planned, s upgrade.Step) []string {
		return unless(s.Hint != "", "none")
	}},
	{"the world says when it is done", func(_ planned, s upgrade.Step) []string {
		return unless(len(s.Until) > 0, "it has no check")
	}},
	{"it has a time limit", func(_ planned, s upgrade.Step) []string {
		return unless(s.Timeout >= time.Second, "%s", s.Timeout)
	}},
	{"it can be undone, or there is a reason why not", func(_ planned, s upgrade.Step) []string {
		return unless((s.Undo == nil) != (s.NoUndo == ""), "undo %v, and the reason for none is %q", s.Undo, s.NoUndo)
	}},
	{"that nothing has to be undone has a reason", func(_ planned, s upgrade.Step) []string {
		return unless(!s.Loose || s.NoUndo != "", "nobody says why")
	}},
	{"what must be true after its undo is said", func(p planned, s upgrade.Step) []string {
		if s.Undo == nil {
			return nil
		}
		p.Steps = []upgrade.Step{s}
		return unless(len(p.Outline().Steps[0].Undone) > 0, "an undo of this kind needs Undone")
	}},
	{"what it needs can be brought about", func(_ planned, s upgrade.Step) (out []string) {
		for _, g := range s.Given {
			out = append(out, unless(g.Remedy != nil || remediless[reflect.TypeOf(g.Check)] != "", "%q has no remedy", g)...)
		}
		return out
	}},
	{"every claim has a judge, who knows nothing before something was observed", func(p planned, s upgrade.Step) (out []string) {
		nothing := cluster.Observe(p.Topology)
		for _, c := range s.Claims {
			if c.Text == "" || c.Judge == nil {
				out = append(out, fmt.Sprintf("%q has none", c.Text))
			} else if f := c.Judge(nothing, nothing); f.Stands == upgrade.Holds {
				out = append(out, fmt.Sprintf("%q holds on nothing: %s", c.Text, f.Detail))
			}
		}
		return out
	}},
	{"no check holds before something was observed", func(p planned, s upgrade.Step) (out []string) {
		nothing := cluster.Observe(p.Topology)
		for _, c := range s.Until {
			v := c.Eval(nothing)
			out = append(out, unless(!v.Met, "%q: %s", c, v.Detail)...)
		}
		return out
	}},
	{"its words are plain", func(p planned, s upgrade.Step) []string {
		return slices.Concat(plain("title", s.Title), plain("why", s.Why), plain("hint", s.Hint), plain("the reason for no undo", s.NoUndo))
	}},
	{"a server that may end in it is one of the plan's", func(p planned, s upgrade.Step) (out []string) {
		for _, n := range append(slices.Clone(s.Expect), s.Predict...) {
			_, ok := p.Topology.Node(n)
			out = append(out, unless(ok, "there is no %s", n)...)
		}
		return out
	}},
}

// remediless are requirements that only waiting brings about.
var remediless = map[reflect.Type]string{
	reflect.TypeFor[upgrade.Replicated](): "the servers do it by themselves",
	reflect.TypeFor[upgrade.Steady]():     "time does it",
	reflect.TypeFor[upgrade.Healthy]():    "the server does it by itself",
	reflect.TypeFor[upgrade.Census]():     "the clients do it by themselves",
	reflect.TypeFor[upgrade.Quorum]():     "the servers do it by themselves",
}

func unless(ok bool, format string, args ...any) []string {
	if ok {
		return nil
	}
	return []string{fmt.Sprintf(format, args...)}
}

var capitals = regexp.MustCompile(`\b[A-Z]{2,}[A-Za-z]*\b`)

// plain looks for what makes a text hard to read, and for what cannot be true for
// every way to start the program.
func plain(what, text string) (out []string) {
	if strings.Contains(text, "  ") || strings.TrimSpace(text) != text {
		out = append(out, what+": spaces too many")
	}
	for _, w := range capitals.FindAllString(text, -1) {
		if !explained(w) {
			out = append(out, fmt.Sprintf("%s: %s is neither in the glossary nor on the linter's list", what, w))
		}
	}
	for _, w := range []string{"simply", "just type", "obviously", "easy", "easily"} {
		if strings.Contains(strings.ToLower(text), w+" ") {
			out = append(out, fmt.Sprintf("%s: %q helps nobody for whom it is not", what, w))
		}
	}
	return out
}

// openEnded are chapters that close no books.
var openEnded = map[string]string{"free": "it is left to the person, and never comes to an end"}

func TestContentOfEveryChapter(t *testing.T) {
	told := map[string]bool{} // what is wrong in every shape is told once
	for _, p := range allPlans(t) {
		complain := func(step, rule string, wrong []string) {
			for _, w := range wrong {
				if told[p.chapter.Name+step+rule+w] {
					continue
				}
				told[p.chapter.Name+step+rule+w] = true
				t.Errorf("chapter %s, step %s: rule “%s”: %s", p.as, step, rule, w)
			}
		}
		complain("–", "the plan says whose it is", unless(p.Chapter == p.chapter.Name && p.Title != "", "%q, title %q", p.Chapter, p.Title))
		complain("–", "the intro says what will be seen", unless(len(strings.Fields(p.Intro)) >= 25, "%q", p.Intro))
		complain("–", "its words are plain", plain("intro", p.Intro))
		last := p.Steps[len(p.Steps)-1].ID
		complain(last, "the last step closes the books", unless(last == upgrade.LookBack || openEnded[p.chapter.Name] != "", "the last one is %s", last))
		seen := map[string]bool{}
		for _, s := range p.Steps {
			complain(s.ID, "ids are unique", unless(!seen[s.ID], "there is another"))
			seen[s.ID] = true
			for _, r := range stepRules {
				complain(s.ID, r.name, r.wrong(p, s))
			}
		}
	}
}

// The ports in texts are the topology's: none stays when all of them move.
func TestTextsHaveTheTopologysPorts(t *testing.T) {
	const moved = 1000
	for _, c := range chapters() {
		s := chapterSpec(t, c, moved)
		fixed := map[string]bool{}
		for _, n := range s.Topology.Nodes {
			for _, port := range []int{n.ClientPort, n.RoutePort, n.MonitorPort} {
				fixed[strconv.Itoa(port-moved)] = true
			}
		}
		number := regexp.MustCompile(`\b\d{4,5}\b`)
		for _, st := range c.Plan(s).Steps {
			texts := []string{st.Title, st.Why, st.Hint, st.NoUndo}
			for _, check := range st.Until {
				texts = append(texts, check.String())
			}
			for _, text := range texts {
				for _, n := range number.FindAllString(text, -1) {
					if fixed[n] {
						t.Errorf("chapter %s, step %s: rule “ports come from the topology”: %s stays %s in %q", c.Name, st.ID, n, n, text)
					}
				}
			}
		}
	}
}

var link = regexp.MustCompile(`https?://[^\s)”"]+`)

// What is said of the world outside names where it is from: a link in a text
// stands in the sources of the advice.
func TestLinksHaveSources(t *testing.T) {
	for _, p := range allPlans(t) {
		known := map[string]bool{}
		for _, f := range p.Advice.Findings() {
			for _, s := range f.Sources {
				known[s] = true
			}
		}
		texts := map[string]string{"–": p.Intro + strings.Join(p.Notes, " ")}
		for _, s := range p.Steps {
			texts[s.ID] = s.Why + " " + s.Hint
		}
		for id, text := range texts {
			for _, l := range link.FindAllString(text, -1) {
				if !known[l] && !strings.HasPrefix(l, "http://localhost:") { // the servers' own pages
					t.Errorf("chapter %s, step %s: rule “a link is a source”: %s is nobody's source", p.as, id, l)
				}
			}
		}
	}
}
