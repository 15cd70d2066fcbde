//go:build unix

package local_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// A person who types what is shown asks the build that the driver asks, wherever it
// comes from, and learns the same.
func TestABuildIsAskedAsItIsShown(t *testing.T) {
	lab := rehearsal.New()
	defer lab.Close()
	r := rig(t, lab.Emit)
	defer r.Close()
	for _, b := range []cluster.Build{r.From, r.To} {
		slot := t.TempDir()
		if err := os.WriteFile(filepath.Join(slot, cluster.ConfigFile), []byte("max_payload: 1MB\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		a := upgrade.Inspect{Node: "A", Build: b, Args: append(r.Topology.Args(r.Topology.Nodes[0]), "-c", cluster.ConfigFile), Slot: slot}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", a.Shell(cluster.Observation{})).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "nats-server: "+b.Version.Tag()) || !strings.Contains(string(out), "is valid") {
			t.Errorf("%s from %s: %v\n%s\n%s", b.Version, b.Source, err, a.Shell(cluster.Observation{}), out)
		}
	}
}
