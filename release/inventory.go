package release

import (
	"context"
	"debug/buildinfo"
	"errors"
	"os/exec"
	"slices"
)

// AtHand lists the builds that need no network: the embedded server, what lies in
// the store, oldest version first, and the one on PATH. The store's are told
// as their records say, without hashing them. What cannot be used is in the
// error, which does not spoil the rest.
func (r *Resolver) AtHand(ctx context.Context) ([]Entry, error) {
	var out []Entry
	var wrong []error
	for _, s := range r.sources {
		switch s := s.(type) {
		case linked:
			b, err := s.build(ctx)
			if err != nil {
				wrong = append(wrong, err)
				continue
			}
			out = append(out, built(Entry{Build: b}))
		case onPath:
			if _, err := exec.LookPath(program); err != nil {
				continue
			}
			b, err := r.fromPath(ctx)
			if err != nil {
				wrong = append(wrong, err)
				continue
			}
			out = append(out, built(Entry{Build: b}))
		case *Store:
			entries, err := s.List()
			out = append(out, entries...)
			wrong = append(wrong, err, s.unreadable(ctx, entries))
		}
	}
	return out, errors.Join(wrong...)
}

// unreadable names what has a record that is not among the entries.
func (s *Store) unreadable(ctx context.Context, entries []Entry) error {
	versions, _ := s.Versions() // List has told the error
	var wrong []error
	for _, v := range versions {
		if !slices.ContainsFunc(entries, func(e Entry) bool { return e.Version == v }) {
			_, err := s.Check(ctx, v)
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

// built fills in what the file says of how it was built.
func built(e Entry) Entry {
	info, err := buildinfo.ReadFile(e.Path)
	if err != nil {
		return e
	}
	e.Go = info.GoVersion
	for _, m := range append(info.Deps, &info.Main) { // the embedded server is a dependency
		if m.Path == serverModule {
			e.Sum = m.Sum
		}
	}
	return e
}
