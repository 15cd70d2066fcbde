package glossary_test

import (
	"slices"
	"strings"
	"testing"

	"nats-roll/glossary"
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
