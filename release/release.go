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

// Sources lists the names of the places that a version may come from, in the
// order in which they are asked when none is chosen.
var Sources = []string{"embedded", "store", "path", "release", "module"}

// Options says what a Resolver may use. The zero value has no embedded server
// and uses the user's shared store.
type Options struct {
	// Embedded is the version that the running program is when it is started
	// under the name nats-server (embedded.Version); empty when it cannot be.
	Embedded cluster.Version
	// Dir is where the store lies; empty means DefaultDir.
	Dir string
	// Source is the only one of Sources to ask for a version; empty means all.
	// What release and module bring goes through the store, so it is looked for
	// there, too.
	Source string
	// Mirror stands in for Releases.
	Mirror string
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
	offline  bool
}

// New makes a Resolver. For a version it asks, in this order: the embedded
// server, the store, nats-server on PATH, and last what needs the network, the
// releases and then the module proxy.
func New(o Options) *Resolver {
	if o.Dir == "" {
		o.Dir = DefaultDir()
	}
	store := NewStore(o.Dir)
	self := linked{version: o.Embedded}
	r := &Resolver{embedded: self, offline: o.Offline}
	for _, s := range []Source{self, store, onPath{}, newDownload(store, o.Mirror), module{store}} {
		chosen := o.Source == "" || o.Source == s.Name()
		switch {
		case s == Source(store) && brings(o.Source):
			r.sources = append(r.sources, from{store, o.Source})
		case chosen && (!o.Offline || !brings(s.Name())):
			r.sources = append(r.sources, s)
		}
	}
	return r
}

// brings says that a source uses the network and leaves what it got in the
// store.
func brings(source string) bool { return source == "release" || source == "module" }

// from is the store, for one who wants what another source brought.
type from struct {
	*Store
	source string
}

func (f from) Get(ctx context.Context, v cluster.Version, p Progress) (cluster.Build, error) {
	b, err := f.Store.Get(ctx, v, p)
	if err == nil && b.Source != f.source {
		return cluster.Build{}, &Error{
			Want: string(v), Source: f.source, Err: ErrSelector,
			Reason: "the one in the store is from " + b.Source, Hint: fmt.Sprintf("nats-roll servers remove %s", v),
		}
	}
	return b, err
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
		return r.version(ctx, r.sources, s.version, p)
	}
}

// Fetch brings a version into the store, unless it is there: of the sources that
// Resolve asks, only those that leave it there are asked.
func (r *Resolver) Fetch(ctx context.Context, v cluster.Version, p Progress) (cluster.Build, error) {
	var keeping []Source
	for _, s := range r.sources {
		if _, own := s.(from); own || s.Name() == "store" || brings(s.Name()) {
			keeping = append(keeping, s)
		}
	}
	return r.version(ctx, keeping, v, p)
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

// version asks the sources in turn. What could not be verified, and what is
// against the user's word, is not got elsewhere instead.
func (r *Resolver) version(ctx context.Context, sources []Source, v cluster.Version, p Progress) (cluster.Build, error) {
	var tried []*Error
	var damaged *Error
	for _, s := range sources {
		b, err := s.Get(ctx, v, p)
		if err == nil {
			return b, nil
		}
		if ctx.Err() != nil {
			return cluster.Build{}, context.Cause(ctx)
		}
		if errors.Is(err, ErrAbsent) {
			if e, ok := errors.AsType[*Error](err); ok {
				damaged = e
			}
			continue
		}
		why := named(err, v, s.Name())
		if errors.Is(err, ErrChecksum) || errors.Is(err, ErrSelector) {
			return cluster.Build{}, why
		}
		if len(tried) > 0 && !brings(tried[0].Source) {
			tried = nil // the short cuts count only while nothing else was tried
		}
		tried = append(tried, why)
		if brings(s.Name()) {
			p.say("%v", why)
		}
	}
	switch {
	case len(tried) > 0 && brings(tried[len(tried)-1].Source):
		return cluster.Build{}, joined(v, tried)
	case r.offline:
		return cluster.Build{}, offline(v, damaged)
	case len(tried) > 0:
		return cluster.Build{}, joined(v, tried)
	}
	return cluster.Build{}, &Error{Want: string(v), Reason: "no source has it", Hint: giveFile, Err: ErrAbsent}
}
