package advice

import (
	"strings"
	"testing"

	"nats-roll/cluster"
)

func TestBriefSaysWhatMatters(t *testing.T) {
	for _, tc := range []struct {
		from, to cluster.Version
		s        Situation
		first    Severity
		has      string
		lines    int // at least
	}{
		{"2.15.1", "2.15.2", Situation{Nodes: 3}, Info, "stays within the release line 2.15. 2.15 gets patches.", 1},
		{"2.14.9", "2.15.2", Situation{Nodes: 3}, Info, "leads to the next release line, 2.14 to 2.15", 1},
		{"2.15.2", "2.12.15", Situation{Nodes: 3}, Warn, "leaves out release lines between", 1},
		{"2.12.15", "2.15.2", Situation{Nodes: 3, JetStream: true, Replicated: true, Mirrors: true}, Info, "panic", 4},
		{"1.4.1", "2.15.2", Situation{Nodes: 3}, Info, "cannot be rolled", 2},
	} {
		a, err := For(tc.from, tc.to, tc.s)
		if err != nil {
			t.Fatal(err)
		}
		brief := a.Brief()
		var all []string
		for _, r := range brief {
			all = append(all, string(r.Severity)+" "+r.Text)
		}
		if text := strings.Join(all, "\n"); len(brief) < tc.lines || brief[0].Severity != tc.first || !strings.Contains(text, tc.has) {
			t.Errorf("%s to %s:\n%s", tc.from, tc.to, text)
		}
	}
	same, _ := For("2.15.2", "2.15.2", Situation{})
	if len(same.Brief()) != 0 {
		t.Errorf("same: %+v", same.Brief())
	}
}
