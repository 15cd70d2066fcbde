package proc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"nats-roll/cluster"
)

// program is the name of the file in a slot and the argv[0] of its process.
const program = "nats-server"

// Slot is a node's own folder: its nats-server file, its log, and a record of
// the process that was started there.
type Slot struct {
	Node string
	Dir  string

	mu        sync.Mutex
	installed cluster.Build
	staged    cluster.Build // what lies beside the binary, ready to be renamed
}

// Binary is the file that the node's server is started from.
func (s *Slot) Binary() string { return filepath.Join(s.Dir, program+exe) }

// Log is the file that every process of the slot writes to.
func (s *Slot) Log() string { return filepath.Join(s.Dir, "server.log") }

func (s *Slot) record() string { return filepath.Join(s.Dir, "process.json") }
func (s *Slot) next() string   { return filepath.Join(s.Dir, program+".next"+exe) }

// Installed is the build in the slot, if Install put one there.
func (s *Slot) Installed() (cluster.Build, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.installed, !s.installed.Zero()
}

// Stage copies the build beside the slot's binary, flushed to disk and checked
// against its SHA-256, so that Install only has to rename it. Staging what is
// staged already costs nothing.
func (s *Slot) Stage(ctx context.Context, b cluster.Build) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stage(ctx, b)
}

func (s *Slot) stage(ctx context.Context, b cluster.Build) error {
	if s.staged == b && !b.Zero() {
		return nil
	}
	s.staged = cluster.Build{}
	if err := copyBuild(ctx, b, s.next()); err != nil {
		return fmt.Errorf("stage %s for %s: %w", b, s.Node, err)
	}
	s.staged = b
	return nil
}

// Install renames the build over the slot's binary. The old file is never
// written to: a process that runs from it keeps it (and writing to it would
// fail with "text file busy").
func (s *Slot) Install(ctx context.Context, b cluster.Build) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.stage(ctx, b); err != nil {
		return err
	}
	s.staged = cluster.Build{}
	if err := os.Rename(s.next(), s.Binary()); err != nil {
		return fmt.Errorf("replace the binary of %s: %w", s.Node, err)
	}
	s.installed = b
	return syncDir(s.Dir)
}

// copyBuild copies and hashes in one go.
func copyBuild(ctx context.Context, b cluster.Build, to string) (err error) {
	src, err := os.Open(b.Path)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
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
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(dst, sum), &reader{ctx, src}); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); b.SHA256 != "" && got != b.SHA256 {
		return fmt.Errorf("%s changed since it was looked at: sha256 is %.12s…, was %.12s…", b.Path, got, b.SHA256)
	}
	return dst.Sync()
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
