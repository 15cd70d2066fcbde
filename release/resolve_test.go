package release_test

import (
	"os"
	"path/filepath"
	"testing"

	"nats-roll/cluster"
	"nats-roll/release"
	"nats-roll/release/embedded"
)

func TestResolveWithoutTheNetwork(t *testing.T) {
	file := place(t, "nats-server")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(file))
	version := string(embedded.Version)
	for name, tc := range map[string]struct {
		embedded     cluster.Version
		selector     string
		source, path string
	}{
		"embedded":             {embedded.Version, "embedded", "embedded", self},
		"embedded by version":  {embedded.Version, "v" + version, "embedded", self},
		"file":                 {"", "path:" + file, "path", file},
		"absolute file":        {"", file, "path", file},
		"on PATH":              {"", "path", "path", file},
		"version on PATH":      {"", version, "path", file},
		"PATH beside embedded": {embedded.Version, "path", "path", file},
	} {
		t.Run(name, func(t *testing.T) {
			o := release.Options{Embedded: tc.embedded, Dir: t.TempDir(), Offline: true}
			b, err := release.New(o).Resolve(t.Context(), tc.selector, nil)
			if err != nil {
				t.Fatal(err)
			}
			if b.Version != embedded.Version || b.Source != tc.source || b.Path != tc.path || len(b.SHA256) != 64 {
				t.Errorf("resolved to %+v", b)
			}
		})
	}
}

func TestResolveSaysWhyNot(t *testing.T) {
	offline := release.Options{Dir: t.TempDir(), Offline: true}
	t.Run("PATH has another", func(t *testing.T) {
		t.Setenv("PATH", filepath.Dir(place(t, "nats-server")))
		var h heard
		_, err := release.New(offline).Resolve(t.Context(), "2.14.9", h.progress)
		wantError(t, err, release.ErrOffline, "nats-server 2.14.9: not on this machine, and offline")
		if h.count("nats-server on PATH is "+string(embedded.Version)+", not 2.14.9") != 1 {
			t.Errorf("progress was %q", h.lines)
		}
	})
	t.Setenv("PATH", t.TempDir())
	for selector, kind := range map[string]error{
		"2.14.9": release.ErrOffline, "embedded": release.ErrAbsent, "2.14": release.ErrSelector, "path": nil,
	} {
		_, err := release.New(offline).Resolve(t.Context(), selector, nil)
		if kind == nil {
			kind = err
		}
		wantError(t, err, kind)
	}
	_, err := release.New(release.Options{Dir: t.TempDir(), Source: "module"}).Resolve(t.Context(), "2.14.9", nil)
	wantError(t, err, release.ErrNoToolchain, "nats-server 2.14.9 from module: no Go toolchain on PATH")
}
