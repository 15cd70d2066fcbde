//go:build unix

package local_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// A copy that takes its time keeps the node's server from nothing.
func TestAServerStartsWhileTheNextIsStaged(t *testing.T) {
	lab := rehearsal.New()
	defer lab.Close()
	r := rig(t, lab.Emit)
	defer r.Close()
	lab.Emit(upgrade.Planned{Outline: upgrade.Outline{Topology: r.Topology}})
	if err := r.Driver.Install(t.Context(), "A", r.From); err != nil {
		t.Fatal(err)
	}
	slow := filepath.Join(t.TempDir(), "slow")
	if err := syscall.Mkfifo(slow, 0o600); err != nil {
		t.Fatal(err)
	}
	staged := make(chan error, 1)
	go func() { staged <- r.Driver.Stage(t.Context(), "A", cluster.Build{Path: slow, SHA256: r.To.SHA256}) }()
	bytes, err := os.OpenFile(slow, os.O_WRONLY, 0) // returns when it is read from
	if err != nil {
		t.Fatal(err)
	}
	defer bytes.Close()
	started := make(chan error, 1)
	go func() { started <- r.Driver.Start(t.Context(), "A", r.Topology.Args(r.Topology.Nodes[0])) }()
	select {
	case err := <-started:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the start waits for the copy")
	}
	select {
	case err := <-staged:
		t.Errorf("it was staged before it was there: %v", err)
	default:
	}
	if err := bytes.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-staged; err == nil {
		t.Error("nothing was staged as a server")
	}
	soon(t, lab, r.Driver, upgrade.Running{Node: "A", Build: r.From})
}
