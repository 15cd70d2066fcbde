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
	// FromOptional: nobody asked for this very From. When it is not to be had,
	// the rehearsal restarts To on To, and says so.
	FromOptional bool
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
	if toErr != nil {
		err := &BuildError{Role: "to", Err: toErr}
		sink(failed(err, sel.To, cluster.Build{}))
		return p, err
	}
	if fromErr == nil {
		return p, nil
	}
	err := &BuildError{Role: "from", Err: fromErr}
	if !sel.FromOptional {
		sink(failed(err, sel.From, cluster.Build{}))
		return p, err
	}
	sink(failed(err, sel.From, p.To))
	p.From = p.To
	p.Notes = append(p.Notes, fmt.Sprintf("nats-server %s is not to be had (%v), so this rehearses the restart with %s on both sides: no version changes.",
		sel.From, fromErr, p.To))
	return p, nil
}

func failed(err *BuildError, want string, instead cluster.Build) cluster.FetchFailed {
	return cluster.FetchFailed{Role: err.Role, Want: want, Reason: err.Error(), Hint: err.Advice(), Instead: instead}
}
