package cluster

import (
	"testing"
	"time"
)

func TestBeatsDivideEvenly(t *testing.T) {
	for ms, want := range map[int]time.Duration{0: 1000, 1: 999, 500: 500, 899: 101, 950: 1050, 999: 1001} {
		if got := Beat(at(ms), time.Second); got != want*time.Millisecond {
			t.Errorf("%d ms after a whole second: %s, want %d ms", ms, got, want)
		}
	}
	if got := Beat(at(260), 250*time.Millisecond); got != 240*time.Millisecond {
		t.Errorf("quarters: %s", got)
	}
}
