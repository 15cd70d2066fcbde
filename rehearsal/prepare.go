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

// Hinted is an error that knows what to do about it.
type Hinted interface{ Advice() string }

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
		sink(failed("to", sel.To, toErr, cluster.Build{}))
		return p, toErr
	}
	if fromErr == nil {
		return p, nil
	}
	if !sel.FromOptional {
		sink(failed("from", sel.From, fromErr, cluster.Build{}))
		return p, fromErr
	}
	sink(failed("from", sel.From, fromErr, p.To))
	p.From = p.To
	p.Notes = append(p.Notes, fmt.Sprintf("nats-server %s is not to be had (%v), so this rehearses the restart with %s on both sides: no version changes.",
		sel.From, fromErr, p.To))
	return p, nil
}

func failed(role, want string, err error, instead cluster.Build) cluster.FetchFailed {
	e := cluster.FetchFailed{Role: role, Want: want, Reason: err.Error(), Instead: instead}
	var h Hinted
	if errors.As(err, &h) {
		e.Hint = h.Advice()
	}
	return e
}
