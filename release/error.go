package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"nats-roll/cluster"
)

// What can be wrong, for those who decide on it with errors.Is.
var (
	ErrAbsent         = errors.New("not there")
	ErrSelector       = errors.New("not a version and not a file")
	ErrNotServer      = errors.New("not a nats-server that runs here")
	ErrOffline        = errors.New("offline")
	ErrNoToolchain    = errors.New("no Go toolchain on PATH")
	ErrOldToolchain   = errors.New("the Go toolchain is too old")
	ErrUnknownVersion = errors.New("no such version")
	ErrNetwork        = errors.New("the module proxy cannot be used")
	ErrChecksum       = errors.New("the checksum does not match")
	ErrBuild          = errors.New("it does not compile")
)

// Hints are written with the flag that most builds are asked for with; Advice
// puts the right one in its place.
const (
	flagName  = "--from"
	giveFile  = "give a file: " + flagName + " ./nats-server"
	installGo = "install Go 1.26 or newer, or " + giveFile
	makeRoom  = "free some space, or set XDG_CACHE_HOME to a directory on another disk"
)

// Error says which build could not be had, where from, why, and what can be
// typed to help. Its message is one line; the hint stands apart from it.
type Error struct {
	Want   string // a version or a file; empty when neither is known
	Source string // the source that was asked; empty when it does not matter
	Reason string
	Hint   string
	Err    error // what to decide on: one of this package's Err values, or a system error
}

// Error is a line such as
// "nats-server 2.14.9 from module: no Go toolchain on PATH".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(program)
	if e.Want != "" {
		b.WriteString(" " + e.Want)
	}
	if e.Source != "" {
		b.WriteString(" from " + e.Source)
	}
	b.WriteString(": " + e.Reason)
	return b.String()
}

// Advice is what can be typed to help, to one who asked with this flag. A value
// follows a flag such as "--to A=" without a space.
func (e *Error) Advice(flag string) string {
	hint := e.Hint
	if strings.HasSuffix(flag, "=") {
		hint = strings.ReplaceAll(hint, flagName+" ", flag)
	}
	return strings.ReplaceAll(hint, flagName, flag)
}

// Unwrap gives what to decide on.
func (e *Error) Unwrap() error { return e.Err }

// noRoom is an error for a disk that takes no more of what is fetched. It names
// the folder that the fetch's own temporary one lies in.
func noRoom(err error) *Error {
	reason := plain(err)
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		reason = fmt.Sprintf("%s %s: %s", e.Op, filepath.Dir(filepath.Dir(e.Path)), reason)
	}
	return &Error{Reason: reason, Hint: makeRoom, Err: err}
}

// offline is an error for a version that only the network could bring. It may be
// known why the store has it no more.
func offline(v cluster.Version, damaged *Error) error {
	reason := "not on this machine"
	if damaged != nil {
		reason = damaged.Reason
	}
	return &Error{
		Want: string(v), Reason: reason + ", and offline", Err: ErrOffline,
		Hint: "leave out --offline, or " + giveFile,
	}
}

// joined is the error of several sources that were tried in turn. What to decide
// on, and what to do, is what the last one said.
func joined(v cluster.Version, tried []*Error) error {
	last := *tried[len(tried)-1]
	last.Want = string(v)
	if len(tried) == 1 {
		return &last
	}
	var reasons []string
	for _, e := range tried {
		reasons = append(reasons, "from "+e.Source+", "+e.Reason)
	}
	last.Source, last.Reason = "", strings.Join(reasons, "; ")
	return &last
}

// endedOr is the context's own error, once that has ended, or the source's.
func endedOr(ctx context.Context, err error, v cluster.Version, source string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return named(err, v, source)
}

// named fills in what a source left out of its error.
func named(err error, v cluster.Version, source string) *Error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return &Error{Want: string(v), Source: source, Reason: err.Error(), Hint: giveFile, Err: err}
	}
	c := *e
	if c.Want == "" {
		c.Want = string(v)
	}
	if c.Source == "" {
		c.Source = source
	}
	return &c
}
