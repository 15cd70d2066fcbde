package upgrade_test

import (
	"os"
	"strings"
	"testing"

	"nats-roll/upgrade"
)

// What is said to be the text's is the text's, and the outline says where.
func TestEveryQuoteIsInTheText(t *testing.T) {
	quoted := 0
	for _, p := range allPlans(t) {
		for i, s := range p.Outline().Steps {
			if s.Quote == "" {
				continue
			}
			quoted++
			if _, ok := upgrade.Find(s.Quote); !ok || s.Where == "" {
				t.Errorf("%s, %s: not in the text: “%s”", p.as, s.ID, s.Quote)
			}
			if s.Quote != p.Steps[i].Quote {
				t.Errorf("%s: the outline quotes “%s”", s.ID, s.Quote)
			}
		}
	}
	if quoted < 100 {
		t.Errorf("only %d quotes were looked at", quoted)
	}
}

func TestWhereAQuoteStands(t *testing.T) {
	for quote, want := range map[string]string{
		"The basic strategy for upgrading a cluster":                      "Upgrading a Cluster, paragraph 1",
		"connect to each other forming the full mesh.":                    "Seed Servers, paragraph 2",
		"Fortunately, the downgrade path is the same as the upgrade path": "Downgrading, paragraph 2",
		"nats server -D -p 4444":                                          "Upgrading a Cluster, paragraph 13, the lines below it",
		"'A' (specified when we started the tool)":                        "Upgrading a Cluster, paragraph 14",
		"We invoke our admin powers … That is our `nats sub` client.":     "Upgrading a Cluster, paragraph 15",
		"… and restart 'A':":                                              "Upgrading a Cluster, paragraph 16",
		"That is our `nats sub` client. … We invoke our admin powers":     "",
		"We invoke our admin power and turn off 'A'":                      "",
		"…": "",
		"":  "",
	} {
		got, ok := upgrade.Find(quote)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q stands in %q, want %q", quote, got, want)
		}
		for _, s := range got.Spans {
			if piece := upgrade.Text[s.Block].Text[s.From:s.To]; !strings.Contains(quote, piece) {
				t.Errorf("%q: the piece %q is not of it", quote, piece)
			}
		}
	}
}

// No word of the text is lost on the way to the screen.
func TestTheTextIsWhole(t *testing.T) {
	data, err := os.ReadFile("text/upgrading-a-cluster.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for l := range strings.Lines(string(data)) {
		if l = strings.TrimLeft(l, "#"); !strings.HasPrefix(l, "```") {
			want = append(want, strings.Fields(strings.NewReplacer(`\(`, "(", `\)`, ")").Replace(l))...)
		}
	}
	var got []string
	for _, b := range upgrade.Text {
		got = append(got, strings.Fields(b.Text)...)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, " "), strings.Join(want, " "))
	}
}

// Every step of the tutorial's own chapters has a hint, which does not say the
// command.
func TestHints(t *testing.T) {
	for _, c := range upgrade.Chapters[:2] {
		for _, s := range c.Plan(spec(t, 3, true)).Outline().Steps {
			if n := len(strings.Fields(s.Hint)); n < 10 || n > 45 || !strings.HasSuffix(s.Hint, ".") && !strings.HasSuffix(s.Hint, "?") {
				t.Errorf("%s, %s: hint %q", c.Name, s.ID, s.Hint)
			}
			if s.Command != "" && (s.See == "" || strings.Contains(s.Hint, strings.Fields(s.Command)[0]+" ")) {
				t.Errorf("%s, %s: seen there: %q; hint %q", c.Name, s.ID, s.See, s.Hint)
			}
		}
	}
}
