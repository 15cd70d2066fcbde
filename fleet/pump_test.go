package fleet

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"nats-roll/cluster"
)

func TestSchedule(t *testing.T) {
	for _, rate := range []int{1, 3, 100, 999, 7000, 20_000} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := New(Options{Workload: cluster.Workload{Rate: rate}})
				defer f.Close()
				burst, most, at := 0, 0, time.Time{}
				f.pumps[0].send = func(_ string, b []byte) error {
					if m, ours := parse(b, f.run); !ours || m.kind != number || m.seq != f.pumps[0].published.Load() {
						t.Errorf("sent %q", b)
					}
					if now := time.Now(); !now.Equal(at) {
						burst, at = 0, now
					}
					burst++
					most = max(most, burst)
					return nil
				}
				f.pumps[0].start()
				time.Sleep(time.Minute - time.Nanosecond)
				if err := f.pumps[0].stop(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := int(f.pumps[0].published.Load()); got > 60*rate || got < 60*rate-rate/1000-1 {
					t.Errorf("%d in a minute", got)
				}
				if most > rate/1000+1 {
					t.Errorf("%d at the same time", most)
				}
			})
		})
	}
}

// A publish that took long is not made up for by a burst.
func TestScheduleAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New(Options{Workload: cluster.Workload{Rate: 1000}})
		defer f.Close()
		f.pumps[0].send = func(string, []byte) error {
			if f.pumps[0].published.Load() == 500 {
				time.Sleep(30 * time.Second)
			}
			return nil
		}
		f.pumps[0].start()
		time.Sleep(31*time.Second + time.Microsecond)
		if got := f.pumps[0].published.Load(); got < 990 || got > 1010 {
			t.Errorf("%d published", got)
		}
	})
}

// A number that the library did not take is tried again; one whose write failed
// may be out.
func TestRefused(t *testing.T) {
	f := New(Options{})
	defer f.Close()
	var fail error
	f.pumps[0].send = func(string, []byte) error { return fail }
	for _, tt := range []struct {
		err                error
		published, refused uint64
	}{
		{nil, 1, 0},
		{nats.ErrReconnectBufExceeded, 1, 1},
		{nats.ErrConnectionClosed, 1, 2},
		{nil, 2, 2},
		{errors.New("write: broken pipe"), 3, 2},
	} {
		fail = tt.err
		f.pumps[0].number(nil)
		if p, r := f.pumps[0].published.Load(), f.pumps[0].refused.Load(); p != tt.published || r != tt.refused {
			t.Errorf("%v: %d published, %d refused", tt.err, p, r)
		}
	}
}

func TestStopWithoutStart(t *testing.T) {
	f := New(Options{})
	defer f.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.pumps[0].stop(ctx); err != nil {
		t.Error(err)
	}
}

func TestAways(t *testing.T) {
	var a aways
	if n, _, _, longest := a.sum(); n != 0 || longest != 0 {
		t.Error(n, longest)
	}
	for i := range 100 {
		a.record(time.Duration(i+1) * time.Millisecond)
	}
	a.record(48 * time.Hour) // beyond the histogram
	n, p50, p99, longest := a.sum()
	if n != 101 || longest != 48*time.Hour || p50.Round(time.Millisecond) != 51*time.Millisecond || p99.Round(time.Millisecond) != 100*time.Millisecond {
		t.Error(n, p50, p99, longest)
	}
	var b aways
	b.record(1234567 * time.Nanosecond)
	if _, p50, p99, longest := b.sum(); p50 > longest || p99 > longest {
		t.Error(p50, p99, longest)
	}
}
