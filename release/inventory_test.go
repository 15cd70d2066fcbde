package release_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nats-roll/release"
	"nats-roll/release/embedded"
)

// What is at hand is told with where it is from, and what is spoilt is told
// beside it.
func TestAtHand(t *testing.T) {
	m := newMirror(t)
	m.publish(published, ".tar.gz", tarGz(t, usual(compiled(t, published))))
	o := m.options(t)
	t.Setenv("PATH", filepath.Dir(place(t, "nats-server")))

	// PATH has another version, and is not asked: Fetch wants it in the store.
	o.Source = ""
	o.Embedded = embedded.Version
	b, err := release.New(o).Fetch(t.Context(), published, nil)
	if err != nil || b.Source != "release" {
		t.Fatalf("fetched %+v, %v", b, err)
	}
	o.Offline = true
	if again, err := release.New(o).Fetch(t.Context(), published, nil); err != nil || again != b {
		t.Errorf("fetched again: %+v, %v", again, err)
	}
	_, err = release.New(o).Fetch(t.Context(), embedded.Version, nil) // embedded and on PATH, not in the store
	wantError(t, err, release.ErrOffline)

	found, err := release.New(o).AtHand(t.Context())
	if err != nil || len(found) != 3 {
		t.Fatalf("found %+v, %v", found, err)
	}
	for i, want := range []string{"embedded", "release", "path"} {
		if e := found[i]; e.Source != want || e.SHA256 == "" || e.Size == 0 || e.Path == "" || e.Go == "" || e.Fetched.IsZero() != (want != "release") {
			t.Errorf("%s: %+v", want, e)
		}
	}
	if e := found[1]; e.Build != b {
		t.Errorf("from the store: %+v, want %+v", e.Build, b)
	}

	// A record that cannot be read, and a nats-server that is none.
	if err := os.WriteFile(filepath.Join(filepath.Dir(b.Path), "nats-server.json"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), programName())
	if err := os.WriteFile(bad, []byte("text"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(bad))
	found, err = release.New(o).AtHand(t.Context())
	if len(found) != 1 || found[0].Source != "embedded" {
		t.Errorf("found %+v", found)
	}
	if err == nil || !errors.Is(err, release.ErrChecksum) || !errors.Is(err, release.ErrNotServer) {
		t.Errorf("error %v", err)
	}
	if n := len(strings.Split(err.Error(), "\n")); n != 2 {
		t.Errorf("%d lines: %v", n, err)
	}
	if versions, err := release.NewStore(o.Dir).Versions(); err != nil || len(versions) != 1 || versions[0] != published {
		t.Errorf("versions %v, %v", versions, err)
	}
}
