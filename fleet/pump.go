package fleet

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	tick    = time.Millisecond       // messages of one tick go together
	catchUp = 100 * time.Millisecond // what was missed for longer is not made up for
)

// pump sends what a publisher sends. The library hands it to the socket by
// itself, and keeps up to 8 MiB while it has no server.
type pump struct {
	fleet   *Fleet
	client  *client
	by      int // its place among the publishers
	subject string
	send    func(subject string, b []byte) error // in place of the client's, for tests

	published atomic.Uint64 // the last number
	refused   atomic.Uint64
	unsure    atomic.Uint64 // of the published: the write failed
	others    atomic.Uint64 // hellos and end markers
	running   atomic.Bool

	mu     sync.Mutex
	cancel context.CancelFunc
	done   chan struct{}
}

// start begins or resumes the numbered traffic, unless its rate is 0.
func (p *pump) start() {
	rate := p.fleet.o.Workload.Rate
	if rate <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	p.cancel, p.done = cancel, done
	p.running.Store(true)
	go func() {
		defer close(done)
		p.run(ctx, rate)
	}()
}

// stop ends the numbered traffic and waits for its last publish. That one may
// be stuck, up to a minute, at a server that has stopped reading.
func (p *pump) stop(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running.Store(false)
	if p.cancel == nil {
		return nil
	}
	p.cancel()
	select {
	case <-p.done:
		p.cancel = nil
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run publishes on a schedule: message n is due n/rate after the start, however
// late the ones before it were. A pause of the whole program moves the schedule
// instead of ending in a burst.
func (p *pump) run(ctx context.Context, rate int) {
	due := func(n int) time.Duration {
		return time.Duration(n/rate)*time.Second + time.Duration(n%rate)*time.Second/time.Duration(rate)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	var buf []byte
	for start, sent := time.Now(), 0; ctx.Err() == nil; {
		late := time.Since(start) - due(sent)
		switch {
		case late > catchUp:
			start = start.Add(late)
		case late < 0:
			timer.Reset(max(-late, tick))
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
			continue
		}
		buf = p.number(buf)
		sent++
	}
}

// publish hands a message to the library.
func (p *pump) publish(subject string, b []byte) error {
	if p.send != nil {
		return p.send(subject, b)
	}
	return p.client.nc.Load().Publish(subject, b)
}

// number publishes the next number. It counts before it is sent, so that nobody
// has received what is not published.
func (p *pump) number(buf []byte) []byte {
	f := p.fleet
	m := message{kind: number, seq: p.published.Add(1), by: p.by, sent: f.now()}
	buf = fill(m.appendTo(buf[:0], f.run), f.o.Workload.Payload)
	switch err := p.publish(p.subject, buf); {
	case err == nil:
	case !refused(err):
		p.unsure.Add(1)
	default:
		p.refused.Add(1)
		f.mu.Lock()
		if !f.settled { // or else the ledgers have it as lost already
			p.published.Add(^uint64(0))
		}
		f.mu.Unlock()
	}
	return buf
}

// refused says that the library did not take a message. A write error is not
// that: the message was in its buffer, and may have left with what was written.
func refused(err error) bool {
	for _, r := range []error{
		nats.ErrReconnectBufExceeded, nats.ErrConnectionClosed, nats.ErrConnectionDraining,
		nats.ErrMaxPayload, nats.ErrBadSubject,
	} {
		if errors.Is(err, r) {
			return true
		}
	}
	return false
}

// repeat sends messages of one kind, less and less often, until the gate opens.
func (p *pump) repeat(ctx context.Context, k kind, g *gate) error {
	f := p.fleet
	for n, wait := uint64(1), 5*time.Millisecond; ; n, wait = n+1, min(wait*2, 250*time.Millisecond) {
		m := message{kind: k, seq: n, by: p.by, sent: f.now()}
		switch err := p.publish(control, m.appendTo(nil, f.run)); {
		case errors.Is(err, nats.ErrConnectionClosed):
			return errors.New(p.client.facts.Name + " is closed for good")
		case err == nil:
			p.others.Add(1)
		}
		select {
		case <-g.open:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}
