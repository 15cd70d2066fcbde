package proc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nats-roll/cluster"
)

// program is the name of the file in a slot and the argv[0] of its process.
const program = "nats-server"

// Slot is a node's own folder: its nats-server file, its log, and a record of
// the process that was started there.
type Slot struct {
	Node string
	Dir  string

	identify Identify
	sink     cluster.Sink

	refused time.Time // when somebody at its door was last found to be no guest; the watch's own

	// Of the file beside the binary; taken before mu. A copy takes its time, and
	// neither the start of what is installed nor a look at it waits for one.
	beside   sync.Mutex
	stagings int
	staged   cluster.Build // what lies there, ready to be renamed
	stamp    os.FileInfo   // of that file, when it was staged
	kept     cluster.Build // what Install replaced last
	keptAt   os.FileInfo   // of that file, when it was replaced

	mu        sync.Mutex
	installed cluster.Build
	spoilt    string      // why what lies there is no server
	seen      os.FileInfo // of the binary, when it was last looked at
}

// Identify finds out what a file is; its error says why it is no server.
type Identify func(ctx context.Context, path string) (cluster.Build, error)

// Binary is the file that the node's server is started from.
func (s *Slot) Binary() string { return filepath.Join(s.Dir, program+exe) }

// Log is the file that every process of the slot writes to.
func (s *Slot) Log() string { return filepath.Join(s.Dir, "server.log") }

func (s *Slot) record() string     { return filepath.Join(s.Dir, "process.json") }
func (s *Slot) nextRecord() string { return s.record() + ".next" }
func (s *Slot) next() string       { return filepath.Join(s.Dir, program+".next"+exe) }
func (s *Slot) previous() string   { return filepath.Join(s.Dir, program+".previous"+exe) }

// Staged is the file that Stage leaves beside the binary.
func (s *Slot) Staged() string { return s.next() }

// Stagings counts how often something was staged here or installed: while it stays the
// same, so does what lies there, as far as it is up to the slot.
func (s *Slot) Stagings() int {
	s.beside.Lock()
	defer s.beside.Unlock()
	return s.stagings
}

// Installed is the build in the slot, if Install put one there.
func (s *Slot) Installed() (cluster.Build, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.installed, !s.installed.Zero()
}

// Stage brings the build beside the slot's binary, flushed to disk and checked
// against its SHA-256, so that Install only has to rename it. Staging what is
// staged already costs nothing, and what Install replaced last is not copied
// again: the way back needs no room on the disk, and not the file that the build
// once came from. Its error is a *StageError.
func (s *Slot) Stage(ctx context.Context, b cluster.Build) error {
	s.beside.Lock()
	defer s.beside.Unlock()
	return s.stage(ctx, b, true)
}

func (s *Slot) stage(ctx context.Context, b cluster.Build, flush bool) error {
	if now, err := os.Stat(s.next()); s.staged == b && !b.Zero() && err == nil && unchanged(s.stamp, now) {
		return nil
	}
	s.staged = cluster.Build{}
	s.stagings++
	stamp, err := s.bring(ctx, b, flush)
	if err != nil {
		return &StageError{Node: s.Node, Build: b, Err: err}
	}
	s.staged, s.stamp = b, stamp
	return nil
}

// bring puts the build beside the binary.
func (s *Slot) bring(ctx context.Context, b cluster.Build, flush bool) (os.FileInfo, error) {
	// Never into a file that is there: it can be the kept one by another name.
	if err := os.Remove(s.next()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if !s.take(ctx, b, s.previous(), s.kept, s.keptAt) {
		err := copyBuild(ctx, b, s.next(), flush)
		// The way back of a node that was not touched leads to what is there.
		if there, seen := s.there(); err != nil && !s.take(ctx, b, s.Binary(), there, seen) {
			return nil, explainFull(err, b, s.Dir)
		}
	}
	return os.Stat(s.next())
}

// there is what lies in the slot, as far as it is a server.
func (s *Slot) there() (cluster.Build, os.FileInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spoilt != "" {
		return cluster.Build{}, s.seen
	}
	return s.installed, s.seen
}

// take gives a file of the slot a second name beside the binary, if it is this
// build, and still what it was when it was seen.
func (s *Slot) take(ctx context.Context, b cluster.Build, file string, is cluster.Build, seen os.FileInfo) bool {
	if !is.Same(b) {
		return false
	}
	now, err := os.Stat(file)
	if err != nil || !unchanged(seen, now) || sumOf(ctx, file) != b.SHA256 {
		return false
	}
	return os.Link(file, s.next()) == nil
}

// keep gives the binary that is about to be replaced by b a second name. Where
// the file system has no links nothing is kept.
func (s *Slot) keep(b cluster.Build) {
	now, err := os.Stat(s.Binary())
	there, seen := s.there()
	if err != nil || there.SHA256 == "" || there.Same(b) || !unchanged(seen, now) {
		return // what was kept before is worth more
	}
	s.kept = cluster.Build{}
	_ = os.Remove(s.previous())
	if os.Link(s.Binary(), s.previous()) == nil {
		s.kept, s.keptAt = there, now
	}
}

// Install renames the build over the slot's binary and tells
// cluster.Installed. The old file is never written to: a process that runs from
// it keeps it (and writing to it would fail with "text file busy"). What fills an
// empty slot is not flushed to disk: a power cut ends the rehearsal with it.
func (s *Slot) Install(ctx context.Context, b cluster.Build) error {
	s.beside.Lock()
	defer s.beside.Unlock()
	_, err := os.Lstat(s.Binary())
	replaces := err == nil
	if err := s.stage(ctx, b, replaces); err != nil {
		return err
	}
	s.staged = cluster.Build{}
	s.stagings++
	s.keep(b)
	if err := s.swap(ctx, b); err != nil {
		return fmt.Errorf("replace the binary of %s: %w", s.Node, err)
	}
	if !replaces {
		return nil
	}
	return syncDir(s.Dir)
}

// swap puts what is staged in the binary's place.
func (s *Slot) swap(ctx context.Context, b cluster.Build) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.Rename(s.next(), s.Binary()); err != nil {
		return err
	}
	_ = os.Remove(s.next()) // a second name of what was there already is not renamed (rename(2))
	seen, err := os.Stat(s.Binary())
	if err != nil {
		return err
	}
	spoilt := ""
	if b.Version == "" && s.identify != nil { // nobody says that it is a server
		if _, err := s.identify(ctx, s.Binary()); err != nil {
			spoilt = err.Error()
		}
	}
	s.holds(b, spoilt, seen)
	return nil
}

// Look notices what somebody else did to the slot's binary since Install, or
// since the last look, and tells it as cluster.Installed. A file of the same
// size, time and place is taken to be the same.
func (s *Slot) Look(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		return // nothing was installed yet
	}
	now, err := os.Stat(s.Binary())
	switch {
	case err != nil && s.installed.Zero(), err == nil && unchanged(s.seen, now):
		return
	case err != nil:
		s.holds(cluster.Build{}, "", s.seen)
		return
	}
	b, err := s.identify(ctx, s.Binary())
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.holds(cluster.Build{Path: s.Binary(), Size: now.Size(), SHA256: sumOf(ctx, s.Binary())}, err.Error(), now)
	default:
		s.holds(b, "", now)
	}
}

func unchanged(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && a.Mode() == b.Mode()
}

// holds notes and tells what lies in the slot. It is called with s.mu held, so
// that what is told last is what lies there.
func (s *Slot) holds(b cluster.Build, spoilt string, seen os.FileInfo) {
	s.installed, s.spoilt, s.seen = b, spoilt, seen
	if s.sink != nil {
		s.sink(cluster.Installed{Node: s.Node, Build: b, Reason: spoilt})
	}
}

// sumOf is the SHA-256 of a file, or empty.
func sumOf(ctx context.Context, path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, &reader{ctx, f}); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// copyBuild copies, and hashes the copy while that goes to disk, if it is to be
// flushed.
func copyBuild(ctx context.Context, b cluster.Build, to string, flush bool) (err error) {
	src, err := os.Open(b.Path)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_RDWR|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := dst.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			_ = os.Remove(to)
		}
	}()
	if err := copyFile(ctx, dst, src); err != nil {
		return err
	}
	var g errgroup.Group
	if flush {
		g.Go(dst.Sync)
	}
	g.Go(func() error {
		sum := sha256.New()
		if _, err := io.CopyBuffer(sum, &reader{ctx, io.NewSectionReader(dst, 0, math.MaxInt64)}, make([]byte, 128<<10)); err != nil {
			return err
		}
		if got := hex.EncodeToString(sum.Sum(nil)); b.SHA256 != "" && got != b.SHA256 {
			return fmt.Errorf("%s changed since it was looked at: sha256 is %.12s…, was %.12s…", b.Path, got, b.SHA256)
		}
		return nil
	})
	return g.Wait()
}

// copyAtOnce is how much is copied between two looks at the context.
const copyAtOnce = 8 << 20

// copyFile leaves the copying to the system, as far as it can do that by itself.
func copyFile(ctx context.Context, dst, src *os.File) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch _, err := io.CopyN(dst, src, copyAtOnce); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return plain(err)
		}
	}
}

// plain leaves out which system call a file's error came from.
func plain(err error) error {
	path, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return err
	}
	if call, ok := errors.AsType[*os.SyscallError](path.Err); ok {
		return &fs.PathError{Op: path.Op, Path: path.Path, Err: call.Err}
	}
	return err
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// syncDir makes a rename last. Windows cannot open a folder for that.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
