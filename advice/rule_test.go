package advice

import (
	"slices"
	"strings"
	"testing"

	"nats-roll/cluster"
)

// Every rule: pairs for which it holds, and the nearest pairs for which it does
// not.
var pairs = map[string]struct{ holds, quiet []string }{
	"same-version":               {[]string{"2.15.2 2.15.2", "1.4.1 1.4.1"}, []string{"2.15.1 2.15.2"}},
	"not-in-catalogue":           {[]string{"2.7.4 2.8.0", "2.15.2 2.15.3-RC.1", "2.9.12 2.9.13", "2.13.0 2.13.0"}, []string{"2.9.12 2.9.14"}},
	"v1-v2":                      {[]string{"1.4.1 2.0.0", "2.8.4 1.4.1"}, []string{"1.4.0 1.4.1", "2.7.4 2.8.4", "2.0.0 3.0.0"}},
	"core-mix-any":               {[]string{"2.8.4 2.15.2", "2.15.2 2.8.4", "2.8.0 2.8.1"}, []string{"2.15.2 2.15.2", "2.7.4 2.8.4", "2.15.2 2.16.0"}},
	"one-node-at-a-time":         {[]string{"2.15.2 2.15.2", "2.14.9 2.15.2", "2.15.2 2.14.9"}, []string{"1.4.1 2.8.4"}},
	"no-two-minors":              {[]string{"2.11.17 2.14.9", "2.14.9 2.11.17", "2.15.2 2.17.0", "2.4.0 2.6.0"}, []string{"2.12.15 2.14.9", "2.14.9 2.12.15", "2.15.2 2.16.0", "1.4.1 2.8.4"}},
	"config-both-binaries":       {[]string{"2.15.1 2.15.2", "2.15.2 2.14.9"}, []string{"2.15.2 2.15.2"}},
	"rolling-chain-ok":           {[]string{"2.8.4 2.9.25", "2.14.9 2.15.2"}, []string{"2.8.3 2.9.25", "2.8.4 2.10.29", "2.15.1 2.15.2", "2.15.2 2.14.9", "2.15.2 2.16.0"}},
	"downgrade-chain":            {[]string{"2.15.2 2.14.9", "2.10.29 2.9.22"}, []string{"2.10.29 2.9.21", "2.15.2 2.12.15", "2.15.2 2.15.1", "2.14.9 2.15.2", "2.16.0 2.15.2"}},
	"list-assets":                {[]string{"2.15.2 2.14.9", "2.12.5 2.12.4", "2.16.0 2.14.9"}, []string{"2.15.2 2.15.1", "2.10.29 2.9.25", "2.14.9 2.15.2"}},
	"2.8-leaf-min-version":       {[]string{"2.7.4 2.8.0"}, []string{"2.8.0 2.8.1", "2.8.0 2.7.4"}},
	"2.8-healthz-consumers":      {[]string{"2.7.4 2.8.0"}, []string{"2.8.0 2.8.1", "2.8.0 2.7.4"}},
	"2.8-no-health-params":       {[]string{"2.8.4 2.8.4", "2.8.4 2.9.0", "2.15.2 2.8.0"}, []string{"2.9.0 2.9.1", "2.7.4 2.8.0"}},
	"2.8-as-target":              {[]string{"2.9.0 2.8.4", "2.15.2 2.8.0"}, []string{"2.8.4 2.8.3", "2.8.4 2.9.0", "2.10.0 2.9.0"}},
	"2.9-kyma":                   {[]string{"2.8.0 2.9.0", "2.8.4 2.9.0"}, []string{"2.8.4 2.9.1", "2.9.0 2.8.4"}},
	"2.9-js-enabled-only":        {[]string{"2.9.9 2.9.10", "2.9.10 2.9.9"}, []string{"2.9.8 2.9.9", "2.9.10 2.9.11"}},
	"2.9-lameduck-event":         {[]string{"2.9.21 2.9.22", "2.10.0 2.9.21"}, []string{"2.9.20 2.9.21", "2.9.22 2.9.23"}},
	"2.9-floor-for-2.10":         {[]string{"2.10.0 2.9.21", "2.15.2 2.8.4"}, []string{"2.10.0 2.9.22", "2.9.21 2.10.0", "2.9.25 2.9.21"}},
	"2.9-patch-downgrade-report": {[]string{"2.9.16 2.9.15", "2.9.25 2.9.0"}, []string{"2.9.17 2.9.16", "2.9.15 2.9.14", "2.9.14 2.9.16", "2.10.0 2.9.14"}},
	"2.10-storage":               {[]string{"2.9.21 2.10.0", "2.8.4 2.11.17"}, []string{"2.9.22 2.10.0", "2.9.20 2.9.21", "2.10.0 2.9.21", "2.8.4 2.12.0"}},
	"route-fallback":             {[]string{"2.9.25 2.10.0", "2.15.2 2.8.4"}, []string{"2.9.24 2.9.25", "2.10.0 2.10.1"}},
	"2.10-route-pool":            {[]string{"2.9.25 2.10.0", "2.15.2 2.8.4"}, []string{"2.9.24 2.9.25", "2.10.0 2.10.1"}},
	"pool-mismatch":              {[]string{"2.10.0 2.10.1", "2.11.1 2.11.2", "2.15.2 2.11.1"}, []string{"2.11.2 2.11.3", "2.9.25 2.10.0", "2.9.25 2.15.2"}},
	"2.10.25-interest":           {[]string{"2.10.24 2.10.25", "2.10.26 2.10.25", "2.10.25 2.10.25"}, []string{"2.10.25 2.10.26", "2.10.24 2.10.26", "2.10.23 2.10.24"}},
	"2.10.7-desync":              {[]string{"2.10.6 2.10.7"}, []string{"2.10.5 2.10.6", "2.10.7 2.10.8", "2.10.8 2.10.7"}},
	"2.11-exit-code":             {[]string{"2.10.29 2.11.0", "2.11.0 2.10.29"}, []string{"2.10.28 2.10.29", "2.11.0 2.11.1"}},
	"2.11-names":                 {[]string{"2.10.29 2.11.0"}, []string{"2.11.0 2.11.1", "2.11.0 2.10.29"}},
	"2.11-healthz":               {[]string{"2.10.29 2.11.0", "2.11.0 2.10.29"}, []string{"2.11.0 2.11.1"}},
	"2.11-ingest-limit":          {[]string{"2.10.29 2.11.0"}, []string{"2.11.0 2.11.1", "2.11.0 2.10.29"}},
	"2.11.2-pool":                {[]string{"2.11.1 2.11.2", "2.10.0 2.15.2"}, []string{"2.11.0 2.11.1", "2.11.2 2.11.3", "2.11.2 2.11.1", "2.9.25 2.11.2"}},
	"2.11-invalid-req":           {[]string{"2.10.29 2.11.0"}, []string{"2.11.0 2.11.1", "2.11.0 2.10.29"}},
	"2.11-state-rebuild":         {[]string{"2.11.0 2.10.29", "2.15.2 2.8.4"}, []string{"2.11.1 2.11.0", "2.10.29 2.11.0"}},
	"2.12-strict":                {[]string{"2.11.17 2.12.0"}, []string{"2.12.0 2.12.1", "2.12.0 2.11.17"}},
	"2.12-memory":                {[]string{"2.11.17 2.12.0"}, []string{"2.12.0 2.12.1", "2.12.0 2.11.17"}},
	"2.12-G-events":              {[]string{"2.11.17 2.12.0", "2.12.0 2.11.17"}, []string{"2.12.0 2.12.1"}},
	"2.12-ciphers":               {[]string{"2.11.17 2.12.0"}, []string{"2.12.0 2.12.1", "2.12.0 2.11.17"}},
	"2.12-ldm-maxconn":           {[]string{"2.11.10 2.11.11", "2.12.1 2.12.2", "2.12.1 2.12.1", "2.12.0 2.11.17"}, []string{"2.11.11 2.12.0", "2.12.2 2.12.3", "2.12.2 2.12.1"}},
	"2.12-way-back":              {[]string{"2.11.8 2.12.0", "2.8.4 2.14.9"}, []string{"2.11.9 2.12.0", "2.12.0 2.11.8", "2.11.8 2.15.0"}},
	"2.12-floor":                 {[]string{"2.12.0 2.11.8", "2.15.2 2.10.29"}, []string{"2.12.0 2.11.9", "2.11.17 2.11.8", "2.11.8 2.12.0"}},
	"2.12-healthz-lies":          {[]string{"2.12.0 2.11.9", "2.14.0 2.12.15"}, []string{"2.12.5 2.12.4", "2.12.0 2.11.8", "2.15.0 2.14.0", "2.11.9 2.12.0"}},
	"2.12-state-rebuild":         {[]string{"2.12.0 2.11.0", "2.15.2 2.11.17"}, []string{"2.12.1 2.12.0", "2.12.0 2.10.29", "2.11.17 2.12.0"}},
	"2.14-sourcing-warn":         {[]string{"2.12.15 2.14.0", "2.14.0 2.12.15"}, []string{"2.14.0 2.14.1"}},
	"2.14-io-errors":             {[]string{"2.12.15 2.14.0"}, []string{"2.14.0 2.14.1", "2.14.0 2.12.15"}},
	"2.14-raft-overrun":          {[]string{"2.12.15 2.14.0"}, []string{"2.14.0 2.14.1", "2.14.0 2.12.15"}},
	"2.14-strict-fields":         {[]string{"2.12.15 2.14.0"}, []string{"2.14.0 2.14.1", "2.14.0 2.12.15"}},
	"2.14-state-rebuild":         {[]string{"2.14.0 2.12.0", "2.15.2 2.12.15"}, []string{"2.14.1 2.14.0", "2.14.0 2.11.17", "2.12.15 2.14.0"}},
	"pre-2.14-to-2.15-js":        {[]string{"2.12.15 2.15.0", "2.8.4 2.15.2"}, []string{"2.14.0 2.15.0", "2.12.15 2.14.9", "2.15.0 2.12.15"}},
	"2.15-raft-delete-range":     {[]string{"2.12.15 2.15.0", "2.15.2 2.12.15"}, []string{"2.14.0 2.15.0", "2.12.15 2.14.9"}},
	"2.14-pre7-to-2.15":          {[]string{"2.14.0 2.15.0", "2.14.6 2.15.2"}, []string{"2.14.7 2.15.0", "2.12.15 2.15.0", "2.15.0 2.14.6", "2.14.6 2.14.9"}},
	"2.15-no-moves":              {[]string{"2.14.9 2.15.0"}, []string{"2.15.0 2.15.1", "2.14.8 2.14.9", "2.15.0 2.14.9"}},
	"2.15-consumer-limit":        {[]string{"2.14.9 2.15.0", "2.14.9 2.15.0-RC.1"}, []string{"2.15.0 2.15.1", "2.15.0 2.14.9", "2.15.0-RC.1 2.15.0"}},
	"2.15-ack-v2-not-yet":        {[]string{"2.14.9 2.15.0"}, []string{"2.15.0 2.15.1", "2.15.0 2.14.9"}},
	"2.15-way-back":              {[]string{"2.14.6 2.15.0", "2.8.4 2.15.2"}, []string{"2.14.7 2.15.0", "2.14.6 2.14.7", "2.15.0 2.14.6"}},
	"2.15-floor":                 {[]string{"2.15.0 2.14.6", "2.15.2 2.8.4"}, []string{"2.15.0 2.14.7", "2.14.9 2.14.6", "2.14.6 2.15.0"}},
}

func TestEveryRuleHoldsWhereItShould(t *testing.T) {
	for _, r := range catalogue().Rules {
		p, ok := pairs[r.ID]
		if !ok || len(p.holds) == 0 || len(p.quiet) == 0 {
			t.Errorf("%s: no pairs in the table: name some for which it holds, and some for which it does not", r.ID)
		}
		all := Situation{Nodes: 3, JetStream: true, Replicated: true, Mirrors: true, Has: r.Needs}
		for _, s := range p.holds {
			f, ok := find(ask(t, s, all), r.ID)
			if !ok {
				t.Errorf("%s does not hold for %s", r.ID, s)
				continue
			}
			if !f.Matters || f.Undecided || f.Because == "" {
				t.Errorf("%s for %s: all it needs is there, and it does not matter: %+v", r.ID, s, f.Bearing)
			}
			if strings.ContainsAny(f.Text, "{}") && r.Text != f.Text {
				t.Errorf("%s for %s: %s", r.ID, s, f.Text)
			}
			for i, need := range r.Needs {
				without := Situation{Nodes: 3, Unknown: true, Has: slices.Delete(slices.Clone(r.Needs), i, i+1)}
				if f, _ := find(ask(t, s, without), r.ID); need != "cluster" && (!f.Matters || !f.Undecided) {
					t.Errorf("%s for %s, with %s not known: %+v", r.ID, s, need, f.Bearing)
				}
				without.Lacks = []string{need}
				if f, _ := find(ask(t, s, without), r.ID); f.Matters || f.Because == "" {
					t.Errorf("%s for %s, without %s: %+v", r.ID, s, need, f.Bearing)
				}
			}
		}
		for _, s := range p.quiet {
			if _, ok := find(ask(t, s, all), r.ID); ok {
				t.Errorf("%s holds for %s", r.ID, s)
			}
		}
	}
	for id := range pairs {
		if !slices.ContainsFunc(catalogue().Rules, func(r rule) bool { return r.ID == id }) {
			t.Errorf("the table has %s, and the data has not", id)
		}
	}
}

func TestEveryFeatureIsLostSomewhere(t *testing.T) {
	b := catalogue()
	seen := map[string]map[string]bool{}
	for _, high := range b.releases {
		for _, low := range b.releases {
			a, err := For(high.Version, low.Version, Situation{})
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]bool{}
			for _, f := range b.Features {
				if high.Version.Compare(f.Since) >= 0 && low.Version.Compare(f.Since) < 0 {
					want[f.Name] = true
				}
			}
			for _, f := range a.Lost {
				if !want[f.Name] || f.Text == "" || len(f.Sources) == 0 {
					t.Errorf("%s to %s: lost %+v", high.Version, low.Version, f)
				}
				delete(want, f.Name)
				if seen[f.Name] == nil {
					seen[f.Name] = map[string]bool{}
				}
				seen[f.Name][f.Text] = true
			}
			if len(want) > 0 {
				t.Errorf("%s to %s: not a word about %v", high.Version, low.Version, want)
			}
		}
	}
	for _, f := range b.Features {
		for _, l := range f.Lost {
			if !seen[f.Name][l.Effect] {
				t.Errorf("%s: no pair has this effect: %s", f.Name, l.Effect)
			}
		}
	}
}

func TestVersions(t *testing.T) {
	for _, tt := range []struct {
		text, in, out string
	}{
		{">=2.12.0", "2.12.0 2.12.0-RC.1 2.15.2 3.0.0", "2.11.17"},
		{"<2.12.0", "2.11.17 1.0.0 2.9.0", "2.12.0 2.12.0-RC.1 2.12.0+build"},
		{">=2.9.0 <2.10.0", "2.9.0 2.9.25", "2.8.4 2.10.0"},
		{"<2.11.11 || >=2.12.0 <2.12.2", "2.11.10 2.12.1", "2.11.11 2.12.2"},
	} {
		var vs versions
		if err := vs.UnmarshalText([]byte(tt.text)); err != nil {
			t.Fatal(err)
		}
		for _, v := range strings.Fields(tt.in) {
			if !vs.has(cluster.Version(v)) {
				t.Errorf("%s does not have %s", tt.text, v)
			}
		}
		for _, v := range strings.Fields(tt.out) {
			if vs.has(cluster.Version(v)) {
				t.Errorf("%s has %s", tt.text, v)
			}
		}
	}
	for _, bad := range []string{"", "2.12.0", ">2.12.0", "<=2.12.0", ">=2.12", ">=2.12.0 <2.12.0", ">=2.12.0 >=2.14.0", "<2.12.0 ||"} {
		var vs versions
		if err := vs.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was read as %v", bad, vs)
		}
	}
}

// ask answers a pair written as "2.14.9 2.15.2".
func ask(t *testing.T, pair string, s Situation) Advice {
	t.Helper()
	from, to, _ := strings.Cut(pair, " ")
	a, err := For(cluster.Version(from), cluster.Version(to), s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func find(a Advice, id string) (Finding, bool) {
	for _, f := range a.Findings {
		if f.ID == id {
			return f, true
		}
	}
	return Finding{}, false
}
