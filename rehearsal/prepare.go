package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"nats-roll/cluster"
)

// Resolver gets builds. want is a version, "embedded", or a file; progress
// takes words on how far it is.
type Resolver interface {
	Resolve(ctx context.Context, want string, progress func(detail string)) (cluster.Build, error)
}

// Hinted is an error that knows what to do about it, for one who asked for a
// build with this flag.
type Hinted interface{ Advice(flag string) string }

// BuildError says that a build is not to be had. Its message is the source's.
type BuildError struct {
	Role string // "from" or "to"
	Node string // if it is this server's own
	Err  error
}

func (e *BuildError) Error() string { return e.Err.Error() }
func (e *BuildError) Unwrap() error { return e.Err }

// Advice is what can be typed to help; empty when nothing is known.
func (e *BuildError) Advice() string {
	var h Hinted
	if !errors.As(e.Err, &h) {
		return ""
	}
	flag := "--" + e.Role
	if e.Node != "" {
		flag += " " + e.Node + "="
	}
	return h.Advice(flag)
}

// Side is what one side of a rehearsal wants: a build for every server, and
// others for servers that have one of their own.
type Side struct {
	Want string
	Own  map[string]string // by node
}

// Selection is which builds a rehearsal wants.
type Selection struct {
	From, To Side
	// Optional is the role, from or to, of a build that nobody asked for by name.
	// When it is not to be had, the one of the other side stands in for it, and
	// that is said.
	Optional string
}

// Prepared is what Prepare came to.
type Prepared struct {
	From, To cluster.Builds
	Notes    []string
}

// wish is a build that is to be got.
type wish struct {
	role, want string
	nodes      []string // whose own it is; nil: everybody else's
	got        cluster.Build
	err        error
}

func (w *wish) String() string {
	if w.nodes == nil {
		return w.role
	}
	return w.role + " " + strings.Join(w.nodes, ",")
}

// failure is why it is not to be had.
func (w *wish) failure() *BuildError {
	e := &BuildError{Role: w.role, Err: w.err}
	if w.nodes != nil {
		e.Node = w.nodes[0]
	}
	return e
}

func wishes(role string, s Side) []*wish {
	out := []*wish{{role: role, want: s.Want}}
	for _, g := range cluster.Alike(s.Own) {
		if g.Of == s.Want {
			continue
		}
		out = append(out, &wish{role: role, want: g.Of, nodes: g.Nodes})
	}
	return out
}

// Prepare gets all builds at once and tells how that goes.
func Prepare(ctx context.Context, sel Selection, r Resolver, sink cluster.Sink) (Prepared, error) {
	from, to := wishes("from", sel.From), wishes("to", sel.To)
	var wg sync.WaitGroup
	for _, w := range slices.Concat(from, to) {
		wg.Go(func() {
			sink(cluster.Fetching{Role: w.String(), Want: w.want})
			w.got, w.err = r.Resolve(ctx, w.want, func(detail string) {
				sink(cluster.Fetching{Role: w.String(), Want: w.want, Detail: detail})
			})
			if w.err == nil {
				sink(cluster.Fetched{Role: w.String(), Build: w.got})
			}
		})
	}
	wg.Wait()
	var p Prepared
	if ctx.Err() != nil {
		return p, ctx.Err()
	}
	for _, side := range []struct {
		wishes []*wish
		other  *wish
	}{{to, from[0]}, {from, to[0]}} {
		for _, w := range side.wishes {
			if w.err == nil {
				continue
			}
			err := w.failure()
			if w.nodes != nil || sel.Optional != w.role || side.other.err != nil {
				sink(w.failed(err, cluster.Build{}))
				return p, err
			}
			w.got = side.other.got
			sink(w.failed(err, w.got))
			p.Notes = append(p.Notes, instead(w, len(from)+len(to) == 2))
		}
	}
	p.From, p.To = builds(from), builds(to)
	return p, nil
}

// instead says what the rehearsal is without a build. Alone: no server has a
// build of its own.
func instead(w *wish, alone bool) string {
	why := fmt.Sprintf("nats-server %s is not to be had (%v), so ", w.want, w.err)
	if !alone {
		return why + fmt.Sprintf("%s stands in for it.", w.got)
	}
	return why + fmt.Sprintf("this rehearses the restart with %s on both sides: no version changes.", w.got)
}

func builds(wishes []*wish) cluster.Builds {
	b := cluster.Builds{Build: wishes[0].got}
	for _, w := range wishes[1:] {
		for _, n := range w.nodes {
			if w.got == b.Build {
				continue // it turned out to be what all have
			}
			if b.Own == nil {
				b.Own = map[string]cluster.Build{}
			}
			b.Own[n] = w.got
		}
	}
	return b
}

func (w *wish) failed(err *BuildError, instead cluster.Build) cluster.FetchFailed {
	return cluster.FetchFailed{Role: w.String(), Want: w.want, Reason: err.Error(), Hint: err.Advice(), Instead: instead}
}
