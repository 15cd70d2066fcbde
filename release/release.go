// Package release knows where nats-server builds come from and hands them out
// verified: the server linked into this program, a file the user names, the one
// on PATH, and versions installed with Go's module tools and kept in a store.
//
// A build is what its file printed for --version and the file's SHA-256, never
// its name. Nothing is handed out that has not been asked and hashed.
//
// No goroutine outlives a call. A call starts child processes (the file that is
// asked for its version, the go command); each has its own process group, which
// is killed when the call's context ends.
package release

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/adrg/xdg"

	"nats-roll/cluster"
)

// Progress is told in plain words what is being done: "downloading 12 modules".
// Calls do not overlap. Nil is fine.
type Progress func(detail string)

func (p Progress) say(format string, args ...any) {
	if p != nil {
		p(fmt.Sprintf(format, args...))
	}
}

// Source is a place that may have a version at hand, or be able to get it.
type Source interface {
	Name() string
	// Get returns a verified build of exactly this version, or an error that
	// is ErrAbsent when the source simply does not have it.
	Get(ctx context.Context, v cluster.Version, p Progress) (cluster.Build, error)
}

// Options says what a Resolver may use. The zero value has no embedded server
// and uses the user's shared store.
type Options struct {
	// Embedded is the version that the running program is when it is started
	// under the name nats-server (embedded.Version); empty when it cannot be.
	Embedded cluster.Version
	// Dir is where the store lies; empty means DefaultDir.
	Dir string
	// Offline refuses whatever would ask the network.
	Offline bool
}

// DefaultDir is the store that all programs of this user share.
func DefaultDir() string { return filepath.Join(xdg.CacheHome, "nats-roll", "servers") }

// Resolver turns what a user asks for into a build. It may be used by several
// goroutines at once.
type Resolver struct {
	embedded linked
	sources  []Source
}

// New makes a Resolver. For a version it asks, in this order: the embedded
// server, the store, nats-server on PATH, and last what needs the network.
func New(o Options) *Resolver {
	if o.Dir == "" {
		o.Dir = DefaultDir()
	}
	store := NewStore(o.Dir)
	self := linked{version: o.Embedded}
	return &Resolver{
		embedded: self,
		sources:  []Source{self, store, onPath{}, module{store: store, offline: o.Offline}},
	}
}

// Resolve finds the build that a selector names: "embedded", a version such as
// "2.14.9" or "v2.14.9", a file ("path:FILE", "./FILE", "/FILE"), or "path" for
// the nats-server on PATH whatever its version. Its errors are of type *Error,
// or the context's own.
func (r *Resolver) Resolve(ctx context.Context, selector string, p Progress) (cluster.Build, error) {
	s, err := parseSelector(selector)
	if err != nil {
		return cluster.Build{}, err
	}
	switch s.kind {
	case selectEmbedded:
		return r.embedded.build(ctx)
	case selectFile:
		return Identify(ctx, s.file)
	case selectPath:
		return r.fromPath(ctx)
	default:
		return r.version(ctx, s.version, p)
	}
}

func (r *Resolver) fromPath(ctx context.Context) (cluster.Build, error) {
	file, err := exec.LookPath(program)
	if err != nil {
		return cluster.Build{}, &Error{
			Source: "path", Reason: "no nats-server on PATH", Err: err,
			Hint: "give a version, or a file: " + flagName + " ./nats-server",
		}
	}
	return Identify(ctx, file)
}

// version asks the sources in turn. What the last one that tried had to say is
// the reason that counts: the earlier ones are only short cuts.
func (r *Resolver) version(ctx context.Context, v cluster.Version, p Progress) (cluster.Build, error) {
	var why error = &Error{Reason: "no source has it", Hint: giveFile, Err: ErrAbsent}
	for _, s := range r.sources {
		b, err := s.Get(ctx, v, p)
		if err == nil {
			return b, nil
		}
		if ctx.Err() != nil {
			return cluster.Build{}, context.Cause(ctx)
		}
		if !errors.Is(err, ErrAbsent) {
			why = named(err, v, s.Name())
		}
	}
	return cluster.Build{}, named(why, v, "")
}
