package fleet

import (
	"testing"
	"time"

	"nats-roll/cluster"
)

// What comes to nothing is dated by what broke before or just after it was sent,
// but not by what broke while all was well again.
func TestWhatAnythingIsBookedTo(t *testing.T) {
	var b breaks
	t0 := time.Now()
	at := func(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }
	for _, ms := range []int{1000, 2000} {
		b.note(at(ms))
	}
	for _, tt := range []struct{ well, sent, cause int }{
		{990, 995, 1000},   // in flight when it broke
		{990, 1500, 1000},  // not mended yet
		{990, 2500, 2000},  // and broken once more
		{1100, 1500, 1500}, // well since: something else; what breaks later is no cause
		{2100, 2500, 2500},
	} {
		if got := b.cause(at(tt.well), at(tt.sent)); !got.Equal(at(tt.cause)) {
			t.Errorf("well at %d, sent at %d: %s", tt.well, tt.sent, got.Sub(t0))
		}
	}
	for range 3 * keepBreaks {
		b.note(t0)
	}
	if len(b.at) != keepBreaks {
		t.Errorf("%d are kept", len(b.at))
	}
}

// Nobody answers, and each request is told with its cost. The server does not say
// that there are no responders: the tutorial's subscriber to ">" looks like one.
func TestRequestsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.start("A")
	l.start("B")
	f := l.fleet(cluster.Workload{Requesters: 2, Asks: 100, Timeout: 50 * time.Millisecond})
	f.connect()
	f.wait("answers", func(fl cluster.Fleet) bool { return fl.Requests.Answered > 20 })
	for _, c := range f.asks.responders {
		c.nc.Load().Close()
	}
	f.wait("no answers", func(fl cluster.Fleet) bool { return fl.Requests.TimedOut > 20 })
	fl := f.settleAll()
	r := fl.Requests
	if r.Sent != r.Answered+r.Unanswered() || r.Rate != 200 || r.P50 <= 0 || r.P50 > r.P99 || r.P99 > r.Max {
		t.Errorf("%+v", r)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.costs) != int(r.Unanswered()) {
		t.Errorf("%d costs for %+v", len(f.costs), r)
	}
	for _, c := range f.costs {
		if c.At.IsZero() || c.For <= 0 || c.Client == "" || c.Kind == "" {
			t.Fatalf("%+v", c)
		}
	}
}
