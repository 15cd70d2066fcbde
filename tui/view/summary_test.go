package view

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"nats-roll/cluster"
	"nats-roll/tui/theme"
	"nats-roll/upgrade"
)

func TestWhatCameOfAStreamsMessages(t *testing.T) {
	th := theme.New(lipgloss.NewRenderer(nil))
	for want, s := range map[string]cluster.Stored{
		"": {Acked: 5},
		"Stream    1,200 acknowledged, 1,200 found": {Looked: true, Acked: 1200, Found: 1200},
		"Stream    9 acknowledged, 7 found, 2 MISSING, 1 twice; of 3 nobody knows; 4 stalled, 2.00 s at most; 1 of the bucket's values, 3.00 s at most": {
			Looked: true, Acked: 9, Found: 7, Missing: 2, Twice: 1, Unsure: 3, Stalls: 4, StallMax: 2 * time.Second,
			KVStalls: 1, KVStallMax: 3 * time.Second,
		},
	} {
		if got := ansi.Strip(strings.Join(stored(th, s, 200), "|")); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}

func TestWhatAStepCost(t *testing.T) {
	th := theme.New(lipgloss.NewRenderer(nil))
	step := func(title string, lost uint64, stalls int) upgrade.StepProgress {
		st := upgrade.StepProgress{Took: time.Second}
		st.Title, st.Impact.Lost, st.Bill.Stalls, st.Bill.Longest = title, lost, stalls, time.Duration(stalls)*time.Second
		return st
	}
	for name, tc := range map[string]struct {
		steps []upgrade.StepProgress
		want  string
	}{
		"nothing": {[]upgrade.StepProgress{step("Start A", 0, 0)}, ""},
		"lost": {
			[]upgrade.StepProgress{step("Start A", 0, 0), step("Stop A", 12, 0)},
			"What each step cost         took      away   lost  twice\n" +
				" 2 Stop A                 1.00 s         –     12      0",
		},
		"writes stalled, and nothing else happened": {
			[]upgrade.StepProgress{step("Stop A", 12, 0), step("Stop B, too", 0, 25)},
			"What each step c…    took     away  stalled   lost twice\n" +
				" 1 Stop A          1.00 s        –        –     12     0\n" +
				" 2 Stop B, too     1.00 s        –     25 s      0     0",
		},
	} {
		p := upgrade.Progress{Steps: tc.steps}
		if got := ansi.Strip(strings.Join(costs(th, p, cluster.Fleet{}, 56), "\n")); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, tc.want)
		}
	}
}

// What comes at once after a pause does not flatten all else.
func TestTheScaleOfTraffic(t *testing.T) {
	for want, cells := range map[float64][]float64{
		1:   nil,
		100: {0, 0, 100, 90, 20, 0},
		250: {100, 100, 100, 100, 250, 100, 100, 100, 100, 100, 100},
		150: {100, 100, 100, 100, 1000, 100, 100, 100, 100, 100, 100},
	} {
		if got := scale(cells); got != want {
			t.Errorf("%v: %v, want %v", cells, got, want)
		}
	}
}

// Above what is foretold stands what it is.
func TestWhatTheNumbersBesideTheBarsAre(t *testing.T) {
	th := theme.New(lipgloss.NewRenderer(nil))
	o := cluster.Observation{Servers: []cluster.Server{{Node: cluster.Node{Name: "A"}}}}
	o.Fleet.Clients = []cluster.Client{{Node: "A", Status: cluster.ClientConnected}}
	for want, p := range map[string]upgrade.Prediction{
		"A ██████████████████████████████      1": {},
		"                           now  by text\n" +
			"A █████████████████████      1        0": {Text: map[string]int{}},
		"       now  next by lists  next by text\n" +
			"A █      1              1             0": {Ahead: true, Lists: map[string]int{"A": 1}, Text: map[string]int{}},
	} {
		if got := ansi.Strip(strings.Join(Bars(th, o, p, 40), "\n")); got != want {
			t.Errorf("\n%q\nwant\n%q", got, want)
		}
	}
}
