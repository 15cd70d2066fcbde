package cli

import (
	"context"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/release"
	"nats-roll/release/embedded"
)

// builds makes the resolver a rehearsal.Resolver.
type builds struct{ *release.Resolver }

var _ rehearsal.Resolver = builds{}

// Resolve implements rehearsal.Resolver.
func (b builds) Resolve(ctx context.Context, want string, progress func(string)) (cluster.Build, error) {
	return b.Resolver.Resolve(ctx, want, progress)
}

// named is the build that a selector will name, without getting it: a version
// is taken at its word, a file is asked for its own.
func named(ctx context.Context, role, selector string) (cluster.Build, error) {
	if selector == "embedded" {
		return cluster.Build{Version: embedded.Version, Source: "embedded"}, nil
	}
	if v, err := cluster.ParseVersion(selector); err == nil {
		return cluster.Build{Version: v}, nil
	}
	b, err := release.New(release.Options{Offline: true}).Resolve(ctx, selector, nil)
	if err != nil {
		return b, &rehearsal.BuildError{Role: role, Err: err}
	}
	return b, nil
}

// namedSide is named for every server.
func namedSide(ctx context.Context, role string, s rehearsal.Side) (cluster.Builds, error) {
	all, err := named(ctx, role, s.Want)
	out := cluster.Builds{Build: all, Own: map[string]cluster.Build{}}
	for node, want := range s.Own {
		own, ownErr := named(ctx, role, want)
		if ownErr != nil {
			err = of(node, ownErr)
		}
		if own != all {
			out.Own[node] = own
		}
	}
	return out, err
}
