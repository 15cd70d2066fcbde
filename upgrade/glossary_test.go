package upgrade_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"nats-roll/glossary"
)

// technical are words that somebody who never met NATS may not know.
var technical = strings.Fields(`account acknowledged ack binary bucket client cluster consumer debug dial duplicate durable embedded
	gossip herd JetStream leader localhost majority mesh monitoring peer permission pid pool port process publisher queue quorum raft
	randomize reconnect replica replicated request responder roll rolling route seed server signal slot stream subject subscriber
	temporary upgrade downgrade uptime version wildcard authorization exited meta TLS URL`)

// phrases are words that mean something together.
var phrases = []string{"lame duck", "core NATS", "at most once", "system account", "queue group", "way back", "no responders", "thundering herd", "meta leader", "meta group"}

// notWords are in upperCase, and are no words of NATS.
var notWords = strings.Fields(`A B C D E F G H I J PID_OF_A PID_OF_B PID_OF_C PID_OF_D PID_OF_E PID_OF_F CONFIG EOF OK ONE NOT AND NO ALL ANY MB GB MS KB MIB
	ROLL KV_ROLL ONE ONE_IN_MEMORY THREE_IN_MEMORY`) // the last are names of streams

var (
	upperCase = regexp.MustCompile(`(?:^|[\s(“"'$])([A-Z][A-Z0-9_]+)\b`)
	endpoints = regexp.MustCompile(`(?:^|[\s(“"'])(/[a-z]+z)\b`)
	word      = regexp.MustCompile(`[A-Za-z]+`)
)

// Every word of a chapter that looks technical is explained: those of the list
// above, words in upperCase, and the pages of a server's monitoring.
func TestEveryTechnicalWordOfEveryChapterIsExplained(t *testing.T) {
	looked := 0
	explained := func(where, w string) {
		looked++
		if there, _ := glossary.In(w); len(there) == 0 {
			t.Errorf("%s: nobody explains %q: add a row to glossary/terms.go", where, w)
		}
	}
	seen := map[string]bool{}
	for _, p := range allPlans(t) {
		o := p.Outline()
		texts := map[string]string{"the introduction": o.Intro}
		for _, s := range o.Steps {
			texts[s.ID] = strings.Join(slices.Concat([]string{s.Part, s.Title, s.Why, s.Hint, s.Quote, s.NoUndo, s.See}, s.Given, s.Checks, s.Claims), "\n")
		}
		for where, text := range texts {
			if seen[text] {
				continue
			}
			seen[text] = true
			where = p.as + ", " + where
			for _, m := range upperCase.FindAllStringSubmatch(text, -1) {
				if !slices.Contains(notWords, m[1]) {
					explained(where, m[1])
				}
			}
			for _, m := range endpoints.FindAllStringSubmatch(text, -1) {
				explained(where, m[1])
			}
			for _, p := range phrases {
				if strings.Contains(strings.ToLower(text), strings.ToLower(p)) {
					explained(where, p)
				}
			}
			for _, w := range word.FindAllString(text, -1) {
				if slices.ContainsFunc(technical, func(x string) bool { return strings.EqualFold(w, x) || strings.EqualFold(w, x+"s") }) {
					explained(where, w)
				}
			}
		}
	}
	if looked < 500 {
		t.Errorf("only %d words were looked at", looked)
	}
}
