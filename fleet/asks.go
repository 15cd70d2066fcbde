package fleet

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/nats-io/nats.go"

	"nats-roll/cluster"
)

// maxPending bounds the requests of one requester that wait for an answer.
const maxPending = 1000

// asks is the requests of a fleet: who asks, who answers, and what came of it.
// Each request has a goroutine, which ends with its answer or its time-out.
type asks struct {
	fleet      *Fleet
	requesters []*client
	responders []*client

	ctx    context.Context // until the last request is sent
	cancel context.CancelFunc
	wait   sync.WaitGroup

	mu   sync.Mutex
	sums cluster.Requests
	well time.Time               // when the newest request that was answered was sent
	hist *hdrhistogram.Histogram // microseconds, of the answered ones
}

func (a *asks) init(f *Fleet) {
	w := f.o.Workload
	a.fleet = f
	a.ctx, a.cancel = context.WithCancel(context.Background())
	a.hist = hdrhistogram.New(1, time.Minute.Microseconds(), 3)
	if w.Requesters > 0 {
		a.sums = cluster.Requests{Rate: w.Requesters * w.Asks, Timeout: w.Timeout}
	}
}

// start has every requester ask.
func (a *asks) start() {
	w := a.fleet.o.Workload
	if w.Asks <= 0 {
		return
	}
	for _, c := range a.requesters {
		a.wait.Go(func() { a.run(c, time.Second/time.Duration(w.Asks), w.Timeout) })
	}
}

// stop sends no more requests and waits for what came of those that are out.
func (a *asks) stop() {
	a.cancel()
	a.wait.Wait()
}

func (a *asks) run(c *client, pause, timeout time.Duration) {
	pending := make(chan struct{}, maxPending)
	next := time.NewTicker(pause)
	defer next.Stop()
	for {
		select {
		case <-a.ctx.Done():
			return
		case <-next.C:
		}
		select {
		case pending <- struct{}{}:
		default:
			continue // it asks no more than can be out at once
		}
		a.wait.Go(func() {
			defer func() { <-pending }()
			a.ask(c, timeout)
		})
	}
}

// ask sends one request and books what came of it.
func (a *asks) ask(c *client, timeout time.Duration) {
	began := time.Now()
	var well time.Time
	a.book(func(s *cluster.Requests) {
		s.Sent++
		well = a.well
	})
	_, err := c.nc.Load().Request(asking, []byte("ask of "+a.fleet.run), timeout)
	took := time.Since(began)
	var kind cluster.CostKind
	a.book(func(s *cluster.Requests) {
		switch {
		case err == nil:
			s.Answered++
			if began.After(a.well) {
				a.well = began
			}
			s.Max = max(s.Max, took)
			_ = a.hist.RecordValue(min(took.Microseconds(), a.hist.HighestTrackableValue()))
		case errors.Is(err, nats.ErrTimeout):
			s.TimedOut++
			kind = cluster.CostTimedOut
		case errors.Is(err, nats.ErrNoResponders):
			s.Unserved++
			kind = cluster.CostUnserved
		default:
			s.Failed++
			kind = cluster.CostFailed
		}
	})
	if kind != "" {
		a.fleet.teller.cost(cluster.Cost{At: a.fleet.breaks.cause(well, began), Client: c.facts.Name, Kind: kind, For: took})
	}
	c.touch()
}

func (a *asks) book(change func(*cluster.Requests)) {
	a.mu.Lock()
	change(&a.sums)
	a.mu.Unlock()
}

// answer is what a responder does.
func (c *client) answer(msg *nats.Msg) {
	c.mu.Lock()
	c.changes++
	c.facts.Delivered++
	c.mu.Unlock()
	_ = msg.Respond(msg.Data) // who asked finds out
}

func (a *asks) sum() cluster.Requests {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sums
	at := func(q float64) time.Duration {
		return min(time.Duration(a.hist.ValueAtQuantile(q))*time.Microsecond, s.Max)
	}
	if s.Answered > 0 {
		s.P50, s.P99 = at(50), at(99)
	}
	return s
}
