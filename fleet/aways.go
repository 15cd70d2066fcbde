package fleet

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// aways gathers how long clients were without a server, each time one got back.
type aways struct {
	mu      sync.Mutex
	hist    *hdrhistogram.Histogram // microseconds, up to a day, to three digits
	longest time.Duration
	counted int
	p50     time.Duration // as of counted
	p99     time.Duration
}

func (a *aways) record(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.hist == nil {
		a.hist = hdrhistogram.New(1, (24 * time.Hour).Microseconds(), 3)
	}
	_ = a.hist.RecordValue(min(d.Microseconds(), a.hist.HighestTrackableValue()))
	a.longest = max(a.longest, d)
}

// sum returns the number of times and their quantiles. A quantile is never
// above the longest time, which is exact.
func (a *aways) sum() (count int, p50, p99, longest time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.hist == nil {
		return 0, 0, 0, 0
	}
	if n := int(a.hist.TotalCount()); n != a.counted {
		at := func(q float64) time.Duration {
			return min(time.Duration(a.hist.ValueAtQuantile(q))*time.Microsecond, a.longest)
		}
		a.counted, a.p50, a.p99 = n, at(50), at(99)
	}
	return a.counted, a.p50, a.p99, a.longest
}
