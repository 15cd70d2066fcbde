package cli

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// writerGrace is how long a reader may still take after a signal before it is
// left behind with what it has not read.
const writerGrace = 2 * time.Second

// writer stands between the rehearsal and whoever reads its output or its event
// log: it never keeps the rehearsal waiting, however slow the reader is. One
// goroutine passes on what is written; it ends with Close, or, when the reader
// has stopped, with the program.
type writer struct {
	name string
	to   io.Writer
	lost func(error) // called once, when nobody reads any more; may be nil

	mu     sync.Mutex
	wait   []byte
	err    error
	closed bool
	wake   chan struct{}
	done   chan struct{}
}

func newWriter(name string, to io.Writer, lost func(error)) *writer {
	w := &writer{name: name, to: to, lost: lost, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go w.run()
	return w
}

type outputError struct {
	name string
	err  error
}

func (e *outputError) Error() string { return fmt.Sprintf("write to %s: %v", e.name, e.err) }
func (e *outputError) Unwrap() error { return e.err }

// Write takes what is to be written. Its error is that of an earlier write.
func (w *writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	w.wait = append(w.wait, p...)
	w.kick()
	return len(p), nil
}

func (w *writer) kick() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *writer) run() {
	defer close(w.done)
	for range w.wake {
		w.mu.Lock()
		next, closed := w.wait, w.closed
		w.wait = nil
		w.mu.Unlock()
		if len(next) > 0 {
			if _, err := w.to.Write(next); err != nil {
				w.fail(err)
				return
			}
		}
		if closed {
			return
		}
	}
}

func (w *writer) fail(err error) {
	e := &outputError{w.name, err}
	w.mu.Lock()
	w.err, w.wait = e, nil
	w.mu.Unlock()
	if w.lost != nil {
		w.lost(e)
	}
}

// Close waits until everything is read; once the context has ended, no longer
// than the grace.
func (w *writer) Close(ctx context.Context) error {
	w.mu.Lock()
	w.closed = true
	w.kick()
	w.mu.Unlock()
	select {
	case <-w.done:
	case <-ctx.Done():
		select {
		case <-w.done:
		case <-time.After(writerGrace):
			return &outputError{w.name, fmt.Errorf("nobody has read on for %s", writerGrace)}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
