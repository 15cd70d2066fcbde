package advice

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"nats-roll/cluster"
)

var (
	core2 = Situation{Nodes: 2}
	r3    = Situation{Nodes: 3, JetStream: true, Replicated: true}
)

func TestVia(t *testing.T) {
	for pair, want := range map[string]string{
		"2.8.4 2.15.2":                    "2.9.25 2.10.29 2.11.17 2.12.15 2.14.9",
		"2.15.2 2.8.4":                    "2.14.9 2.12.15 2.11.17 2.10.29 2.9.25",
		"2.12.15 2.15.2":                  "2.14.9",
		"2.15.2 2.12.15":                  "2.14.9",
		"2.12.15 2.14.9":                  "",
		"2.14.9 2.12.0":                   "",
		"2.14.9 2.15.2":                   "",
		"2.14.7 2.15.2":                   "",
		"2.14.7-RC.1 2.15.2":              "",
		"2.14.6 2.15.2":                   "2.14.9",
		"2.15.2 2.14.6":                   "",
		"2.15.1 2.15.2":                   "",
		"2.15.2 2.15.2":                   "",
		"2.4.0 2.9.0":                     "2.8.4", // of 2.5 to 2.7 no patch is known
		"2.14.9 2.17.0":                   "2.15.2",
		"2.12.15 2.13.0":                  "",
		"2.13.0 2.14.0":                   "",
		"1.4.1 2.15.2":                    "",
		"2.15.2 3.0.0":                    "",
		"2.14.9 2.99999999999999999999.0": "2.15.2",
	} {
		for _, s := range []Situation{core2, r3} {
			a := ask(t, pair, s)
			var got []string
			for _, v := range a.Via {
				got = append(got, string(v))
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: via %v, want %s", pair, got, want)
			}
			if len(got) > 0 && (a.ViaFor.Matters != s.JetStream || a.ViaFor.Because == "" || a.ViaWhy.Text == "" || len(a.ViaWhy.Sources) == 0) {
				t.Errorf("%s: via for %+v, because %+v", pair, a.ViaFor, a.ViaWhy)
			}
		}
	}
}

func TestAdjacent(t *testing.T) {
	for pair, want := range map[string]bool{
		"2.12.15 2.14.0": true, "2.14.0 2.12.15": true, "2.12.15 2.15.0": false, "2.14.9 2.15.2": true, "2.15.1 2.15.2": true,
		"2.15.2 2.15.2": true, "2.9.25 2.10.0": true, "2.8.4 2.10.0": false, "2.12.15 2.13.0": true, "2.13.0 2.14.0": true,
		"2.15.2 2.16.0": true, "2.15.2 2.17.0": false, "2.6.0 2.8.0": false, "2.7.4 2.8.0": true, "1.4.1 2.0.0": false, "2.15.2 3.0.0": false,
	} {
		if got := ask(t, pair, core2).Adjacent; got != want {
			t.Errorf("%s: adjacent %t", pair, got)
		}
	}
	for pair, want := range map[string]int{
		"2.14.9 2.15.2": 0, "2.12.15 2.15.2": 1, "2.15.2 2.12.15": 1, "2.8.4 2.15.2": 5, "2.15.2 2.15.2": 0, "1.4.1 2.15.2": 0,
	} {
		if got := ask(t, pair, core2).Between; got != want {
			t.Errorf("%s: %d lines between, want %d", pair, got, want)
		}
	}
}

func TestFloor(t *testing.T) {
	for pair, want := range map[string]cluster.Version{
		"2.14.9 2.15.2": "2.14.7", "2.15.2 2.14.9": "2.14.7", "2.15.1 2.15.2": "2.14.7", "2.8.4 2.15.2": "2.14.7", "2.15.2 2.15.2": "2.14.7",
		"2.11.17 2.12.15": "2.11.9", "2.12.0 2.11.0": "2.11.9", "2.9.25 2.10.0": "2.9.22", "2.10.29 2.9.25": "2.9.22",
		"2.12.15 2.14.9": "", "2.10.29 2.11.17": "", "2.8.4 2.9.25": "", "2.8.0 2.8.4": "", "2.15.2 2.16.0": "",
	} {
		a := ask(t, pair, r3)
		if a.Floor != want {
			t.Errorf("%s: floor %q, want %q", pair, a.Floor, want)
		}
		if high := cluster.Version(slices.MaxFunc(strings.Fields(pair), func(x, y string) int {
			return cluster.Version(x).Compare(cluster.Version(y))
		})); Known(high) != (a.Back.Text != "" && len(a.Back.Sources) > 0) {
			t.Errorf("%s: back %+v", pair, a.Back)
		}
	}
}

func TestBlocking(t *testing.T) {
	mirrored := r3
	mirrored.Mirrors = true
	spaces := core2
	spaces.Has = []string{"names-with-spaces"}
	pools := core2
	pools.Has = []string{"pool-sizes"}
	for _, tt := range []struct {
		pair string
		s    Situation
		want string
	}{
		{"2.12.15 2.15.2", core2, ""},
		{"2.12.15 2.15.2", r3, "pre-2.14-to-2.15-js"},
		{"2.12.15 2.15.2", mirrored, "pre-2.14-to-2.15-js 2.15-raft-delete-range"},
		{"2.12.15 2.15.2", Situation{Nodes: 3, JetStream: true}, ""},
		{"2.12.15 2.15.2", Situation{Unknown: true}, ""},
		{"2.12.15 2.15.2", Situation{Unknown: true, JetStream: true, Replicated: true}, "pre-2.14-to-2.15-js"},
		{"2.14.6 2.15.2", mirrored, ""},
		{"2.15.2 2.14.9", mirrored, ""},
		{"2.15.2 2.14.6", r3, "2.15-floor"},
		{"2.15.2 2.14.6", Situation{Nodes: 1, JetStream: true}, ""},
		{"2.12.15 2.11.8", r3, "2.12-floor"},
		{"2.12.15 2.11.9", r3, ""},
		{"2.10.29 2.9.21", r3, "2.9-floor-for-2.10"},
		{"2.10.29 2.9.22", r3, ""},
		{"2.9.25 2.8.4", r3, "2.8-as-target"},
		{"2.15.2 2.8.4", core2, ""},
		{"2.8.4 2.15.2", core2, ""},
		{"1.4.1 2.15.2", core2, "v1-v2"},
		{"2.15.2 1.4.1", Situation{}, "v1-v2"},
		{"1.4.1 2.15.2", Situation{Nodes: 1}, ""},
		{"2.10.29 2.11.0", spaces, "2.11-names"},
		{"2.10.29 2.11.0", pools, "pool-mismatch"},
		{"2.11.2 2.15.2", pools, ""},
	} {
		a := ask(t, tt.pair, tt.s)
		var got []string
		for _, f := range a.Blocking() {
			got = append(got, f.ID)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s with %+v: %v, want %s", tt.pair, tt.s, got, tt.want)
		}
	}
	if f, ok := find(ask(t, "2.12.15 2.15.2", core2), "2.15-raft-delete-range"); !ok || f.Severity != Block || f.Matters || f.Because != "no JetStream in this rehearsal" {
		t.Errorf("a block that does not matter: %+v", f)
	}
}

func TestBecause(t *testing.T) {
	for _, tt := range []struct {
		s    Situation
		want Bearing
	}{
		{r3, Bearing{Because: "no mirrors or sources in this rehearsal"}},
		{Situation{Nodes: 2, JetStream: true, Replicated: true, Mirrors: true}, Bearing{Matters: true, Because: "this rehearsal has JetStream, replicated streams or consumers and mirrors or sources"}},
		{Situation{Unknown: true}, Bearing{Matters: true, Undecided: true, Because: "only with JetStream, replicated streams or consumers and mirrors or sources"}},
		{Situation{Unknown: true, JetStream: true}, Bearing{Matters: true, Undecided: true, Because: "only with replicated streams or consumers and mirrors or sources"}},
		{Situation{Unknown: true, Lacks: []string{"mirrors"}}, Bearing{Because: "no mirrors or sources in this rehearsal"}},
	} {
		if f, _ := find(ask(t, "2.12.15 2.15.2", tt.s), "2.15-raft-delete-range"); f.Bearing != tt.want {
			t.Errorf("%+v: %+v, want %+v", tt.s, f.Bearing, tt.want)
		}
	}
	if f, _ := find(ask(t, "2.15.1 2.15.2", Situation{Nodes: 1}), "core-mix-any"); f.Because != "only one server in this rehearsal" {
		t.Errorf("one server: %+v", f.Bearing)
	}
	if f, _ := find(ask(t, "2.15.1 2.15.2", Situation{Unknown: true}), "core-mix-any"); f.Bearing != (Bearing{Matters: true, Because: "concerns every cluster"}) {
		t.Errorf("servers that nobody counted: %+v", f.Bearing)
	}
	if f, _ := find(ask(t, "2.15.1 2.15.2", Situation{Unknown: true}), "one-node-at-a-time"); f.Bearing != (Bearing{Matters: true, Undecided: true, Because: "only with JetStream"}) {
		t.Errorf("servers that nobody counted, and JetStream: %+v", f.Bearing)
	}
	if f, _ := find(ask(t, "2.15.2 2.15.2", core2), "same-version"); f.Because != "concerns every cluster" {
		t.Errorf("no needs: %+v", f.Bearing)
	}
	counters := r3
	counters.Has = []string{"msg-counter"}
	a := ask(t, "2.14.9 2.11.17", counters)
	if f, _ := find(a, "2.12-healthz-lies"); !f.Matters || f.Undecided {
		t.Errorf("a feature in use goes offline: %+v", f.Bearing)
	}
	if got := a.Lost[0]; got.Name != "msg-counter" || !got.Matters || got.Silent || got.Because != "this rehearsal has JetStream and counters (allow_msg_counter)" {
		t.Errorf("first what is lost here: %+v", got)
	}
	if f, _ := find(ask(t, "2.14.9 2.11.17", r3), "2.12-healthz-lies"); f.Matters {
		t.Errorf("no feature in use goes offline: %+v", f.Bearing)
	}
}

func TestSupport(t *testing.T) {
	for _, tt := range []struct {
		pair      string
		supported bool
		inText    bool
		text      string
	}{
		{"2.15.1 2.15.2", true, false, "2.15 gets patches."},
		{"2.15.2 2.15.1", true, true, "2.15 gets patches."},
		{"2.15.2 2.15.0", true, false, "2.15 gets patches."},
		{"2.15.1 2.15.0", true, false, "2.15 gets patches."},
		{"2.15.2 2.14.9", true, false, "2.14 gets patches; 2.15 gets patches."},
		{"2.12.15 2.14.9", true, false, "2.14 gets patches; 2.12 gets no patches any more, its last release is 2.12.15 of 2026-08-12."},
		{"2.15.2 2.12.0", false, false, "2.12 gets no patches any more, its last release is 2.12.15 of 2026-08-12; 2.15 gets patches."},
		{"2.15.2 2.16.0", false, false, "2.16 is newer than the catalogue of 2026-11-23; 2.15 gets patches."},
		{"2.13.0 2.7.4", false, false, "2.7 gets no patches any more; 2.13 was never released."},
	} {
		a := ask(t, tt.pair, core2)
		if a.Supported != tt.supported || a.InText != tt.inText || a.Support.Text != tt.text {
			t.Errorf("%s: %t, %t, %s", tt.pair, a.Supported, a.InText, a.Support.Text)
		}
		if !strings.Contains(a.TextSays.Text, "one patch version release prior") || a.Policy.Text == "" || len(a.Policy.Sources) == 0 {
			t.Errorf("%s: %+v, %+v", tt.pair, a.TextSays, a.Policy)
		}
	}
}

func TestRoutes(t *testing.T) {
	for pair, want := range map[string][3]int{
		"2.8.4 2.9.25": {1, 1, 1}, "2.9.25 2.10.0": {1, 1, 4}, "2.15.2 2.8.4": {4, 1, 1}, "2.15.1 2.15.2": {4, 4, 4}, "2.15.2 2.15.2": {4, 4, 4},
		"2.9.25 2.10.0-RC.1": {1, 1, 4},
	} {
		if r := ask(t, pair, core2).Routes; [3]int{r.Before, r.Mixed, r.After} != want || r.Text == "" {
			t.Errorf("%s: %+v, want %v", pair, r, want)
		}
	}
}

func TestVersionsThatNobodyKnows(t *testing.T) {
	a := ask(t, "2.7.0 2.7.4", core2)
	if f, _ := find(a, "not-in-catalogue"); f.Severity != Info || !strings.HasPrefix(f.Text, "Not in the catalogue as of 2026-11-23: 2.7.0 and 2.7.4, ") {
		t.Errorf("%+v", f)
	}
	a = ask(t, "v2.14.9 v2.15.3-RC.1", r3)
	if a.From != "2.14.9" || a.To != "2.15.3-RC.1" {
		t.Errorf("%s to %s", a.From, a.To)
	}
	if _, ok := find(a, "2.15-no-moves"); !ok {
		t.Error("a release candidate got none of the rules of its release")
	}
	if f, _ := find(ask(t, "2.13.0 2.13.0", core2), "not-in-catalogue"); !strings.Contains(f.Text, ": 2.13.0, so") {
		t.Errorf("%+v", f)
	}
	for pair, want := range map[string]int{"2.10.0-RC.1 2.9.25": 3, "2.10.0 2.10.0-RC.1": 0, "2.10.0-RC.2 2.10.0-RC.1": 0, "2.15.2 1.4.1": 0} {
		if got := ask(t, pair, core2).Lost; len(got) != want {
			t.Errorf("%s: lost %+v, want %d", pair, got, want)
		}
	}
	for _, bad := range [][2]cluster.Version{{"", "2.15.2"}, {"2.15.2", ""}, {"2.15", "2.15.2"}, {"embedded", "2.15.2"}} {
		if _, err := For(bad[0], bad[1], core2); err == nil || !strings.Contains(err.Error(), "is not a version") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, s := range []Situation{{Has: []string{"mirros"}}, {Lacks: []string{"mirros"}}} {
		if _, err := For("2.15.1", "2.15.2", s); err == nil || err.Error() != `advise on 2.15.1 to 2.15.2: no condition is called "mirros"` {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

// Every pair of known versions, and some that nobody knows, in every kind of
// situation: sorted, explained, the same every time, and open to no caller.
func TestEveryPair(t *testing.T) {
	versions := []cluster.Version{"1.4.1", "2.0.0", "2.7.4", "2.9.13", "2.13.0", "2.15.0-RC.2", "2.15.2+build", "2.16.0", "3.0.0", "2.14.99999999999999999999"}
	for _, r := range Releases() {
		versions = append(versions, r.Version)
	}
	for _, s := range []Situation{r3, {Unknown: true}} {
		for _, from := range versions {
			for _, to := range versions {
				a, err := For(from, to, s)
				if err != nil {
					t.Fatal(err)
				}
				if len(a.Findings) == 0 || !slices.IsSortedFunc(a.Findings, func(x, y Finding) int {
					return 3*(weight[x.Severity]-weight[y.Severity]) + x.rank() - y.rank()
				}) {
					t.Fatalf("%s to %s: none, or not sorted: %+v", from, to, a.Findings)
				}
				for _, f := range a.Findings {
					if f.Text == "" || f.Because == "" || len(f.Sources) == 0 || f.Undecided && (!f.Matters || !s.Unknown) {
						t.Fatalf("%s to %s: %+v", from, to, f)
					}
				}
				if want := Direction(map[int]string{-1: "up", 0: "same", 1: "down"}[from.Compare(to)]); a.Direction != want {
					t.Fatalf("%s to %s: %s", from, to, a.Direction)
				}
				if a.Direction != Down && len(a.Lost) > 0 {
					t.Fatalf("%s to %s: lost %v", from, to, a.Lost)
				}
			}
		}
	}
}

func TestTheSameAnswerEveryTime(t *testing.T) {
	for _, pair := range []string{"2.15.2 2.8.4", "2.8.4 2.15.2", "2.15.2 2.15.2"} {
		first := ask(t, pair, Situation{Unknown: true})
		want, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		for _, sources := range [][]string{first.Findings[0].Sources, first.Policy.Sources, first.Back.Sources, first.Routes.Sources, first.Support.Sources} {
			sources[0] = "a caller was here"
		}
		for _, f := range first.Lost {
			f.Sources[0] = "a caller was here"
		}
		got, err := json.Marshal(ask(t, pair, Situation{Unknown: true}))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s:\n%s\nthen\n%s", pair, want, got)
		}
	}
}
