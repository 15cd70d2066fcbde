package local_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"nats-roll/cluster"
	"nats-roll/fleet"
	"nats-roll/local"
	"nats-roll/proc/proctest"
	"nats-roll/rehearsal"
	"nats-roll/release"
	"nats-roll/release/releasetest"
	"nats-roll/upgrade"
	"nats-roll/upgrade/upgradetest"
)

// testRig is a rig with what only this driver has: folders.
type testRig struct {
	upgradetest.Rig
	dir string
}

func (r testRig) Slot(node string) string { return filepath.Join(r.dir, node) }

func rig(t *testing.T, sink cluster.Sink) testRig {
	top := proctest.Topology(t, 2)
	dir := t.TempDir()
	pids := map[string]int{}
	d, err := local.New(local.Options{
		System:   fleet.System,
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
	return testRig{dir: dir, Rig: upgradetest.Rig{
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
	}}
}

// Real servers of two versions, real clients.
func TestLocalPassesTheDriverSuite(t *testing.T) {
	for _, c := range upgradetest.Suite {
		t.Run(c.Name, func(t *testing.T) {
			c.Run(t, func(t *testing.T, sink cluster.Sink) upgradetest.Rig { return rig(t, sink).Rig })
		})
	}
}

// What is looked at before a server is stopped includes the room on its disk.
func TestInspectTellsOfTheRoom(t *testing.T) {
	told := make(chan cluster.Inspection, 1)
	r := rig(t, func(e cluster.Event) {
		if in, ok := e.(cluster.Inspected); ok {
			told <- in.Inspection
		}
	})
	defer r.Close()
	inspect := func(b cluster.Build) string {
		t.Helper()
		if err := r.Driver.Inspect(t.Context(), "A", b, r.Topology.Args(r.Topology.Nodes[0])); err != nil {
			t.Fatal(err)
		}
		in := <-told
		var found []string
		for _, f := range in.Facts {
			found = append(found, fmt.Sprint(f.OK, " ", f.Detail))
		}
		return strings.Join(found, "; ")
	}
	want := regexp.MustCompile(`^true staged, \d+\.\d [MG]B free on its disk; true sha256 .+; true it prints .+; true it takes the command line; true the ports are A's own$`)
	if got := inspect(r.To); !want.MatchString(got) {
		t.Error(got)
	}
	gone := r.To
	gone.Path += ".gone"
	if got := inspect(gone); got != "false open "+gone.Path+": "+syscall.ENOENT.Error() {
		t.Error(got)
	}
}

// What is looked at ahead of time may be installed, and another build staged, before the
// look is over: that is nothing against the build.
func TestAnotherIsStagedDuringTheLook(t *testing.T) {
	top := proctest.Topology(t, 2)
	from, to := releasetest.Build(t, releasetest.Older), releasetest.Embedded(t)
	var d *local.Driver
	meanwhile := func(context.Context) error { return nil }
	var told []cluster.Inspection
	d, err := local.New(local.Options{
		Topology: top, Dir: t.TempDir(), Identify: release.Identify,
		Inspect: func(ctx context.Context, file string, b cluster.Build, args []string) []cluster.Fact {
			if err := meanwhile(ctx); err != nil {
				t.Error(err)
			}
			return release.Inspect(ctx, file, b, args)
		},
		Sink: func(e cluster.Event) {
			if in, ok := e.(cluster.Inspected); ok {
				told = append(told, in.Inspection)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	look := func() {
		t.Helper()
		if err := d.Inspect(t.Context(), "A", to, top.Args(top.Nodes[0])); err != nil {
			t.Fatal(err)
		}
	}
	meanwhile = func(ctx context.Context) error { return errors.Join(d.Install(ctx, "A", to), d.Stage(ctx, "A", from)) }
	if look(); len(told) != 0 {
		t.Errorf("%+v", told)
	}
	meanwhile = func(context.Context) error { return nil }
	if look(); len(told) != 1 || !told[0].Facts[len(told[0].Facts)-1].OK {
		t.Errorf("%+v", told)
	}
}

// A server that somebody starts from a slot in another terminal stands in the
// node's place, and is not ended by anybody but them.
func TestAServerStartedByHand(t *testing.T) {
	lab := rehearsal.New()
	defer lab.Close()
	r := rig(t, lab.Emit)
	lab.Emit(upgrade.Planned{Outline: upgrade.Outline{Topology: r.Topology}})
	n := r.Topology.Nodes[0]
	if err := r.Driver.Install(t.Context(), "A", r.From); err != nil {
		t.Fatal(err)
	}
	hand := exec.Command(r.Slot("A")+"/nats-server", r.Topology.Args(n)...)
	if err := hand.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- hand.Wait() }()
	soon(t, lab, r.Driver, upgrade.Running{Node: "A", Build: r.From})
	if o, _ := lab.Observe(); !o.Servers[0].Process.Guest || o.Servers[0].Process.PID != hand.Process.Pid {
		t.Errorf("process %+v", o.Servers[0].Process)
	}
	if err := r.Driver.Stop(t.Context(), "A", cluster.StopKill); err == nil || !strings.Contains(err.Error(), "started by hand") {
		t.Errorf("stop: %v", err)
	}
	if err := r.Driver.Start(t.Context(), "A", r.Topology.Args(n)); err == nil {
		t.Error("started twice")
	}
	r.Close()
	select {
	case err := <-ended:
		t.Errorf("it was ended: %v", err)
	default:
	}
	if err := hand.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-ended
}

// And its end is seen.
func TestAServerStartedByHandEnds(t *testing.T) {
	lab := rehearsal.New()
	defer lab.Close()
	r := rig(t, lab.Emit)
	defer r.Close()
	lab.Emit(upgrade.Planned{Outline: upgrade.Outline{Topology: r.Topology}})
	if err := r.Driver.Install(t.Context(), "A", r.From); err != nil {
		t.Fatal(err)
	}
	hand := exec.Command(r.Slot("A")+"/nats-server", r.Topology.Args(r.Topology.Nodes[0])...)
	if err := hand.Start(); err != nil {
		t.Fatal(err)
	}
	soon(t, lab, r.Driver, upgrade.Running{Node: "A", Build: r.From})
	if err := hand.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = hand.Wait()
	soon(t, lab, r.Driver, upgrade.Exited{Node: "A"})
	if err := r.Driver.Start(t.Context(), "A", r.Topology.Args(r.Topology.Nodes[0])); err != nil {
		t.Fatal(err)
	}
	soon(t, lab, r.Driver, upgrade.Running{Node: "A", Build: r.From})
}

func soon(t *testing.T, lab *rehearsal.Lab, d upgrade.Driver, c upgrade.Check) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		o, changed := lab.Observe()
		if c.Eval(o).Met {
			return
		}
		d.Look()
		select {
		case <-changed:
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			t.Fatalf("%s: %s", c, c.Eval(o).Detail)
		}
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
