package release

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"nats-roll/cluster"
)

// Store keeps fetched builds on disk, at
// <dir>/<version>/<os>-<arch>/nats-server with nats-server.json beside it. The
// record is written last: an entry without one does not exist. Several programs
// may use a store at once; a lock file for each version, in <dir>/.locks, is
// held by whoever changes it, and never removed.
type Store struct{ dir string }

var _ Source = (*Store)(nil)

// NewStore is the store in the directory, which is made when it is needed.
func NewStore(dir string) *Store {
	// The go command takes no relative GOBIN. Abs fails only where there is no
	// working directory, and then the first use says so.
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return &Store{dir: dir}
}

// Entry is a build in a store, and its record.
type Entry struct {
	cluster.Build           // Source is where it was fetched from
	Go            string    `json:"go,omitempty"`         // the toolchain that built it, "go1.26.8"
	Sum           string    `json:"module_sum,omitempty"` // of the module's source, as in go.sum
	Fetched       time.Time `json:"fetched"`
}

// Name is what the store is called among the sources.
func (s *Store) Name() string { return "store" }

// Get returns the build of this version after hashing it again. An entry that
// is not what its record says is set aside, and then absent.
func (s *Store) Get(ctx context.Context, v cluster.Version, p Progress) (cluster.Build, error) {
	e, err := s.Check(ctx, v)
	if errors.Is(err, ErrChecksum) {
		unlock, lockErr := s.lock(ctx, v, p)
		if lockErr != nil {
			return cluster.Build{}, lockErr
		}
		defer unlock()
		e, err = s.mend(ctx, v, p)
	}
	return e.Build, err
}

// Check reads an entry and hashes its file. The error is ErrAbsent when there is
// none, and ErrChecksum when it is damaged.
func (s *Store) Check(ctx context.Context, v cluster.Version) (Entry, error) {
	e, err := s.read(v)
	if err != nil {
		return Entry{}, err
	}
	damaged := func(format string, args ...any) (Entry, error) {
		return Entry{}, &Error{
			Want: string(v), Source: s.Name(), Reason: fmt.Sprintf(format, args...), Err: ErrChecksum,
			Hint: fmt.Sprintf("nats-roll servers fetch %s", v),
		}
	}
	if e.Version != v || e.SHA256 == "" {
		return damaged("the record in the store is damaged")
	}
	sum, err := hashFile(ctx, e.Path)
	switch {
	case ctx.Err() != nil:
		return Entry{}, context.Cause(ctx)
	case err != nil:
		return damaged("the file in the store is damaged: %s", plain(err))
	case sum != e.SHA256:
		return damaged("the file in the store is damaged: sha256 is %.12s, not %.12s", sum, e.SHA256)
	}
	return e, nil
}

// List tells what lies in the store for this platform, oldest version first,
// without hashing it. An entry whose record cannot be read is not among them.
func (s *Store) List() ([]Entry, error) {
	versions, err := s.Versions()
	var out []Entry
	for _, v := range versions {
		if e, err := s.read(v); err == nil && e.Version == v {
			out = append(out, e)
		}
	}
	return out, err
}

// Versions lists what has a record in the store for this platform, damaged or
// not, oldest version first.
func (s *Store) Versions() ([]cluster.Version, error) {
	dirs, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the servers in the store: %w", err)
	}
	var out []cluster.Version
	for _, d := range dirs {
		v, err := cluster.ParseVersion(d.Name())
		if err != nil || string(v) != d.Name() {
			continue
		}
		if _, err := os.Stat(s.record(v)); err == nil {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b cluster.Version) int { return cmp.Or(a.Compare(b), cmp.Compare(a, b)) })
	return out, nil
}

// Remove deletes a version with what was set aside of it. The error is ErrAbsent
// when there is nothing.
func (s *Store) Remove(ctx context.Context, v cluster.Version, p Progress) error {
	if _, err := os.Stat(s.entry(v)); err != nil {
		return &Error{Want: string(v), Source: s.Name(), Reason: "not there", Hint: "nats-roll servers", Err: ErrAbsent}
	}
	unlock, err := s.lock(ctx, v, p)
	if err != nil {
		return err
	}
	defer unlock()
	if err := os.RemoveAll(s.entry(v)); err != nil {
		return s.failed(v, "remove", err)
	}
	s.prune(v)
	return nil
}

// prune removes a version's directories where they are empty, by the holder of
// the lock.
func (s *Store) prune(v cluster.Version) {
	_ = os.Remove(s.entry(v))
	_ = os.Remove(filepath.Dir(s.entry(v)))
}

// read returns the record; an unreadable one comes back empty, for Check to see.
func (s *Store) read(v cluster.Version) (Entry, error) {
	raw, err := os.ReadFile(s.record(v))
	if errors.Is(err, fs.ErrNotExist) {
		return Entry{}, ErrAbsent
	}
	if err != nil {
		return Entry{}, s.failed(v, "read", err)
	}
	var e Entry
	if json.Unmarshal(raw, &e) != nil {
		e = Entry{}
	}
	e.Path = s.file(v)
	return e, nil
}

func (s *Store) entry(v cluster.Version) string {
	return filepath.Join(s.dir, string(v), platform("-"))
}

func (s *Store) record(v cluster.Version) string {
	return filepath.Join(s.entry(v), program+".json")
}

func (s *Store) file(v cluster.Version) string { return filepath.Join(s.entry(v), fileName()) }

// fileName is the name of a nats-server file on this system.
func fileName() string {
	if runtime.GOOS == "windows" {
		return program + ".exe"
	}
	return program
}

func (s *Store) failed(v cluster.Version, verb string, err error) error {
	hint := "set XDG_CACHE_HOME to a directory that you can write"
	if errors.Is(err, syscall.ENOSPC) {
		hint = makeRoom
	}
	return &Error{
		Want: string(v), Source: s.Name(), Reason: fmt.Sprintf("%s %s: %s", verb, s.entry(v), plain(err)), Err: err,
		Hint: hint,
	}
}
