package fleet

import (
	"testing"
	"time"

	"nats-roll/cluster"
)

// What comes to nothing is dated by the connection that broke while it
// was out, and else by when it was sent.
func TestWhatAnythingIsBookedTo(t *testing.T) {
	var b breaks
	t0 := time.Now()
	for _, s := range []int{10, 20} {
		b.note(t0.Add(time.Duration(s) * time.Second))
	}
	for _, tt := range []struct{ sent, cause int }{{5, 10}, {12, 20}, {25, 25}} {
		if got := b.cause(t0.Add(time.Duration(tt.sent) * time.Second)).Sub(t0); got != time.Duration(tt.cause)*time.Second {
			t.Errorf("sent at %d s: %s", tt.sent, got)
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
		c.nc.Close()
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
