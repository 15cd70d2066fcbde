package local_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"nats-roll/cluster"
	"nats-roll/fleet"
	"nats-roll/local"
	"nats-roll/proc/proctest"
	"nats-roll/release"
	"nats-roll/release/releasetest"
	"nats-roll/upgrade/upgradetest"
)

func TestMain(m *testing.M) { releasetest.Main(m) }

func rig(t *testing.T, sink cluster.Sink) upgradetest.Rig {
	top := proctest.Topology(t, 2)
	dir := t.TempDir()
	pids := map[string]int{}
	d, err := local.New(local.Options{
		Topology: top, Dir: dir, Identify: release.Identify, Inspect: release.Inspect,
		Sink: func(e cluster.Event) {
			if s, ok := e.(cluster.Started); ok {
				pids[s.Node] = s.Process.PID // Start has told it before it returns
			}
			sink(e)
		},
		Clients: func(w cluster.Workload) local.Clients {
			return fleet.New(fleet.Options{Topology: top, Workload: w, Sink: sink})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return upgradetest.Rig{
		Driver: d, Topology: top,
		From: releasetest.Build(t, releasetest.Older), To: releasetest.Embedded(t),
		Kill: func(node string) {
			p, err := os.FindProcess(pids[node])
			if err == nil {
				err = p.Signal(syscall.SIGKILL)
			}
			if err != nil {
				t.Error(err)
			}
		},
		Swap: func(node string, to cluster.Build) {
			if err := swap(filepath.Join(dir, node, "nats-server"), to); err != nil {
				t.Error(err)
			}
		},
		Close: func() {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		},
	}
}

// Real servers of two versions, real clients.
func TestLocalPassesTheDriverSuite(t *testing.T) {
	for _, c := range upgradetest.Suite {
		t.Run(c.Name, func(t *testing.T) { c.Run(t, rig) })
	}
}

// swap does what the tutorial's reader does in another terminal.
func swap(file string, to cluster.Build) error {
	switch {
	case to.Zero():
		return os.Remove(file)
	case to.Version == "":
		return os.WriteFile(file, []byte("hello"), 0o755)
	}
	data, err := os.ReadFile(to.Path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".mine", data, 0o755); err != nil {
		return err
	}
	return os.Rename(file+".mine", file)
}
