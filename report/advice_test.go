package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"nats-roll/advice"
	"nats-roll/cluster"
)

// unsaid is what is asked when nobody has said what the cluster has.
var unsaid = advice.Situation{Unknown: true}

func rendered(t *testing.T, from, to cluster.Version, s advice.Situation, format string) string {
	t.Helper()
	a, err := advice.For(from, to, s)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := Advice(&b, a, format); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAdvice(t *testing.T) {
	for name, tt := range map[string]struct {
		from, to cluster.Version
		s        advice.Situation
		format   string
	}{
		"advice-up.txt":      {"2.12.15", "2.15.2", unsaid, "text"},
		"advice-up.md":       {"2.12.15", "2.15.2", unsaid, "markdown"},
		"advice-down.txt":    {"2.15.2", "2.11.17", unsaid, "text"},
		"advice-patch.txt":   {"2.15.1", "2.15.2", advice.Situation{Nodes: 2}, "text"},
		"advice-unknown.txt": {"2.15.2", "2.99.0", advice.Situation{Nodes: 3, JetStream: true, Replicated: true}, "text"},
		"advice-majors.txt":  {"1.4.1", "2.15.2", unsaid, "text"},
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, rendered(t, tt.from, tt.to, tt.s, tt.format)) })
	}
}

// Whatever the step, the text fits 80 columns, except for an address that is
// longer than that; every source that is named is listed; nothing is left open.
func TestAdviceFits(t *testing.T) {
	releases := advice.Releases()
	for i := 0; i < len(releases); i += 5 {
		for j := range releases {
			if j%7 != 0 && j != i {
				continue
			}
			from, to := releases[i].Version, releases[j].Version
			text := rendered(t, from, to, unsaid, "text")
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(line, "\n")
				words := strings.Fields(line)
				address := len(words) == 2 && strings.HasPrefix(words[1], "https://")
				if n := utf8.RuneCountInString(line); n > 80 && !address || strings.HasSuffix(line, " ") {
					t.Errorf("%s to %s: %d columns: %q", from, to, n, line)
				}
			}
			for _, bad := range []string{"%!", "{date}", "{unknown}", "[0]", "()"} {
				if strings.Contains(text, bad) {
					t.Errorf("%s to %s: %q in\n%s", from, to, bad, text)
				}
			}
			head, sources, _ := strings.Cut(text, "\nSources\n")
			if !strings.Contains(head, "[1]") || strings.Count(sources, "[") == 0 {
				t.Errorf("%s to %s: sources\n%s", from, to, sources)
			}
		}
	}
}

// The JSON has a schema and all that is known.
func TestAdviceJSON(t *testing.T) {
	var got struct {
		Schema string
		AsOf   string `json:"as_of"`
		advice.Advice
	}
	d := json.NewDecoder(bytes.NewReader([]byte(rendered(t, "2.12.15", "2.15.2", unsaid, "json"))))
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != AdviceSchema || got.AsOf != advice.AsOf() || got.From != "2.12.15" || got.Direction != advice.Up || got.Between != 1 ||
		len(got.Via) != 1 || got.Floor != "2.14.7" || got.Routes.Mixed != 4 || got.Findings[0].Severity != advice.Block || len(got.Findings[0].Sources) == 0 {
		t.Errorf("%+v", got)
	}
}

// Each way that something can bear on a cluster has its own words.
func TestBearingWords(t *testing.T) {
	for want, b := range map[string]advice.Bearing{
		"matters only with JetStream":                          {Matters: true, Undecided: true, Because: "only with JetStream"},
		"matters to every cluster":                             {Matters: true, Because: "concerns every cluster"},
		"matters here: this rehearsal has JetStream":           {Matters: true, Because: "this rehearsal has JetStream"},
		"does not matter here: no JetStream in this rehearsal": {Because: "no JetStream in this rehearsal"},
	} {
		if got := bearing(b); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
