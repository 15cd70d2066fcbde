package fleet

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"nats-roll/cluster"
)

const (
	counting   = 250 * time.Millisecond // between looks at the counters while they run
	resting    = time.Second            // and while they do not
	coalescing = 10 * time.Millisecond  // between snapshots while connections change
)

// teller takes snapshots and tells them: at once when a connection changes or
// somebody asks, four times a second while counters run, and nothing when
// nothing happened.
//
// A snapshot reads everything after the moment that it is dated by; for the one
// exception, what the library cannot be asked for just then, see gossip. It costs
// about a microsecond for each client, so after one it rests for four times as
// long as it took, at most until the next look at the counters: with ten
// thousand clients on the move the news come a little later.
type teller struct {
	fleet *Fleet
	kick  chan struct{}
	look  atomic.Bool // tell even if nothing changed
	quit  chan struct{}
	wait  sync.WaitGroup

	// Of the goroutine.
	subs   gossip
	pub    gossip
	told   []uint64 // changes of each client as last told
	totals cluster.Totals
}

func (t *teller) init(f *Fleet) {
	t.fleet, t.kick, t.quit = f, make(chan struct{}, 1), make(chan struct{})
	t.subs.clients, t.subs.quit = f.subs, t.quit
	t.pub.clients, t.pub.quit = []*client{f.pub}, t.quit
}

func (t *teller) start() { t.wait.Go(t.run) }

func (t *teller) stop() {
	close(t.quit)
	t.wait.Wait()
}

// news says that something worth telling happened.
func (t *teller) news() {
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

func (t *teller) lookNow() {
	t.look.Store(true)
	t.news()
}

func (t *teller) run() {
	next := time.NewTimer(counting)
	defer next.Stop()
	for {
		select {
		case <-t.quit:
			return
		case <-t.kick:
		case <-next.C:
		}
		asked := t.look.Swap(false)
		at := time.Now()
		pause := cluster.Beat(at, resting)
		if e := t.snapshot(at); asked || len(e.Changed) > 0 || e.Totals != t.totals {
			t.totals = e.Totals
			t.fleet.o.Sink(e)
			pause = cluster.Beat(at, counting)
		}
		next.Reset(pause)
		select {
		case <-t.quit:
			return
		case <-time.After(min(max(coalescing, 4*time.Since(at)), counting)):
		}
	}
}

// snapshot reads every fact and keeps the clients about which something changed
// since they were last told. While the fleet is connecting it stops at the first
// client that is not there yet, because clients are told in the order of IDs.
func (t *teller) snapshot(at time.Time) cluster.FleetChanged {
	f := t.fleet
	timeUp := time.After(hearing)
	t.subs.refresh(timeUp)
	t.pub.refresh(timeUp)
	f.mu.Lock()
	defer f.mu.Unlock()
	e := cluster.FleetChanged{At: at}
	s := &e.Totals
	s.Publishing = f.pump.running.Load()
	for id, c := range f.all {
		select {
		case <-c.ready:
		default:
			if id >= len(t.told) {
				return t.summed(e)
			}
		}
		c.mu.Lock()
		if id == len(t.told) {
			t.told = append(t.told, 0)
		}
		if t.told[id] != c.changes {
			t.told[id] = c.changes
			e.Changed = append(e.Changed, c.seen())
		}
		if l := &c.ledger; !c.facts.Publish {
			s.Received += l.received
			s.Lost += l.lost
			s.Duplicated += l.duplicated
			s.Reordered += l.reordered
			if s.Publishing && !c.reached && c.facts.Status != cluster.ClientClosed {
				s.Behind++
			}
		}
		c.mu.Unlock()
	}
	return t.summed(e)
}

// summed adds what is not of one client. Published is read after the ledgers:
// nobody has received what is not published.
func (t *teller) summed(e cluster.FleetChanged) cluster.FleetChanged {
	f, s := t.fleet, &e.Totals
	s.Settled = f.settled
	s.Rate = f.o.Workload.Rate
	s.Published, s.Refused = f.pump.published.Load(), f.pump.refused.Load()
	s.Expected = s.Published * uint64(len(f.subs))
	s.Reconnects, s.AwayP50, s.AwayP99, s.AwayMax = f.away.sum()
	return e
}

// seen is what is told of a client. Its lock is held. The slices are never
// changed afterwards, only replaced or appended to.
func (c *client) seen() cluster.Client {
	told := c.facts
	told.Known, told.Trail = c.known, slices.Clip(told.Trail)
	told.Received, told.Lost = c.ledger.received, c.ledger.lost
	told.Duplicated, told.Reordered = c.ledger.duplicated, c.ledger.reordered
	return told
}
