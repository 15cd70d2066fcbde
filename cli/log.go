package cli

import (
	"context"
	"errors"
	"os"
	"syscall"

	"nats-roll/rehearsal"
)

// eventLog is the file that a rehearsal's events go into.
type eventLog struct {
	journal *rehearsal.Journal
	out     *writer
	file    *os.File
}

// openLog begins an event log. A pipe that nobody reads is refused, instead of
// waited for.
func openLog(path string, h rehearsal.Header) (*eventLog, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|syscall.O_NONBLOCK, 0o644)
	if err != nil {
		return nil, err
	}
	out := newWriter("the event log", f, nil)
	return &eventLog{journal: rehearsal.NewJournal(out, h), out: out, file: f}, nil
}

// close writes what is left to write.
func (l *eventLog) close(ctx context.Context) error {
	journal := l.journal.Close()
	written := l.out.Close(ctx)
	if journal != nil && written == nil { // else it is the same
		written = journal
	}
	return errors.Join(written, l.file.Close())
}
