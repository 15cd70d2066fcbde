// Package releasetest gives other packages' tests real nats-server builds. They
// come from the store that all programs of this user share, so a version is
// installed at most once on a machine, whichever test asks first.
package releasetest

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"nats-roll/cluster"
	"nats-roll/release"
	"nats-roll/release/embedded"
)

// Older is a version before the embedded one: what an upgrade test starts from.
const Older = "2.15.1"

// isServer is set by Main: this test binary plays nats-server when asked.
var isServer bool

// Main is for TestMain of a package whose tests start the embedded server: it
// is that server when the test binary was started under its name, and runs the
// tests otherwise.
//
//	func TestMain(m *testing.M) { releasetest.Main(m) }
func Main(m interface{ Run() int }) {
	if embedded.Asked(os.Args[0]) {
		embedded.Main()
	}
	isServer = true
	os.Exit(m.Run())
}

// Embedded is the server inside this test binary, which must use Main.
func Embedded(t testing.TB) cluster.Build {
	t.Helper()
	if !isServer {
		t.Fatal("TestMain does not call releasetest.Main")
	}
	return Build(t, "embedded")
}

var (
	mu    sync.Mutex
	found = map[string]cluster.Build{}
)

// Build is the build that the selector names, such as "2.15.1" or "embedded".
// The test fails when it cannot be had.
func Build(t testing.TB, selector string) cluster.Build {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	if b, ok := found[selector]; ok {
		return b
	}
	// Installing a version from nothing takes half a minute on an idle machine.
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	var o release.Options
	if isServer {
		o.Embedded = embedded.Version
	}
	began, last := time.Now(), "started"
	told := func(s string) { last = s }
	o.Offline = true
	b, err := release.New(o).Resolve(ctx, selector, told)
	if errors.Is(err, release.ErrOffline) { // tests ask the module proxy and nobody else
		o.Offline, o.Source = false, "module"
		b, err = release.New(o).Resolve(ctx, selector, told)
	}
	if err != nil {
		t.Fatalf("get nats-server %s: %v (last progress: %s)", selector, err, last)
	}
	t.Logf("nats-server %s from %s after %s", b, b.Source, time.Since(began).Round(time.Millisecond))
	found[selector] = b
	return b
}
