package cli

import (
	"context"
	"errors"
	"strings"
	"testing"

	"nats-roll/advice"
	"nats-roll/cluster"
	"nats-roll/release/embedded"
)

// Words for versions, by what is at hand. The catalogue ends with 2.15.2, which
// is also the embedded server, or these cases want another look.
func TestWordsForVersions(t *testing.T) {
	if advice.Latest() != "2.15.2" || embedded.Version != "2.15.2" {
		t.Fatalf("the catalogue ends with %s, embedded is %s", advice.Latest(), embedded.Version)
	}
	const file = "./my-server" // of 2.14.5
	for name, tt := range map[string]struct {
		embedded       cluster.Version
		stored         string
		offline, fresh bool
		from, to, want string // want is "FROM TO", or a part of the error
	}{
		"exact, embedded and files stay": {from: "v2.14.9", to: file, want: "v2.14.9 " + file},
		"the name of the embedded":       {from: "2.15.1", to: "embedded", want: "2.15.1 embedded"},
		"nonsense":                       {from: "2.15.1", to: "nonsense", want: `"nonsense" is neither a version nor a file`},
		"half a line":                    {from: "2", to: "2.15.2", want: `"2" is neither a version nor a file`},

		"a line, nothing at hand":            {from: "2.14", to: "2.15.2", want: "2.14.9 2.15.2"},
		"a line with a v":                    {from: "v2.14", to: "2.15.2", want: "2.14.9 2.15.2"},
		"a line, an older patch at hand":     {stored: "2.14.3 2.14.5 2.15.1", from: "2.14", to: "2.15.2", want: "2.14.5 2.15.2"},
		"a line, a newer patch at hand":      {stored: "2.14.30", from: "2.14", to: "2.15.2", want: "2.14.30 2.15.2"},
		"a line, a candidate at hand":        {stored: "2.14.10-RC.1", from: "2.14", to: "2.15.2", want: "2.14.9 2.15.2"},
		"a line, the embedded":               {embedded: "2.15.2", stored: "2.15.1", from: "2.14.9", to: "2.15", want: "2.14.9 2.15.2"},
		"a line, the newest at hand is old":  {embedded: "2.15.1", from: "2.14.9", to: "2.15", want: "2.14.9 2.15.1"},
		"a line to fetch":                    {stored: "2.14.3", fresh: true, from: "2.15.1", to: "2.14", want: "2.15.1 2.14.9"},
		"a line to fetch, newer at hand":     {stored: "2.14.30", fresh: true, from: "2.15.1", to: "2.14", want: "2.15.1 2.14.30"},
		"a line to fetch, offline":           {stored: "2.14.3", fresh: true, offline: true, from: "2.15.1", to: "2.14", want: "2.15.1 2.14.3"},
		"a line that only the store has":     {stored: "2.99.1", from: "2.15.2", to: "2.99", want: "2.15.2 2.99.1"},
		"a line that nobody knows":           {from: "2.15.2", to: "9.9", want: `no version matches "9.9": no release of 9.9 is known as of 20`},
		"a line that was skipped":            {from: "2.15.2", to: "2.13", want: `no release of 2.13 is known`},
		"a line offline":                     {offline: true, stored: "2.14.3", from: "2.14", to: "2.15.2", want: "2.14.3 2.15.2"},
		"a line offline, nothing at hand":    {offline: true, stored: "2.12.1", from: "2.14", to: "2.15.2", want: "no 2.14 is at hand, and offline"},
		"a line offline, that nobody knows":  {offline: true, from: "9.9", to: "2.15.2", want: "no release of 9.9 is known"},
		"latest":                             {from: "2.15.1", to: "latest", want: "2.15.1 2.15.2"},
		"latest, the embedded is newer":      {embedded: "2.16.0", from: "2.15.1", to: "latest", want: "2.15.1 2.16.0"},
		"latest, the embedded is older":      {embedded: "2.14.9", from: "2.15.1", to: "latest", want: "2.15.1 2.15.2"},
		"latest, offline":                    {offline: true, embedded: "2.14.9", stored: "2.12.1 2.15.0", from: "2.12.1", to: "latest", want: "2.12.1 2.15.0"},
		"latest, offline, nothing at hand":   {offline: true, from: "2.12.1", to: "latest", want: "no server is at hand"},
		"previous, to embedded":              {from: "previous", to: "embedded", want: "2.15.1 embedded"},
		"previous, over a line":              {from: "previous", to: "2.14.0", want: "2.12.15 2.14.0"},
		"previous of a line":                 {from: "previous", to: "2.14", want: "2.14.8 2.14.9"},
		"previous of latest":                 {from: "previous", to: "latest", want: "2.15.1 2.15.2"},
		"previous of a file":                 {from: "previous", to: file, want: "2.14.4 " + file},
		"previous of one that is not known":  {from: "previous", to: "2.99.0", want: "2.15.2 2.99.0"},
		"previous of the first":              {from: "previous", to: "2.8.0", want: "no release before 2.8.0 is known"},
		"previous as the target":             {from: "embedded", to: "previous", want: "embedded 2.15.1"},
		"previous, twice":                    {from: "previous", to: "previous", want: "2.15.0 2.15.1"},
		"previous, offline":                  {offline: true, embedded: "2.15.2", stored: "2.8.4 2.14.9", from: "previous", to: "embedded", want: "2.14.9 embedded"},
		"previous, offline, nothing at hand": {offline: true, embedded: "2.15.2", from: "previous", to: "embedded", want: "nothing older than 2.15.2 is at hand"},
	} {
		t.Run(name, func(t *testing.T) {
			c := choice{
				embedded: tt.embedded, offline: tt.offline, fresh: tt.fresh,
				stored: func() (out []cluster.Version, _ error) {
					for _, v := range strings.Fields(tt.stored) {
						out = append(out, cluster.Version(v))
					}
					return out, nil
				},
				ask: func(ctx context.Context, role, selector string) (cluster.Build, error) {
					if selector == file {
						return cluster.Build{Version: "2.14.5"}, nil
					}
					return named(ctx, role, selector)
				},
			}
			from, to, err := c.pair(t.Context(), tt.from, tt.to)
			if err == nil {
				if got := from + " " + to; got != tt.want {
					t.Errorf("%s, want %s", got, tt.want)
				}
				return
			}
			if code, hint := classify(err); code != exitUsage || hint == "" || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, code %d, hint %q; want %s", err, code, hint, tt.want)
			}
		})
	}
}

// The store is read for words only, and a store that cannot be read is said.
func TestExactVersionsLeaveTheStoreAlone(t *testing.T) {
	gone := errors.New("gone")
	c := choice{ask: named, stored: func() ([]cluster.Version, error) { return nil, gone }}
	for _, word := range []string{"2.14.9", "embedded", "./file", "path"} {
		if _, _, err := c.pair(t.Context(), word, word); err != nil {
			t.Errorf("%s: %v", word, err)
		}
	}
	if _, _, err := c.pair(t.Context(), "2.14", "embedded"); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}
