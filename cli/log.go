package cli

import (
	"context"
	"errors"
	"os"
	"syscall"

	"nats-roll/rehearsal"
)

// eventLog is what a rehearsal's events are written to.
type eventLog struct {
	journal *rehearsal.Journal
	out     *writer
	file    *os.File
}

// openLog begins an event log in a file; name is what errors call it. A pipe that
// nobody reads is refused, instead of waited for.
func openLog(name, path string, mode os.FileMode, h rehearsal.Header) (*eventLog, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|syscall.O_NONBLOCK, mode)
	if err != nil {
		return nil, err
	}
	out := newWriter(name, f, nil)
	return &eventLog{journal: rehearsal.NewJournal(out, h), out: out, file: f}, nil
}

// close writes what is left to write. Once the context has ended, that is not
// waited for any longer than the grace.
func (l *eventLog) close(ctx context.Context) error {
	err := l.journal.Close()
	if written := l.out.Close(ctx); written != nil {
		err = written // the journal has no more than that to say
	}
	return errors.Join(err, l.file.Close())
}
