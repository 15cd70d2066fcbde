package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"nats-roll/cluster"
)

// Fill brings a server of the asked version into dir, an empty directory on the
// store's own file system, and returns its file there.
type Fill func(ctx context.Context, dir string) (file string, err error)

// Fetch has a version brought into the store, and returns it from there. When
// another program is bringing the same one it waits for that one's result.
// What Fill brings is kept only if it says itself that it is this version.
func (s *Store) Fetch(ctx context.Context, v cluster.Version, source string, p Progress, fill Fill) (cluster.Build, error) {
	unlock, err := s.lock(ctx, v, p)
	if err != nil {
		return cluster.Build{}, err
	}
	defer unlock()
	if e, err := s.mend(ctx, v, p); !errors.Is(err, ErrAbsent) {
		return e.Build, err
	}

	// A program that was killed while it fetched has left its directory.
	left, _ := filepath.Glob(filepath.Join(s.entry(v), ".fetch-*"))
	for _, dir := range left {
		_ = os.RemoveAll(dir)
	}
	dir, err := os.MkdirTemp(s.entry(v), ".fetch-")
	if err != nil {
		return cluster.Build{}, s.failed(v, "write", err)
	}
	defer func() {
		_ = os.RemoveAll(dir)
		s.prune(v)
	}()

	b, err := bring(ctx, v, dir, p, fill)
	if err != nil {
		return cluster.Build{}, endedOr(ctx, err, v, source)
	}
	b.Source = source
	e := built(Entry{Build: b, Fetched: time.Now().UTC().Truncate(time.Second)})
	if err := s.keep(e, b.Path, dir); err != nil {
		return cluster.Build{}, s.failed(v, "write", err)
	}
	b.Path = s.file(v)
	return b, nil
}

// bring has Fill do its part and asks what came for its version.
func bring(ctx context.Context, v cluster.Version, dir string, p Progress, fill Fill) (cluster.Build, error) {
	file, err := fill(ctx, dir)
	if err != nil {
		return cluster.Build{}, err
	}
	p.say("checking nats-server %s", v)
	b, err := Identify(ctx, file)
	if e, ok := errors.AsType[*Error](err); ok { // of a file that is about to go
		return cluster.Build{}, &Error{Reason: "what came " + e.Reason, Hint: giveFile, Err: e.Err}
	}
	if err == nil && b.Version != v {
		err = &Error{Reason: fmt.Sprintf("what came says that it is %s", b.Version), Hint: giveFile, Err: ErrNotServer}
	}
	return b, err
}

// keep moves the file into its place, and then its record. Either is on the
// disk before it has its name. What else was fetched is removed before that: from
// the record on the entry is complete, and nobody would look for leftovers.
func (s *Store) keep(e Entry, file, dir string) error {
	e.Path = "" // a store may be moved
	raw, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	record := filepath.Join(dir, program+".json")
	if err := os.WriteFile(record, append(raw, '\n'), 0o644); err != nil {
		return err
	}
	if err := os.Chmod(file, 0o755); err != nil {
		return err
	}
	if err := errors.Join(syncFile(file), syncFile(record)); err != nil {
		return err
	}
	if err := os.Rename(file, s.file(e.Version)); err != nil {
		return err
	}
	next := s.record(e.Version) + ".next"
	if err := os.Rename(record, next); err != nil {
		return err
	}
	_ = os.RemoveAll(dir)
	if err := os.Rename(next, s.record(e.Version)); err != nil {
		return err
	}
	// Not every system can; then the entry is lost with the power, not damaged.
	_ = syncFile(s.entry(e.Version))
	return nil
}

// mend is Check by the holder of the lock, who also sets a damaged entry aside;
// the version is then absent, and the error says why.
func (s *Store) mend(ctx context.Context, v cluster.Version, p Progress) (Entry, error) {
	e, err := s.Check(ctx, v)
	if !errors.Is(err, ErrChecksum) {
		return e, err
	}
	aside := s.file(v) + ".damaged"
	if err := os.Rename(s.file(v), aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Entry{}, s.failed(v, "set aside", err)
	}
	if err := os.Rename(s.record(v), s.record(v)+".damaged"); err != nil {
		return Entry{}, s.failed(v, "set aside", err)
	}
	p.say("%v; set aside as %s", err, filepath.Base(aside))
	absent := *named(err, v, s.Name())
	absent.Err = ErrAbsent
	return Entry{}, &absent
}

// lock waits until this version is ours to change, and makes its directory.
func (s *Store) lock(ctx context.Context, v cluster.Version, p Progress) (unlock func(), err error) {
	locks := filepath.Join(s.dir, ".locks")
	if err := os.MkdirAll(locks, 0o755); err != nil {
		return nil, s.failed(v, "write", err)
	}
	l := flock.New(filepath.Join(locks, string(v)+"-"+platform("-")))
	ours, err := l.TryLock()
	if err == nil && !ours {
		p.say("waiting: another nats-roll is fetching nats-server %s", v)
		_, err = l.TryLockContext(ctx, 50*time.Millisecond)
	}
	if ctx.Err() != nil {
		_ = l.Close()
		return nil, context.Cause(ctx)
	}
	if err == nil {
		err = os.MkdirAll(s.entry(v), 0o755)
	}
	if err != nil {
		_ = l.Close()
		return nil, s.failed(v, "lock", err)
	}
	return func() { _ = l.Close() }, nil
}

func syncFile(path string) error {
	// Windows flushes only what is open for writing.
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		if f, err = os.Open(path); err != nil { // a directory
			return err
		}
	}
	return errors.Join(f.Sync(), f.Close())
}
