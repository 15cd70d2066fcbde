package upgrade_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// seeds is what the chapter of the seed servers is made from.
func seeds(t testing.TB) upgrade.Spec {
	sp := spec(t, 3, false)
	c, ok := upgrade.FindChapter("seed")
	if !ok {
		t.Fatal("no chapter seed")
	}
	c.Shape(&sp.Topology)
	return sp
}

// In virtual time: the mesh, the hole in it while the seed is down, and none with a
// list of all servers.
func TestSeedIsWalked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sp := seeds(t)
		w := begin(t, sp, false, nil, func(r *upgrade.Runner) { r.Plan = upgrade.Seed(sp) })
		s, err := w.end()
		if err != nil || s.Plan.Outcome != upgrade.OutcomeVerified || len(s.Plan.Steps) < 12 || len(s.Plan.Steps) > 20 {
			t.Fatalf("%v: %s, %d steps", err, s.Plan.Outcome, len(s.Plan.Steps))
		}
		for id, want := range map[string]string{
			"start-a":         "/routez of A: no peers",
			"start-b":         "did_solicit: on B; is_configured: on B",
			"start-c":         "did_solicit: on B; is_configured: on neither",
			"restart-b":       "/routez of B: peers none; of C: none",
			"restart-a":       "B⇄C",
			"restart-again-b": "is_configured: on B",
			"look-back":       "who knows only B missed",
		} {
			st := find(s.Plan, id)
			if !slices.ContainsFunc(st.Checks, func(r upgrade.Result) bool { return r.Met && strings.Contains(r.Detail, want) }) {
				t.Errorf("%s: no %q in %+v", st.ID, want, st.Checks)
			}
		}
		hole, none := find(s.Plan, "restart-a").Impact.Lost, find(s.Plan, "restart-again-a").Impact.Lost
		if cl := w.last().World.Fleet.Clients[21]; cl.Pinned != "B" || hole < 100 || none != 0 {
			t.Errorf("%s lost %d of the hole, and %d without one", cl.Name, hole, none)
		}
	})
}

// What the checks of the chapter say to two servers that see each other, or do not.
func TestRoutesAreJudged(t *testing.T) {
	sp := seeds(t)
	o := cluster.Observe(sp.Topology)
	at := cluster.Answer{}.Began.AddDate(2026, 0, 0)
	for i, n := range sp.Topology.Nodes {
		o.Servers[i].Process = cluster.Process{PID: 100 + i, Started: at, Args: sp.Topology.Args(n)}
		o.Servers[i].Answer = cluster.Answer{Node: n.Name, ServerID: "ID" + n.Name, Version: "2.15.2", Began: at, Ended: at.Add(5 * 1e9)}
	}
	linked := func(a, b int, dialed, configured int) cluster.Observation {
		o := o
		o.Servers = slices.Clone(o.Servers)
		o.Servers[a].Answer.Peers = []cluster.Peer{{ID: o.Servers[b].Answer.ServerID, Routes: 4, Dialed: dialed, Configured: configured}}
		o.Servers[b].Answer.Peers = []cluster.Peer{{ID: o.Servers[a].Answer.ServerID, Routes: 4}}
		o.Servers[a].Answer.Routes, o.Servers[b].Answer.Routes = 4, 4
		return o
	}
	for _, tc := range []struct {
		name  string
		check upgrade.Check
		on    cluster.Observation
		met   bool
	}{
		{"alone", upgrade.Alone{Node: "A"}, o, true},
		{"not alone", upgrade.Alone{Node: "A"}, linked(0, 1, 4, 4), false},
		{"by gossip", upgrade.Linked{A: "B", B: "C", Gossip: true}, linked(1, 2, 4, 0), true},
		{"by gossip, not configured", upgrade.Linked{A: "B", B: "C"}, linked(1, 2, 4, 0), false},
		{"configured", upgrade.Linked{A: "B", B: "C"}, linked(1, 2, 4, 4), true},
		{"configured, not by gossip", upgrade.Linked{A: "B", B: "C", Gossip: true}, linked(1, 2, 4, 4), false},
		{"no link", upgrade.Linked{A: "B", B: "C", Gossip: true}, o, false},
		{"apart", upgrade.Apart{A: "B", B: "C", For: 4e9}, o, true},
		{"not long enough", upgrade.Apart{A: "B", B: "C", For: 6e9}, o, false},
		{"not apart", upgrade.Apart{A: "B", B: "C", For: 4e9}, linked(1, 2, 4, 0), false},
		{"told of the seed only", upgrade.RoutesGiven{Node: "B", Routes: sp.Topology.Nodes}, o, false},
		{"told of the seed", upgrade.RoutesGiven{Node: "B", Routes: sp.Topology.Nodes[:1]}, o, true},
		{"told of nobody, and should be", upgrade.RoutesGiven{Node: "A", Routes: sp.Topology.Nodes}, o, false},
		{"told of nobody", upgrade.RoutesGiven{Node: "A"}, o, true},
		{"not down", upgrade.StartedWithout{Node: "B", Down: "A"}, o, false},
	} {
		if v := tc.check.Eval(tc.on); v.Met != tc.met || v.Detail == "" {
			t.Errorf("%s: %s: %t %s", tc.name, tc.check, v.Met, v.Detail)
		}
	}
}

// last is the newest state.
func (w *walk) last() rehearsal.State {
	s, _ := w.lab.State()
	return s
}
