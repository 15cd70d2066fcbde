package view

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"nats-roll/cluster"
	"nats-roll/tui/theme"
)

func TestWhatCameOfAStreamsMessages(t *testing.T) {
	th := theme.New(lipgloss.NewRenderer(nil))
	for want, s := range map[string]cluster.Stored{
		"": {Acked: 5},
		"Stream    1,200 acknowledged, 1,200 found": {Looked: true, Acked: 1200, Found: 1200},
		"Stream    9 acknowledged, 7 found, 2 MISSING, 1 twice; of 3 nobody knows; 4 stalled, 2.00 s at most": {
			Looked: true, Acked: 9, Found: 7, Missing: 2, Twice: 1, Unsure: 3, Stalls: 4, StallMax: 2 * time.Second,
		},
	} {
		if got := ansi.Strip(strings.Join(stored(th, s, 200), "|")); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}
