package release_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"nats-roll/release"
	"nats-roll/release/embedded"
	"nats-roll/release/releasetest"
)

// The test binary is nats-server itself when it is started under that name, and
// a program that gets a build when it is told to be one.
func TestMain(m *testing.M) {
	if dir := os.Getenv(fetchInto); dir != "" {
		fetcher(dir, os.Getenv(fetchFrom))
	}
	if os.Getenv(getItself) != "" && !embedded.Asked(os.Args[0]) {
		resolver(release.Options{Embedded: embedded.Version}, "embedded")
	}
	releasetest.Main(m)
}

// heard keeps what a Progress was told.
type heard struct {
	mu    sync.Mutex
	lines []string
}

func (h *heard) progress(s string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, s)
}

func (h *heard) count(part string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.lines {
		if strings.Contains(l, part) {
			n++
		}
	}
	return n
}

// place copies the test binary, which is a nats-server, to a name.
func place(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if os.Link(self, path) == nil {
		return path
	}
	return copied(t, self, path)
}

// copied is a file of its own: what is done to it is done to no other.
func copied(t testing.TB, file, path string) string {
	t.Helper()
	src, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(dst, src)
	if err := errors.Join(err, dst.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantError checks an error's kind and that it is one readable line with a hint.
func wantError(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	e, ok := errors.AsType[*release.Error](err)
	if !ok {
		t.Fatalf("error is %T %v, want *release.Error", err, err)
	}
	t.Logf("%v\n\thint: %s", e, e.Hint)
	if !errors.Is(err, kind) {
		t.Errorf("error %q is not %q", err, kind)
	}
	if e.Hint == "" {
		t.Errorf("error %q has no hint", err)
	}
	if strings.ContainsAny(e.Error()+e.Hint, "\n\r\x1b") {
		t.Errorf("error %q is not one clean line", err)
	}
	for _, w := range words {
		if !strings.Contains(e.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

// leftovers lists what an interrupted or failed fetch must not leave in a store.
func leftovers(t *testing.T, store string) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"*/*/.fetch-*", "[0-9]*/*"} {
		m, err := filepath.Glob(filepath.Join(store, pattern))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m...)
	}
	slices.Sort(out)
	return out
}
