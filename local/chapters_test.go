package local_test

import (
	"cmp"
	"context"
	"runtime"
	"strconv"
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

// walked walks a chapter unattended on real servers, and returns what came of it.
// Every step has to change something, unless it stands in looks.
func walked(t *testing.T, name string, w cluster.Workload, looks map[string]string) rehearsal.State {
	t.Helper()
	c, ok := upgrade.FindChapter(name)
	if !ok {
		t.Fatalf("there is no chapter %s", name)
	}
	nodes, err := strconv.Atoi(cmp.Or(c.Flags["nodes"], "2"))
	if err != nil {
		t.Fatal(err)
	}
	spare := c.Flags["no-spare"] != "true"
	top, err := cluster.NewTopology(nodes, spare, proctest.Offset(t, nodes+1))
	if err != nil {
		t.Fatal(err)
	}
	top.JetStream = c.Flags["jetstream"] == "true"
	if c.Shape != nil {
		c.Shape(&top)
	}
	lab := rehearsal.New()
	dir := t.TempDir()
	d, err := local.New(local.Options{
		Topology: top, Dir: dir, Sink: lab.Emit, System: fleet.System, Identify: release.Identify, Inspect: release.Inspect,
		Clients: func(w cluster.Workload) local.Clients {
			return fleet.New(fleet.Options{Topology: top, Workload: w, Sink: lab.Emit})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p := c.Plan(upgrade.Spec{
		Topology: top, Workload: w, Stop: cluster.StopInt, Dir: dir, Windows: runtime.GOOS == "windows",
		From: cluster.Builds{Build: releasetest.Build(t, releasetest.Older)}, To: cluster.Builds{Build: releasetest.Embedded(t)},
	})
	witness := upgradetest.NewWitness(p, lab, lab.Emit)
	r := upgrade.Runner{Plan: p, Driver: d, World: lab, Sink: witness.Sink}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	err = r.Run(ctx)
	if cerr := d.Close(); cerr != nil {
		t.Error(cerr)
	}
	lab.Close()
	s, _ := lab.State()
	if err != nil {
		t.Fatal(err)
	}
	witness.Report(t, name, looks)
	return s
}

// Six things go wrong, each is seen, and all is well at the end.
func TestBreakItOnRealServers(t *testing.T) {
	t.Parallel()
	s := walked(t, "break-it", cluster.Workload{
		Subscribers: 6, Rate: 100, Timeout: time.Second, Stores: 1, StoreRate: 50, Consumers: 1, KV: 10,
	}, nil)
	if st := s.World.Fleet.Stored; !st.Looked || st.Acked == 0 || st.Found != st.Acked || st.Missing+st.Twice > 0 {
		t.Errorf("stored: %+v", st)
	}
	if f := s.World.Fleet; f.Expected == 0 || f.Expected != f.Received-f.Duplicated+f.Lost {
		t.Errorf("totals: %+v", f.Totals)
	}
	t.Logf("it took %s", s.Plan.Ended.Sub(s.Plan.Began))
}
