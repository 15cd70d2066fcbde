package release_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"nats-roll/cluster"
	"nats-roll/release"
	"nats-roll/release/embedded"
	"nats-roll/release/releasetest"
)

// Every source of builds is the same to those who ask it.
func TestEverySourceConforms(t *testing.T) {
	for _, h := range harnesses {
		t.Run(h.name, func(t *testing.T) { conforms(t, h) })
	}
}

// A source that is asked is one that can be chosen, and has passed the suite.
func TestNoSourceIsLeftOut(t *testing.T) {
	var asked, suite []string
	for _, s := range release.SourcesOf(release.Options{}) {
		asked = append(asked, s.Name())
	}
	for _, h := range harnesses {
		suite = append(suite, h.name)
	}
	if !slices.Equal(asked, release.Sources) {
		t.Errorf("asked are %q, and listed are %q", asked, release.Sources)
	}
	for _, name := range release.Sources {
		if !slices.Contains(suite, name) {
			t.Errorf("no harness puts the source %q before the suite", name)
		}
	}
}

var harnesses = []harness{
	{
		name: "embedded", version: embedded.Version,
		real: func(testing.TB) goods { return goods{named: embedded.Version} },
		give: func(t *testing.T, g goods) world {
			return world{Source: source(t, "embedded", release.Options{Embedded: g.named})}
		},
		without: map[string]string{
			refuses: "its file is this program's own, and a server; TestTheProgramsFileIsReplaced does that to another program",
			hangs:   "the same",
		},
	},
	{
		name: "store", version: releasetest.Older, origin: "release", real: older,
		give: func(t *testing.T, g goods) world {
			dir := stored(t, g)
			return world{source(t, "store", release.Options{Dir: dir}), dir}
		},
		without: storeRunsNothing,
	},
	{
		name: "store, for those who choose release", version: releasetest.Older, origin: "release", real: older,
		give: func(t *testing.T, g goods) world {
			dir := stored(t, g)
			return world{source(t, "store", release.Options{Dir: dir, Source: "release"}), dir}
		},
		without: storeRunsNothing,
	},
	{
		name: "path", version: releasetest.Older, real: older,
		give: func(t *testing.T, g goods) world {
			t.Setenv("PATH", filepath.Dir(named(t, g)))
			return world{Source: source(t, "path", release.Options{})}
		},
	},
	{
		name: "a user's file", version: releasetest.Older, origin: "path", real: older,
		give: func(t *testing.T, g goods) world { return world{Source: userFile{named(t, g)}} },
		without: map[string]string{
			absent:    "a file is what it is, and is asked for no version",
			byTheFile: "the same; TestIdentifyGoesByTheOutputNotTheName has it named for another",
		},
	},
	{
		name: "release", version: releasetest.Older, real: older,
		give: func(t *testing.T, g goods) world {
			m := newMirror(t)
			m.publish(g.named, ".tar.gz", archived(t, g))
			o := m.options(t)
			return world{source(t, "release", o), o.Dir}
		},
	},
	{
		// The real server comes through the module proxy that the user has set up.
		name: "module", version: releasetest.Older, real: older,
		give: func(t *testing.T, g goods) world {
			if g.source != "" {
				proxyOf(t, module{string(g.named), "1.21", g.source})
			}
			dir := t.TempDir()
			return world{source(t, "module", release.Options{Dir: dir}), dir}
		},
	},
}

var storeRunsNothing = map[string]string{hangs: "what lies in the store was asked when it was fetched, and is only hashed"}

// source is the one with this name among those that are asked.
func source(t *testing.T, name string, o release.Options) release.Source {
	t.Helper()
	all := release.SourcesOf(o)
	i := slices.IndexFunc(all, func(s release.Source) bool { return s.Name() == name })
	if i < 0 {
		t.Fatalf("no source %q", name)
	}
	return all[i]
}

// userFile looks at a file that the user names as a source, which has no name.
type userFile struct{ file string }

func (userFile) Name() string { return "" }

func (u userFile) Get(ctx context.Context, _ cluster.Version, p release.Progress) (cluster.Build, error) {
	return release.New(release.Options{}).Resolve(ctx, "path:"+u.file, p)
}

// older is a real server of an older version.
func older(t testing.TB) goods {
	return goods{named: releasetest.Older, file: releasetest.Build(t, releasetest.Older).Path}
}

// named is the file below a folder named for the version that it is said to be.
func named(t *testing.T, g goods) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), folderOf(g.named))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return copied(t, g.file, filepath.Join(dir, programName()))
}

// stored is a store into which the server was fetched, and whose folder was then
// given another name. In place of what could not be fetched a real server was,
// and its file was replaced.
func stored(t testing.TB, g goods) string {
	t.Helper()
	fetched := g
	b, err := release.Identify(t.Context(), g.file)
	if err != nil {
		fetched = older(t)
		b.Version = fetched.named
	}
	dir := t.TempDir()
	b, err = release.NewStore(dir).Fetch(t.Context(), b.Version, "release", nil, func(_ context.Context, into string) (string, error) {
		return copied(t, fetched.file, filepath.Join(into, programName())), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if fetched != g {
		if err := os.Remove(b.Path); err != nil {
			t.Fatal(err)
		}
		copied(t, g.file, b.Path)
	}
	if g.named != b.Version {
		if err := os.Rename(filepath.Join(dir, string(b.Version)), filepath.Join(dir, string(g.named))); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// archives are what was packed: a real server takes a second.
var archives = map[goods][]byte{}

// archived is a release's archive of the goods.
func archived(t testing.TB, g goods) []byte {
	t.Helper()
	if a, ok := archives[g]; ok {
		return a
	}
	program, err := os.ReadFile(g.file)
	if err != nil {
		t.Fatal(err)
	}
	archives[g] = tarGz(t, contents(g.named, program))
	return archives[g]
}
