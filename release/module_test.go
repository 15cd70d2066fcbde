package release_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"nats-roll/release"
)

func TestModuleInstallsIntoTheStore(t *testing.T) {
	proxy(t)
	dir := t.TempDir()
	var h heard
	b, err := release.New(release.Options{Dir: dir, Source: "module"}).Resolve(t.Context(), "2.99.1", h.progress)
	if err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(dir, "2.99.1", runtime.GOOS+"-"+runtime.GOARCH)
	if b.Version != "2.99.1" || b.Source != "module" || filepath.Dir(b.Path) != want {
		t.Errorf("resolved to %+v", b)
	}
	for _, part := range []string{"installing nats-server 2.99.1", "downloading 1 module", "compiling: ", "checking"} {
		if h.count(part) == 0 {
			t.Errorf("progress %q does not say %q", h.lines, part)
		}
	}
	list, err := release.NewStore(dir).List()
	if err != nil || len(list) != 1 || list[0].Build != b || list[0].Go != runtime.Version() || time.Since(list[0].Fetched) > time.Hour {
		t.Errorf("the store lists %+v, %v", list, err)
	}
	files, err := os.ReadDir(want)
	if err != nil || len(files) != 2 {
		t.Errorf("the entry holds %v, %v; want the server and its record", files, err)
	}

	// From then on it needs neither the network nor a toolchain.
	t.Setenv("PATH", t.TempDir())
	again, err := release.New(release.Options{Dir: dir, Offline: true}).Resolve(t.Context(), "v2.99.1", nil)
	if err != nil || again != b {
		t.Errorf("from the store: %+v, %v; want %+v", again, err, b)
	}
}

func TestModuleSaysWhyNot(t *testing.T) {
	answer := func(status int, text string) string {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
		}))
		t.Cleanup(srv.Close)
		return srv.URL
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for name, tc := range map[string]struct {
		proxy   string // empty means the one with versions of our own
		version string
		kind    error
		says    string
	}{
		"off":            {"off", "2.99.1", release.ErrNetwork, "module lookup disabled by GOPROXY=off"},
		"empty proxy":    {"file://" + filepath.ToSlash(t.TempDir()), "2.99.1", release.ErrUnknownVersion, "no such version"},
		"unknown":        {"", "2.77.1", release.ErrUnknownVersion, "nats-server 2.77.1 from module: no such version"},
		"404":            {answer(404, "not found: unknown revision v2.77.1"), "2.77.1", release.ErrUnknownVersion, "no such version"},
		"403":            {answer(403, "not for you"), "2.99.1", release.ErrNetwork, "403 Forbidden server response: not for you"},
		"410":            {answer(410, ""), "2.99.1", release.ErrNetwork, "410 Gone"},
		"500":            {answer(500, ""), "2.99.1", release.ErrNetwork, "500 Internal Server Error"},
		"refused":        {closed.URL, "2.99.1", release.ErrNetwork, "connection refused"},
		"needs newer go": {"", "2.99.2", release.ErrOldToolchain, "requires go >= 1.99"},
		"no compile":     {"", "2.99.3", release.ErrBuild, "undefined: undefined"},
		"lies":           {"", "2.99.4", release.ErrNotServer, "what came says that it is 2.98.0"},
	} {
		t.Run(name, func(t *testing.T) {
			if proxy(t); tc.proxy != "" {
				goEnv(t, tc.proxy)
			}
			dir := t.TempDir()
			_, err := release.New(release.Options{Dir: dir, Source: "module"}).Resolve(t.Context(), tc.version, nil)
			wantError(t, err, tc.kind, tc.says)
			if left := leftovers(t, dir); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

func TestModuleEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{}, 100) // the go command asks for several paths at once
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done() // the go command's end closes its connection
		gone <- struct{}{}
	}))
	defer srv.Close()
	goEnv(t, srv.URL)
	dir := t.TempDir()
	_, err := release.New(release.Options{Dir: dir, Source: "module"}).Resolve(ctx, "2.99.1", nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want %v", err, context.Canceled)
	}
	select {
	case <-gone:
	case <-time.After(20 * time.Second):
		t.Error("the go command still runs")
	}
	if left := leftovers(t, dir); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	proxy(t)
	if _, err := release.New(release.Options{Dir: dir, Source: "module"}).Resolve(t.Context(), "2.99.1", nil); err != nil {
		t.Errorf("after a cancelled one: %v", err)
	}
}

func TestTwoProgramsInstallOnce(t *testing.T) {
	proxy(t)
	dir := t.TempDir()
	var first, second heard
	waits := make(chan struct{})
	done := make(chan error, 1)
	var b2 [2]string
	resolve := func(i int, p release.Progress) error {
		b, err := release.New(release.Options{Dir: dir, Source: "module"}).Resolve(t.Context(), "2.99.1", p)
		b2[i] = b.SHA256
		return err
	}
	err := resolve(0, func(s string) {
		first.progress(s)
		if !strings.HasPrefix(s, "installing") {
			return
		}
		// Now the first holds the lock: let the second come, and go on when it
		// has met the lock.
		go func() {
			done <- resolve(1, func(s string) {
				second.progress(s)
				if strings.HasPrefix(s, "waiting") {
					close(waits)
				}
			})
		}()
		select {
		case <-waits:
		case <-time.After(20 * time.Second):
			t.Error("the second does not wait")
		}
	})
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	if b2[0] != b2[1] || second.count("installing") != 0 || first.count("installing") != 1 {
		t.Errorf("builds %q; first said %q, second %q", b2, first.lines, second.lines)
	}
}
