package fleet

import (
	"maps"
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

	mu    sync.Mutex
	costs []cluster.Cost // not told yet

	// Of the goroutine.
	quiet gossip   // of those that only listen
	busy  gossip   // of those that write
	told  []uint64 // changes of each client as last told
	last  cluster.FleetChanged
}

func (t *teller) init(f *Fleet) {
	t.fleet, t.kick, t.quit = f, make(chan struct{}, 1), make(chan struct{})
	for _, c := range f.all {
		g := &t.quiet
		if c.hears == nil {
			g = &t.busy
		}
		g.clients, g.quit = append(g.clients, c), t.quit
	}
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

// cost has something told that went wrong.
func (t *teller) cost(c cluster.Cost) {
	t.mu.Lock()
	t.costs = append(t.costs, c)
	t.mu.Unlock()
	t.news()
}

func (t *teller) takeCosts() []cluster.Cost {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.costs
	t.costs = nil
	return out
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
		if e := t.snapshot(at); asked || len(e.Changed)+len(e.Costs) > 0 || e.Totals != t.last.Totals || !slices.Equal(e.Series, t.last.Series) || !slices.Equal(e.Groups, t.last.Groups) {
			t.last = e
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
	t.quiet.refresh(timeUp)
	t.busy.refresh(timeUp)
	f.mu.Lock()
	defer f.mu.Unlock()
	e := cluster.FleetChanged{At: at}
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
		c.mu.Unlock()
	}
	return t.summed(e)
}

// summed adds what is not of one client. Published is read after the ledgers:
// nobody has received what is not published.
func (t *teller) summed(e cluster.FleetChanged) cluster.FleetChanged {
	f, s := t.fleet, &e.Totals
	e.Series = make([]cluster.Series, len(f.pumps))
	for _, l := range f.listeners {
		sum := l.tally(e.Series)
		s.Tally = s.Add(sum)
		if l == f.queue {
			e.Groups = append(e.Groups, cluster.QueueGroup{Name: group, Members: f.o.Workload.Queue, Tally: sum})
		}
	}
	s.Settled = f.settled
	s.Listeners = len(f.listeners)
	s.Reconnects, s.AwayP50, s.AwayP99, s.AwayMax = f.away.sum()
	s.Requests = f.asks.sum()
	s.Stored, e.Streams, e.Asked = f.stored.sum()
	e.Costs = t.takeCosts()
	for i, p := range f.pumps {
		st := &e.Series[i]
		st.Publisher = p.client.facts.Name
		st.Published, st.Refused, st.Unsure = p.published.Load(), p.refused.Load(), p.unsure.Load()
		s.Published, s.Refused, s.Unsure = s.Published+st.Published, s.Refused+st.Refused, s.Unsure+st.Unsure
		s.Publishing = s.Publishing || p.running.Load()
		s.Rate += f.o.Workload.Rate
	}
	s.Expected = s.Published * uint64(s.Listeners)
	if s.Publishing {
		for _, l := range f.listeners {
			if !l.reached() {
				s.Behind++
			}
		}
	}
	return e
}

// seen is what is told of a client. Its lock is held. The slices are never
// changed afterwards, only replaced or appended to.
func (c *client) seen() cluster.Client {
	told := c.facts
	told.Known, told.Trail, told.Heard = c.known, slices.Clip(told.Trail), maps.Clone(c.heard)
	if c.hears != nil && c.hears != c.fleet.queue { // what is lost, nobody of a group has lost alone
		t := c.hears.sum()
		told.Received, told.Lost, told.Duplicated, told.Reordered = t.Received, t.Lost, t.Duplicated, t.Reordered
	}
	return told
}
