// Package rehearsal is one running lab: events go in, State and the event log
// come out, and a person's intents are passed on. Every screen, report and
// verdict is a view of the State, which is a fold over the events.
//
// One goroutine per Lab numbers events, folds them, and calls the watchers; it
// ends with Close. What a key sets off runs in goroutines of their own, which
// Close waits for.
package rehearsal

import (
	"context"
	"sync"
	"time"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// Record is an event with its number and time.
type Record struct {
	Seq   uint64
	At    time.Time
	Event cluster.Event
}

// Watcher sees every event, in order, with the state after it. It runs on the
// folding goroutine: what it takes long for makes states late, but no producer
// waits for it.
type Watcher func(Record, State)

// Lab folds events into State.
type Lab struct {
	watchers []Watcher
	intents  chan upgrade.Intent

	mu      sync.Mutex
	queue   []Record // stamped, not yet folded
	wake    chan struct{}
	closed  bool
	state   State
	changed chan struct{}

	folding sync.WaitGroup
	keys    sync.WaitGroup
}

// New begins a lab. The watchers see its events from the first one on.
func New(watchers ...Watcher) *Lab {
	l := &Lab{
		watchers: watchers,
		intents:  make(chan upgrade.Intent, 8),
		wake:     make(chan struct{}, 1),
		changed:  make(chan struct{}),
	}
	l.folding.Go(l.fold)
	return l
}

// Emit takes an event. It is a cluster.Sink: safe from any goroutine, it never
// waits for a reader. After Close it does nothing.
func (l *Lab) Emit(e cluster.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.queue = append(l.queue, Record{At: time.Now(), Event: e})
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *Lab) fold() {
	for range l.wake {
		l.mu.Lock()
		batch, state := l.queue, l.state
		l.queue = nil
		l.mu.Unlock()
		for _, r := range batch {
			state = state.Apply(r.At, r.Event)
			r.Seq = state.Seq
			for _, w := range l.watchers {
				w(r, state)
			}
		}
		l.mu.Lock()
		l.state = state
		close(l.changed)
		l.changed = make(chan struct{})
		l.mu.Unlock()
	}
}

// State returns the newest state, and a channel that is closed when there is a
// newer one.
func (l *Lab) State() (State, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state, l.changed
}

// Observe makes the lab an upgrade.World.
func (l *Lab) Observe() (cluster.Observation, <-chan struct{}) {
	s, changed := l.State()
	return s.World, changed
}

// Intents is what a person says to the plan; see Say.
func (l *Lab) Intents() <-chan upgrade.Intent { return l.intents }

// Say passes an intent to the runner. It does not wait; one that nobody takes
// in time is dropped, as a key that is pressed too often.
func (l *Lab) Say(in upgrade.Intent) {
	select {
	case l.intents <- in:
	default:
	}
}

// Type does what a person asked for with a key, outside the plan, and notes
// what goes wrong. It does not wait.
func (l *Lab) Type(ctx context.Context, a upgrade.Action, d upgrade.Driver) {
	s, _ := l.State()
	l.keys.Go(func() {
		if err := upgrade.Carry(ctx, a, d, s.World, upgrade.Doing{By: upgrade.DoerKey}, l.Emit); err != nil && ctx.Err() == nil {
			l.Emit(Note{Text: err.Error()})
		}
		d.Look()
	})
}

// Close waits for what keys set off, folds what was emitted, and ends the
// folding goroutine. The last state stays to be read.
func (l *Lab) Close() {
	l.keys.Wait()
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.wake) // what was sent before is still received
	}
	l.mu.Unlock()
	l.folding.Wait()
}
