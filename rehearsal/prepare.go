package rehearsal

import (
	"context"
	"errors"
	"fmt"
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
	Err  error
}

func (e *BuildError) Error() string { return e.Err.Error() }
func (e *BuildError) Unwrap() error { return e.Err }

// Advice is what can be typed to help; empty when nothing is known.
func (e *BuildError) Advice() string {
	var h Hinted
	if errors.As(e.Err, &h) {
		return h.Advice("--" + e.Role)
	}
	return ""
}

// Selection is which builds a rehearsal wants.
type Selection struct {
	From, To string
	// Optional is the role, from or to, of a build that nobody asked for by name.
	// When it is not to be had, the other one stands on both sides, and that is
	// said.
	Optional string
}

// Prepared is what Prepare came to.
type Prepared struct {
	From, To cluster.Build
	Notes    []string
}

// Prepare gets both builds at once and tells how that goes.
func Prepare(ctx context.Context, sel Selection, r Resolver, sink cluster.Sink) (Prepared, error) {
	var (
		p              Prepared
		fromErr, toErr error
		wg             sync.WaitGroup
	)
	get := func(role, want string, b *cluster.Build, err *error) {
		wg.Go(func() {
			sink(cluster.Fetching{Role: role, Want: want})
			*b, *err = r.Resolve(ctx, want, func(detail string) {
				sink(cluster.Fetching{Role: role, Want: want, Detail: detail})
			})
			if *err == nil {
				sink(cluster.Fetched{Role: role, Build: *b})
			}
		})
	}
	get("from", sel.From, &p.From, &fromErr)
	get("to", sel.To, &p.To, &toErr)
	wg.Wait()
	if ctx.Err() != nil {
		return p, ctx.Err()
	}
	for _, side := range []struct {
		role, want string
		err        error
		own, other *cluster.Build
		otherErr   error
	}{
		{"to", sel.To, toErr, &p.To, &p.From, fromErr},
		{"from", sel.From, fromErr, &p.From, &p.To, toErr},
	} {
		if side.err == nil {
			continue
		}
		err := &BuildError{Role: side.role, Err: side.err}
		if sel.Optional != side.role || side.otherErr != nil {
			sink(failed(err, side.want, cluster.Build{}))
			return p, err
		}
		*side.own = *side.other
		sink(failed(err, side.want, *side.other))
		p.Notes = append(p.Notes, fmt.Sprintf("nats-server %s is not to be had (%v), so this rehearses the restart with %s on both sides: no version changes.",
			side.want, side.err, *side.other))
	}
	return p, nil
}

func failed(err *BuildError, want string, instead cluster.Build) cluster.FetchFailed {
	return cluster.FetchFailed{Role: err.Role, Want: want, Reason: err.Error(), Hint: err.Advice(), Instead: instead}
}
