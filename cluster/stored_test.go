package cluster

import (
	"testing"
	"time"
)

// What was begun and is not acknowledged stands still, if that takes longer than the rate
// and a stall explain.
func TestHowLongWritesStand(t *testing.T) {
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return at.Add(-d) }
	for name, tc := range map[string]struct {
		s    Stored
		want time.Duration
	}{
		"nobody publishes":        {Stored{}, 0},
		"nothing was ever stored": {Stored{Rate: 20, Asked: 1}, 0},
		"all is acknowledged":     {Stored{Rate: 20, Asked: 5, Acked: 5, LastAck: ago(time.Minute)}, 0},
		"one is under way":        {Stored{Rate: 20, Asked: 6, Acked: 5, LastAck: ago(150 * time.Millisecond)}, 0},
		"one waits":               {Stored{Rate: 20, Asked: 6, Acked: 5, LastAck: ago(12*time.Second + 50*time.Millisecond)}, 12 * time.Second},
		"it is over":              {Stored{Rate: 20, Asked: 6, Acked: 5, LastAck: ago(time.Minute), Looked: true}, 0},
	} {
		if got := tc.s.Standing(at); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}
