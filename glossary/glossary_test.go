package glossary_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"nats-roll/cluster"
	"nats-roll/glossary"
	"nats-roll/upgrade"
)

func names(terms []glossary.Term) string {
	var out []string
	for _, t := range terms {
		out = append(out, t.Name)
	}
	return strings.Join(out, ", ")
}

func TestTermsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, term := range glossary.Terms {
		for _, form := range append([]string{term.Name}, term.Also...) {
			if key := strings.ToLower(form); seen[key] {
				t.Errorf("%q is explained twice", form)
			} else {
				seen[key] = true
			}
			if there, _ := glossary.In("see " + form + ", there"); !slices.ContainsFunc(there, func(o glossary.Term) bool { return o.Name == term.Name }) {
				t.Errorf("%q is not found in a text", form)
			}
		}
		sentences := strings.Count(term.Text+" ", ". ") + strings.Count(term.Text+" ", ".” ")
		if !strings.HasSuffix(term.Text, ".") || sentences > 3 || len(term.Text) > 220 {
			t.Errorf("%s: %q is no explanation in two plain sentences", term.Name, term.Text)
		}
		if !strings.HasPrefix(term.Source, "https://") {
			t.Errorf("%s has no source", term.Name)
		}
	}
	if !slices.IsSortedFunc(glossary.Terms, func(a, b glossary.Term) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	}) {
		t.Errorf("not in the order of the alphabet: %s", names(glossary.Terms))
	}
}

func TestIn(t *testing.T) {
	for text, want := range map[string]string{
		"A is put into lame duck\nmode; its clients learn by gossip": "lame duck, client, gossip",
		"/varz says what /routez does not":                           "/varz, /routez",
		"reroute, subjective, /varzy, preserver":                     "",
		"the seeds and the seed servers' routes":                     "seed, server, route",
		"SIGUSR2 (kill -USR2 7)":                                     "SIGUSR2",
		"$SYS is the system account":                                 "system account, account",
		"the leader's replicas have no quorum":                       "leader, replica, quorum",
		"":                                                           "",
	} {
		there, others := glossary.In(text)
		if got := names(there); got != want {
			t.Errorf("%q has %q, want %q", text, got, want)
		}
		if len(there)+len(others) != len(glossary.Terms) {
			t.Errorf("%q: %d and %d of %d terms", text, len(there), len(others), len(glossary.Terms))
		}
	}
}

// technical are words that somebody who never met NATS may not know.
var technical = strings.Fields(`account acknowledged ack binary bucket client cluster consumer debug dial duplicate durable embedded
	gossip herd JetStream leader localhost majority mesh monitoring peer permission pid pool port process publisher queue quorum raft
	randomize reconnect replica replicated request responder roll rolling route seed server signal slot stream subject subscriber
	temporary upgrade downgrade uptime version wildcard authorization exited meta TLS URL`)

// phrases are words that mean something together.
var phrases = []string{"lame duck", "core NATS", "at most once", "system account", "queue group", "way back", "no responders", "thundering herd", "meta leader"}

// notWords are in capitals, and are no words of NATS.
var notWords = strings.Fields(`A B C D E F G H I J PID_OF_A PID_OF_B PID_OF_C PID_OF_D PID_OF_E PID_OF_F CONFIG EOF OK ONE NOT AND NO ALL ANY MB GB MS KB MIB`)

var (
	capitals  = regexp.MustCompile(`(?:^|[\s(“"'$])([A-Z][A-Z0-9_]+)\b`)
	endpoints = regexp.MustCompile(`(?:^|[\s(“"'])(/[a-z]+z)\b`)
	word      = regexp.MustCompile(`[A-Za-z]+`)
)

// Every word of a chapter that looks technical is explained: those of the list
// above, words in capitals, and the pages of a server's monitoring.
func TestEveryTechnicalWordOfEveryChapterIsExplained(t *testing.T) {
	looked := 0
	explained := func(where, w string) {
		looked++
		if there, _ := glossary.In(w); len(there) == 0 {
			t.Errorf("%s: nobody explains %q: add a row to glossary/terms.go", where, w)
		}
	}
	seen := map[string]bool{}
	for _, c := range upgrade.Chapters {
		for permanent := 2; permanent <= 4; permanent++ {
			for _, how := range cluster.Stops {
				top, err := cluster.NewTopology(permanent, true, 0)
				if err != nil {
					t.Fatal(err)
				}
				if c.Shape != nil {
					c.Shape(&top)
				}
				top.JetStream = top.JetStream || permanent >= 3
				b := func(v string) cluster.Builds {
					return cluster.Builds{Build: cluster.Build{Version: cluster.Version(v), SHA256: v}}
				}
				o := c.Plan(upgrade.Spec{
					Topology: top, From: b("2.15.1"), To: b("2.15.2"), Stop: how,
					Workload: cluster.Workload{Subscribers: 20, Rate: 100, Queue: 2, Requesters: 1, Stores: 1, Consumers: 1, KV: 1},
				}).Outline()
				texts := map[string]string{"the introduction": o.Intro}
				for _, s := range o.Steps {
					texts[s.ID] = strings.Join(slices.Concat([]string{s.Title, s.Why, s.Hint, s.Quote, s.NoUndo}, s.Given, s.Checks, s.Claims), "\n")
				}
				for where, text := range texts {
					if seen[text] {
						continue
					}
					seen[text] = true
					for _, m := range capitals.FindAllStringSubmatch(text, -1) {
						if !slices.Contains(notWords, m[1]) {
							explained(c.Name+", "+where, m[1])
						}
					}
					for _, m := range endpoints.FindAllStringSubmatch(text, -1) {
						explained(c.Name+", "+where, m[1])
					}
					for _, p := range phrases {
						if strings.Contains(strings.ToLower(text), strings.ToLower(p)) {
							explained(c.Name+", "+where, p)
						}
					}
					for _, w := range word.FindAllString(text, -1) {
						if slices.ContainsFunc(technical, func(x string) bool { return strings.EqualFold(w, x) || strings.EqualFold(w, x+"s") }) {
							explained(c.Name+", "+where, w)
						}
					}
				}
			}
		}
	}
	if looked < 500 {
		t.Errorf("only %d words were looked at", looked)
	}
}
