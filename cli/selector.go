package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"nats-roll/advice"
	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/release"
	"nats-roll/release/embedded"
)

// Words that stand for a version. A release line such as 2.14 is one, too.
const (
	wordLatest   = "latest"
	wordPrevious = "previous"
	wordEmbedded = "embedded"
)

// lineWord is a release line, as a person writes it.
var lineWord = regexp.MustCompile(`^v?\d+\.\d+$`)

// choice is what words for versions are chosen from.
type choice struct {
	embedded cluster.Version
	// stored lists the releases at hand, beside the embedded one. It is asked
	// only when a word needs it: exact versions never look into the store.
	stored func() ([]cluster.Version, error)
	// ask finds out the version of what a selector names that is no version: a
	// file, or the nats-server on PATH.
	ask func(ctx context.Context, role, selector string) (cluster.Build, error)
	// offline: only what is at hand counts.
	offline bool
	// fresh: a release line is its newest known patch, whatever is at hand.
	fresh bool
}

// choice is what these settings choose from.
func (s *settings) choice() choice {
	c := choice{ask: named, offline: s.offline}
	if s.source == "auto" || s.source == wordEmbedded {
		c.embedded = embedded.Version
	}
	c.stored = func() ([]cluster.Version, error) {
		if s.source == wordEmbedded || s.source == "path" {
			return nil, nil
		}
		entries, err := release.NewStore(release.DefaultDir()).List()
		if err != nil {
			return nil, environment(err, "set XDG_CACHE_HOME to a directory that you can read")
		}
		var out []cluster.Version
		for _, e := range entries {
			if (s.source != "release" && s.source != "module") || e.Source == s.source {
				out = append(out, e.Version)
			}
		}
		return out, nil
	}
	return c
}

// pair expands the words among two selectors to exact versions: this is the
// only place where that is done. Exact versions, embedded and files come back
// as they are, and what is neither is refused. To is expanded first, since --from previous means the release
// before it.
func (c choice) pair(ctx context.Context, from, to string) (string, string, error) {
	to, err := c.one("to", to, func() (cluster.Version, error) { return embedded.Version, nil })
	if err != nil {
		return "", "", err
	}
	from, err = c.one("from", from, func() (cluster.Version, error) {
		b, err := c.ask(ctx, "to", to)
		return b.Version, err
	})
	return from, to, err
}

// sides expands what both sides of a rehearsal want.
func (c choice) sides(ctx context.Context, from, to *rehearsal.Side) error {
	var err error
	if from.Want, to.Want, err = c.pair(ctx, from.Want, to.Want); err != nil {
		return err
	}
	from.Own, to.Own = maps.Clone(from.Own), maps.Clone(to.Own)
	for node, want := range to.Own {
		if _, to.Own[node], err = c.pair(ctx, wordEmbedded, want); err != nil {
			return of(node, err)
		}
	}
	for node, want := range from.Own {
		next := cmp.Or(to.Own[node], to.Want)
		if from.Own[node], _, err = c.pair(ctx, want, next); err != nil {
			return of(node, err)
		}
	}
	return nil
}

// of says whose build it is.
func of(node string, err error) error {
	if b, ok := errors.AsType[*rehearsal.BuildError](err); ok {
		b.Node = node
	}
	return err
}

// one expands one selector. previous means the release before what after says.
func (c choice) one(role, word string, after func() (cluster.Version, error)) (string, error) {
	var v cluster.Version
	var err error
	switch {
	case word == wordLatest:
		v, err = c.latest()
	case word == wordPrevious:
		var next cluster.Version
		if next, err = after(); err == nil {
			v, err = c.before(next)
		}
	case lineWord.MatchString(word):
		v, err = c.newestOf(strings.TrimPrefix(word, "v"))
	default:
		if err := release.Valid(word); err != nil {
			return "", &rehearsal.BuildError{Role: role, Err: err}
		}
		return word, nil
	}
	if err != nil {
		return "", nothing(word, err)
	}
	return string(v), nil
}

// noMatch says that a word stands for nothing, and why.
type noMatch struct{ reason, hint string }

func (e *noMatch) Error() string { return e.reason }

// nothing makes the failure of a word a usage error that names it.
func nothing(word string, err error) error {
	if n, ok := errors.AsType[*noMatch](err); ok {
		return usagef(n.hint, "no version matches %q: %s", word, n.reason)
	}
	return err
}

// atHand lists the releases that need no network. A release candidate is never
// meant by a word; who wants one writes it out.
func (c choice) atHand() ([]cluster.Version, error) {
	out, err := c.stored()
	if err != nil {
		return nil, err
	}
	if c.embedded != "" {
		out = append(out, c.embedded)
	}
	return slices.DeleteFunc(out, func(v cluster.Version) bool { return strings.Contains(string(v), "-") }), nil
}

// latest is the newest release that is known: at hand only, when offline.
func (c choice) latest() (cluster.Version, error) {
	if !c.offline {
		return newest([]cluster.Version{advice.Latest(), c.embedded}), nil
	}
	hand, err := c.atHand()
	if err != nil {
		return "", err
	}
	if v := newest(hand); v != "" {
		return v, nil
	}
	return "", &noMatch{"no server is at hand, and offline", "leave out --offline, or nats-roll servers fetch " + wordLatest}
}

// newestOf is the newest patch of a line at hand, else the newest known.
func (c choice) newestOf(line string) (cluster.Version, error) {
	hand, err := c.atHand()
	if err != nil {
		return "", err
	}
	here := newest(slices.DeleteFunc(hand, func(v cluster.Version) bool { return v.Minor() != line }))
	known, ok := advice.LatestOf(line)
	switch {
	case c.fresh && ok && !c.offline:
		return newest([]cluster.Version{here, known}), nil
	case here != "":
		return here, nil
	case ok && c.offline:
		return "", &noMatch{fmt.Sprintf("no %s is at hand, and offline", line), "leave out --offline, or nats-roll servers fetch " + string(known)}
	case ok:
		return known, nil
	}
	return "", &noMatch{
		fmt.Sprintf("no release of %s is known as of %s", line, advice.AsOf()),
		fmt.Sprintf("the newest line is %s; or write an exact version such as %s", advice.Latest().Minor(), advice.Latest()),
	}
}

// before is the release before a version: at hand only, when offline.
func (c choice) before(next cluster.Version) (cluster.Version, error) {
	known, ok := advice.Previous(next)
	if !c.offline {
		if ok {
			return known, nil
		}
		return "", &noMatch{fmt.Sprintf("no release before %s is known", next), "write an exact version such as " + string(advice.Latest())}
	}
	hand, err := c.atHand()
	if err != nil {
		return "", err
	}
	if v := newest(slices.DeleteFunc(hand, func(v cluster.Version) bool { return v.Compare(next) >= 0 })); v != "" {
		return v, nil
	}
	hint := "leave out --offline"
	if ok {
		hint += ", or nats-roll servers fetch " + string(known)
	}
	return "", &noMatch{fmt.Sprintf("nothing older than %s is at hand, and offline", next), hint}
}

// newest is the highest of some versions; empty when there is none.
func newest(vs []cluster.Version) cluster.Version {
	var out cluster.Version
	for _, v := range vs {
		if v != "" && (out == "" || v.Compare(out) > 0) {
			out = v
		}
	}
	return out
}
