// Package proctest gives tests ports of their own. Test binaries of several
// packages run at the same time, so looking whether a port is free is not
// enough: each set of ports has a lock file that whoever uses it holds.
package proctest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/adrg/xdg"
	"github.com/gofrs/flock"

	"nats-roll/cluster"
	"nats-roll/proc"
)

// Offsets that are apart by a multiple of stride share no port, and none of
// their ports is one that the system gives to outgoing connections, which begin
// at 32768 on Linux and higher elsewhere. A test counts both.
const (
	first  = 2000
	stride = 61
	sets   = 353
)

// patience bounds the wait for a set of ports.
const patience = 2 * time.Minute

// Topology makes a cluster, with a temporary server, at ports that are free and
// that no other test has until this one ends.
func Topology(t testing.TB, permanent int) cluster.Topology {
	t.Helper()
	top, err := cluster.NewTopology(permanent, true, Offset(t, permanent))
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// Offset is the --port-offset of Topology.
func Offset(t testing.TB, permanent int) int {
	t.Helper()
	dir := filepath.Join(xdg.CacheHome, "nats-roll", "test-ports")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		for set := range sets {
			offset := first + set*stride
			lock := flock.New(filepath.Join(dir, fmt.Sprint(offset)))
			ours, err := lock.TryLock()
			if err != nil {
				t.Fatal(err)
			}
			if ours && Taken(permanent, offset) == nil {
				t.Cleanup(func() { _ = lock.Close() })
				return offset
			}
			_ = lock.Close()
		}
		<-time.After(20 * time.Millisecond) // every set is in use: somebody has to end
	}
	t.Fatalf("no free set of ports in %s", patience)
	return 0
}

// Taken is the error of proc.CheckPorts for the first port of such a cluster
// that somebody listens on.
func Taken(permanent, offset int) error {
	top, err := cluster.NewTopology(permanent, true, offset)
	if err != nil {
		return err
	}
	for _, n := range top.Nodes {
		if err := proc.CheckPorts(n.Host, n.ClientPort, n.RoutePort, n.MonitorPort); err != nil {
			return err
		}
	}
	return nil
}
