package monitor

import (
	"context"
	"errors"
	"sync"
	"time"

	"nats-roll/cluster"
)

// post watches one node. Its goroutine owns the life it is looking at; turns and
// kicks come from outside.
type post struct {
	node cluster.Node
	ask  asker
	sink cluster.Sink

	// kick holds at most one request to ask now. One that comes while a round
	// is under way stays until that round is over, so that it always brings
	// about a round that began after it.
	kick chan struct{}

	mu    sync.Mutex
	up    bool
	ldm   bool               // this process is in lame duck mode
	life  int                // counts the processes, and their ends
	since time.Time          // when this one was started
	stop  context.CancelFunc // ends the round under way, if any
}

// turn says that a process began or ended here. It ends the round under way:
// whatever comes of it is about another process.
func (p *post) turn(up bool) {
	p.mu.Lock()
	p.up, p.ldm, p.since = up, false, time.Now()
	p.life++
	if p.stop != nil {
		p.stop()
	}
	p.mu.Unlock()
	p.quicken()
}

// drain says that this process has entered lame duck mode.
func (p *post) drain() {
	p.mu.Lock()
	p.ldm = true
	p.mu.Unlock()
	p.quicken()
}

// atMost shortens a wait in lame duck mode.
func (p *post) atMost(wait time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ldm {
		return min(wait, tense)
	}
	return wait
}

func (p *post) quicken() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// life is what is remembered of one process between rounds.
type life struct {
	number   int
	since    time.Time
	pace     pace
	last     cluster.Answer
	healthAt time.Time // when /healthz was last asked
	streamAt time.Time // when /jsz was
	well     bool      // it was healthy once
	failing  bool      // the last round brought no answer
	told     time.Time // when that was last told
}

// recheck is how long a bad /healthz is taken for the truth.
func (l *life) recheck() time.Duration {
	if l.well {
		return ill
	}
	return unwell
}

func (p *post) run(ctx context.Context) {
	var l life
	timer := time.NewTimer(0)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.kick:
			l.pace.quick()
		case <-timer.C:
		}
		asking, number, since, up := p.begin(ctx)
		if !up {
			timer.Stop()
			continue
		}
		if number != l.number {
			l = life{number: number, since: since}
		}
		began := time.Now()
		health := l.last.Healthy || began.Sub(l.healthAt) >= l.recheck()
		streams := began.Sub(l.streamAt) >= leisure
		answer, err := p.ask(asking, p.node, round{health: health, jetStream: streams, before: l.last})
		if !p.end(number) {
			continue // another turn came, and its kick waits
		}
		if answer.JetStream.Asked.IsZero() { // it was not asked, or did not answer in time
			answer.JetStream = l.last.JetStream
		} else {
			l.streamAt = began
		}
		timer.Reset(p.atMost(p.tell(&l, began, answer, err, health)))
	}
}

// begin opens a round of the current life.
func (p *post) begin(ctx context.Context) (asking context.Context, number int, since time.Time, up bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.up {
		ctx, p.stop = context.WithCancel(ctx)
	}
	return ctx, p.life, p.since, p.up
}

// end closes the round and says whether the life it asked about goes on.
func (p *post) end(number int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
	p.stop = nil
	return p.life == number
}

// tell emits what a round brought and returns how long to wait for the next.
func (p *post) tell(l *life, began time.Time, a cluster.Answer, err error, health bool) time.Duration {
	switch {
	case errors.Is(err, context.Canceled):
		return knock // the watch ends
	case err != nil:
		return p.silence(l, began, err)
	}
	if health {
		l.healthAt, l.well = began, l.well || a.Healthy
	} else {
		// A failing /healthz makes the server write a warning each time, so a
		// bad one is good for a while; a good one never is.
		a.Healthy, a.Health = l.last.Healthy, l.last.Health
	}
	changed := l.failing || !same(l.last, a)
	l.last, l.failing = a, false
	p.sink(cluster.Answered{Answer: a})
	return l.pace.next(changed)
}

// silence deals with a round that brought no answer. A process that was just
// started listens after some milliseconds; its refusals are not worth telling.
func (p *post) silence(l *life, began time.Time, err error) time.Duration {
	now := time.Now()
	first := !l.failing
	l.failing = true
	if fresh := !l.last.Known(); fresh {
		if now.Sub(l.since) >= grace && now.Sub(l.told) >= remind {
			p.unanswered(l, began, now, err)
		}
		if now.Sub(l.since) < patient {
			return knock
		}
	} else if first || now.Sub(l.told) >= remind {
		p.unanswered(l, began, now, err)
	}
	return l.pace.next(first)
}

func (p *post) unanswered(l *life, began, now time.Time, err error) {
	l.told = now
	p.sink(cluster.Unanswered{Node: p.node.Name, Began: began, Reason: reason(err)})
}

// reason is the error without the node, which the event names.
func reason(err error) string {
	if inner := errors.Unwrap(err); inner != nil {
		return inner.Error()
	}
	return err.Error()
}
