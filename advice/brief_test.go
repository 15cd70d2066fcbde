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
		steps, err := ForAll([][2]cluster.Version{{tc.from, tc.to}}, [2]cluster.Version{tc.to, tc.to}, tc.s)
		if err != nil {
			t.Fatal(err)
		}
		brief := steps.Brief()
		var all []string
		for _, r := range brief {
			all = append(all, string(r.Severity)+" "+r.Text)
		}
		if text := strings.Join(all, "\n"); len(brief) < tc.lines || brief[0].Severity != tc.first || !strings.Contains(text, tc.has) {
			t.Errorf("%s to %s:\n%s", tc.from, tc.to, text)
		}
	}
	same, _ := For("2.15.2", "2.15.2", Situation{})
	if brief := (Steps{same}).Brief(); len(brief) != 0 {
		t.Errorf("same: %+v", brief)
	}
}

// Servers with builds of their own make several steps, and versions that stay
// side by side.
func TestBriefOfSeveralSteps(t *testing.T) {
	steps, err := ForAll(
		[][2]cluster.Version{{"2.14.9", "2.12.15"}, {"2.14.9", "2.15.2"}, {"2.14.9", "2.15.2"}},
		[2]cluster.Version{"2.12.15", "2.15.2"}, Situation{Nodes: 3, JetStream: true, Replicated: true, Mirrors: true})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range steps.Brief() {
		all = append(all, string(r.Severity)+" "+r.Text)
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{
		"warn 2.14.9 → 2.12.15: This step leads to the next release line",
		"info 2.14.9 → 2.15.2: This step leads to the next release line",
		"warn 2.12.15 beside 2.15.2: They run side by side.",
		"panic", // of what stays, not of a step
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%d times %q in\n%s", strings.Count(text, want), want, text)
		}
	}
	if strings.Contains(text, "no JetStream") {
		t.Errorf("it has JetStream:\n%s", text)
	}
	if len(steps) != 3 || len(steps.Blocking()) == 0 {
		t.Errorf("%d steps, %d block", len(steps), len(steps.Blocking()))
	}
	// A step between the two says the same already.
	steps, err = ForAll([][2]cluster.Version{{"2.15.2", "2.15.2"}, {"2.15.2", "2.12.15"}}, [2]cluster.Version{"2.12.15", "2.15.2"}, Situation{Nodes: 3})
	if err != nil || len(steps) != 2 {
		t.Errorf("%d steps, %v", len(steps), err)
	}
}
