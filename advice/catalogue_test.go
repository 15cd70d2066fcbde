package advice

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"nats-roll/cluster"
)

func TestEveryStatementHasASource(t *testing.T) {
	b := catalogue()
	facts := map[string]Fact{
		"policy": b.Policy, "tutorial": b.Tutorial, "via": b.Via, "routes": b.Routes.Fact, "api_levels": b.APILevels.Fact,
	}
	for _, s := range b.Skipped {
		facts["skipped "+s.Minor] = Fact{Text: "Skipped.", Sources: s.Sources}
	}
	for _, l := range b.Lines {
		facts["line "+l.Minor] = l.Back
	}
	verified := map[string]bool{"routes": true, "line 2.9": true}
	for _, r := range b.Rules {
		facts["rule "+r.ID], verified["rule "+r.ID] = r.Fact, r.Verified
	}
	for _, f := range b.Features {
		for _, l := range f.Lost {
			name := "feature " + f.Name + " " + l.Effect
			facts[name], verified[name] = Fact{Text: l.Effect, Sources: l.Sources}, l.Verified
		}
	}
	const reproduced = "reproduced with real servers: "
	source := regexp.MustCompile(`^https://[a-z.]+/[^ ]+$|^` + reproduced + `\d.*|^` + reproduced + `(two|twelve) .*`)
	for name, f := range facts {
		if f.Text == "" || len(f.Sources) == 0 {
			t.Errorf("%s: a sentence and a source are needed: %+v", name, f)
		}
		tried := false
		for _, s := range f.Sources {
			if !source.MatchString(s) {
				t.Errorf("%s: %q is neither an address nor what was reproduced", name, s)
			}
			tried = tried || strings.HasPrefix(s, reproduced) && strings.HasSuffix(s, ", 2026-11")
		}
		if tried != verified[name] {
			t.Errorf("%s: verified is %t, and its sources say otherwise: %q", name, verified[name], f.Sources)
		}
	}
}

func TestTheRulesAreWellFormed(t *testing.T) {
	b := catalogue()
	seen := map[string]bool{}
	sentence := regexp.MustCompile(`^[^.!?]([^.!?]|[.!?][^ ]|/healthz )*\.$`)
	known := func(where string, needs []string) {
		for _, n := range needs {
			if _, ok := b.nouns[n]; !ok {
				t.Errorf("%s needs %q, which is no condition", where, n)
			}
		}
	}
	for _, r := range b.Rules {
		if r.ID == "" || seen[r.ID] {
			t.Errorf("%q: no id, or not the only one", r.ID)
		}
		seen[r.ID] = true
		if _, ok := weight[r.Severity]; !ok {
			t.Errorf("%s: %q is no severity", r.ID, r.Severity)
		}
		if !slices.Contains([]string{"up", "down", "same", "mixed", "any"}, r.When.Direction) {
			t.Errorf("%s: %q is no direction", r.ID, r.When.Direction)
		}
		if steps[r.When.Step] == nil {
			t.Errorf("%s: %q is no step", r.ID, r.When.Step)
		}
		for _, s := range []string{r.Text, r.Remedy} {
			if s != "" && !sentence.MatchString(s) {
				t.Errorf("%s: not one sentence: %s", r.ID, s)
			}
		}
		known(r.ID, r.Needs)
	}
	names := map[string]bool{}
	for _, c := range b.Conditions {
		if c.Name == "" || c.Noun == "" || names[c.Name] {
			t.Errorf("condition %+v: no name, no noun, or not the only one", c)
		}
		names[c.Name] = true
	}
	used := map[string]bool{}
	for _, r := range b.Rules {
		for _, n := range r.Needs {
			used[n] = true
		}
	}
	for _, f := range b.Features {
		used[f.Name] = true
		known(f.Name, f.Needs)
		if got := b.APILevels.Levels.of(f.Since); f.Level != 0 && f.Level != got {
			t.Errorf("%s needs level %d, and %s has %d", f.Name, f.Level, f.Since, got)
		}
		for _, l := range f.Lost {
			if !sentence.MatchString(l.Effect) {
				t.Errorf("%s: not one sentence: %s", f.Name, l.Effect)
			}
		}
	}
	for n := range names {
		if !used[n] {
			t.Errorf("nothing depends on condition %s", n)
		}
	}
}

func TestTheReleasesAreInOrder(t *testing.T) {
	b := catalogue()
	last := map[string]string{}
	for i, r := range b.releases {
		if _, err := time.Parse(time.DateOnly, r.Date); err != nil || r.Date > b.AsOf {
			t.Errorf("%s: date %q", r.Version, r.Date)
		}
		if i > 0 && b.releases[i-1].Version.Compare(r.Version) >= 0 {
			t.Errorf("%s comes after %s", r.Version, b.releases[i-1].Version)
		}
		if r.Date < last[r.Version.Minor()] {
			t.Errorf("%s is older than the patch before it", r.Version)
		}
		last[r.Version.Minor()] = r.Date
	}
	for i, l := range b.Lines {
		if i > 0 && order(b.Lines[i-1].Minor, l.Minor) >= 0 {
			t.Errorf("line %s comes after %s", l.Minor, b.Lines[i-1].Minor)
		}
		for _, v := range []cluster.Version{l.Floor, l.UpgradeFrom} {
			if v != "" && !Known(v) {
				t.Errorf("line %s: %s is not in the catalogue", l.Minor, v)
			}
		}
	}
	for _, m := range b.Maintained {
		if _, ok := b.line(m); !ok {
			t.Errorf("maintained: no line %s", m)
		}
	}
	if len(b.Maintained) != 2 || b.Maintained[0] != Latest().Minor() {
		t.Errorf("maintained: %v, and the latest is %s", b.Maintained, Latest())
	}
}

func TestCatalogue(t *testing.T) {
	if Latest() != "2.15.2" || AsOf() != "2026-11-23" {
		t.Errorf("latest %s as of %s", Latest(), AsOf())
	}
	for minor, want := range map[string]cluster.Version{
		"2.8": "2.8.4", "2.9": "2.9.25", "2.10": "2.10.29", "2.11": "2.11.17", "2.12": "2.12.15", "2.14": "2.14.9", "v2.15": "2.15.2",
		"2.13": "", "2.7": "", "2.16": "", "": "", "2": "",
	} {
		if got, ok := LatestOf(minor); got != want || ok != (want != "") {
			t.Errorf("latest of %q: %q, %t", minor, got, ok)
		}
	}
	for v, want := range map[cluster.Version]cluster.Version{
		"2.15.2": "2.15.1", "2.15.0": "2.14.9", "2.14.0": "2.12.15", "2.12.14": "2.12.12", "2.10.14": "2.10.12", "2.10.16": "2.10.14",
		"2.10.0": "2.9.25", "2.8.0": "", "2.7.4": "", "2.13.0": "2.12.15", "2.15.2-RC.1": "2.15.1", "2.15.3": "2.15.2", "2.99.0": "2.15.2",
	} {
		if got, ok := Previous(v); got != want || ok != (want != "") {
			t.Errorf("before %s: %q, %t", v, got, ok)
		}
	}
	for v, want := range map[cluster.Version]bool{
		"2.15.2": true, "2.8.0": true, "2.13.0": false, "2.12.13": false, "2.15.2-RC.1": false, "v2.15.2": false, "": false,
	} {
		if Known(v) != want {
			t.Errorf("%q known: %t", v, Known(v))
		}
	}
	newer := NewerThan("2.14.8")
	if len(newer) != 4 || newer[0] != (Release{"2.14.9", "2026-10-26", true}) || newer[3] != (Release{"2.15.2", "2026-10-26", true}) {
		t.Errorf("newer than 2.14.8: %v", newer)
	}
	if got := NewerThan(Latest()); len(got) != 0 {
		t.Errorf("newer than the latest: %v", got)
	}
	for _, r := range Releases() {
		if want := r.Version.Minor() == "2.15" || r.Version.Minor() == "2.14"; r.Supported != want {
			t.Errorf("%s supported: %t", r.Version, r.Supported)
		}
	}
	Releases()[0].Version = "0.0.0"
	if Releases()[0].Version != "2.8.0" {
		t.Error("a caller changed the catalogue")
	}
}

func TestDataThatCannotBeRead(t *testing.T) {
	for _, bad := range []string{
		``, `[]`, `{"unheard_of":1}`,
		`{"lines":[{"minor":"2.8","releases":{"2.9.0":"2022-09-09"}}]}`,
		`{"lines":[{"minor":"2.8","releases":{"v2.8.0":"2022-04-18"}}]}`,
		`{"rules":[{"id":"a","when":{"lower":"2.8.0"}}]}`,
	} {
		if _, err := read([]byte(bad)); err == nil {
			t.Errorf("read %s", bad)
		}
	}
}
