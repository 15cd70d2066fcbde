package upgrade_test

import (
	"strings"
	"testing"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

func TestReplicasAreJudgedInTheirLeadersEyes(t *testing.T) {
	permanent := topology(t, 3, true).Permanent()
	good := func() []cluster.Stream {
		return []cluster.Stream{{Name: "ROLL", Leader: "B", Replicas: []cluster.Replica{{Node: "A", Current: true}, {Node: "C", Current: true}}}}
	}
	for name, tt := range map[string]struct {
		spoil func(*cluster.Stream)
		says  string // empty: it holds
	}{
		"well":                   {func(*cluster.Stream) {}, ""},
		"one replica":            {func(s *cluster.Stream) { s.Replicas = nil }, ""},
		"no leader":              {func(s *cluster.Stream) { s.Leader = "" }, "ROLL has no leader"},
		"offline":                {func(s *cluster.Stream) { s.Replicas[1].Offline = true }, "the replica on C is offline"},
		"not current":            {func(s *cluster.Stream) { s.Replicas[0].Current = false }, "the replica on A is not current"},
		"behind":                 {func(s *cluster.Stream) { s.Replicas[0].Lag = 7 }, "the replica on A is 7 operations behind"},
		"on the temporary":       {func(s *cluster.Stream) { s.Replicas[0].Node = "D" }, "there is a replica on D"},
		"nothing was asked yet ": {nil, "not asked for yet"},
	} {
		o := cluster.Observation{}
		if tt.spoil != nil {
			o.Fleet.Streams = good()
			tt.spoil(&o.Fleet.Streams[0])
		}
		v := (upgrade.Replicated{Nodes: permanent}).Eval(o)
		if v.Met != (tt.says == "") || !strings.Contains(v.Detail, tt.says) {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestWhatWasAcknowledgedIsKept(t *testing.T) {
	for says, s := range map[string]cluster.Stored{
		"not looked up":                        {Acked: 5},
		"5 acknowledged, 5 found":              {Looked: true, Acked: 5, Found: 5},
		"nobody knows":                         {Looked: true, Acked: 5, Found: 5, Unsure: 1},
		"2 of 5 acknowledged":                  {Looked: true, Acked: 5, Found: 3, Missing: 2},
		"1 are there more than once":           {Looked: true, Acked: 5, Found: 5, Twice: 1},
		"the last value that was acknowledged": {Looked: true, Acked: 5, Found: 5, KVLost: true},
	} {
		o := cluster.Observation{}
		o.Fleet.Stored = s
		if b := (upgrade.Kept{Budgeted: true}).Eval(o); s.Missing > 0 && (!b.Met || !strings.Contains(b.Detail, "2 MISSING")) {
			t.Errorf("%s, with a budget: %+v", says, b)
		}
		v := upgrade.Kept{}.Eval(o)
		if !strings.Contains(v.Detail, says) || v.Met != (s.Looked && s.Missing+s.Twice == 0 && !s.KVLost) {
			t.Errorf("%s: %+v", says, v)
		}
	}
}

// With JetStream the streams are asked for before a server is stopped and after it
// is back, and what was acknowledged is looked up at the end.
func TestStreamsAreAskedForInThePlan(t *testing.T) {
	sp := spec(t, 3, true)
	sp.Topology.JetStream = true
	sp.Workload.Stores, sp.Workload.StoreRate, sp.Workload.Consumers, sp.Workload.KV = 1, 50, 1, 10
	has := func(list []string) bool {
		return strings.Contains(strings.Join(list, "\n"), "every stream has a leader")
	}
	o := upgrade.Rolling(sp).Outline()
	for _, s := range o.Steps {
		if strings.HasPrefix(s.ID, "stop-") && s.Node != "D" && !has(s.Given) || strings.HasPrefix(s.ID, "restart-") && !has(s.Checks) {
			t.Errorf("%s does not ask", s.ID)
		}
		for _, c := range append([]string{s.Command}, s.Back...) {
			if strings.Contains(c, " -n D ") && strings.Contains(c, "-js") {
				t.Errorf("the temporary server has JetStream: %s", c)
			}
		}
	}
	last := o.Steps[len(o.Steps)-1]
	if !strings.Contains(strings.Join(last.Checks, "\n"), "every acknowledged message is in the stream") {
		t.Errorf("checks %v", last.Checks)
	}
}
