package upgrade

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nats-roll/cluster"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// group is servers with JetStream: the first of them leads, and size is what it says.
func group(t *testing.T, size int, offline ...string) cluster.Observation {
	t.Helper()
	top, err := cluster.NewTopology(3, true, 0)
	if err != nil {
		t.Fatal(err)
	}
	o := cluster.Observe(top)
	o.At, o.Fleet.At = noon, noon
	for i := range 3 {
		s := &o.Servers[i]
		s.Process = cluster.Process{PID: 10 + i, Started: noon.Add(-time.Minute)}
		s.Starts = 1
		s.Answer = cluster.Answer{Node: s.Node.Name, ServerID: "id" + s.Node.Name, Version: "2.15.2", Healthy: true}
		js := cluster.JetStream{Asked: noon, Meta: cluster.Meta{Leader: "A", Size: size}}
		for _, n := range top.Nodes[:size] {
			if n.Name == s.Node.Name {
				continue
			}
			r := cluster.Replica{Node: n.Name, Current: i == 0 || n.Name == "A"} // a follower knows only the leader
			for _, away := range offline {
				if n.Name == away {
					r.Current, r.Offline = false, true
				}
			}
			js.Meta.Replicas = append(js.Meta.Replicas, r)
		}
		s.Answer.JetStream = js
	}
	return o
}

func TestTheMajorityIsCounted(t *testing.T) {
	for _, tt := range []struct {
		size    int
		offline []string
		without string
		met     bool
		says    string
	}{
		{3, nil, "B", true, "3 members; without B 2 are left, 2 are needed"},
		{3, []string{"C"}, "B", false, "3 members, C offline; without B 1 are left, 2 are needed"},
		{3, []string{"C"}, "C", true, "without C 2 are left, 2 are needed"},
		{4, nil, "B", true, "without B 3 are left, 3 are needed"},
		{4, []string{"D"}, "B", false, "4 members, D offline; without B 2 are left, 3 are needed"},
		{2, nil, "B", false, "without B 1 are left, 2 are needed"},
		{1, nil, "A", false, "without A 0 are left, 1 are needed"},
	} {
		v := Quorum{Without: tt.without}.Eval(group(t, tt.size, tt.offline...))
		if v.Met != tt.met || !v.Known || !strings.Contains(v.Detail, tt.says) {
			t.Errorf("%d members, %v offline, without %s: %+v", tt.size, tt.offline, tt.without, v)
		}
	}
	if v := (Quorum{Without: "A"}).Eval(cluster.Observation{}); v.Met || v.Known {
		t.Errorf("of nothing: %+v", v)
	}
}

// What followers say of each other is never used: spoiled, it changes nothing.
func TestOnlyTheLeaderIsBelieved(t *testing.T) {
	all := []string{"A", "B", "C"}
	checks := []Check{Quorum{Without: "B"}, MetaWhole{Nodes: all}, Leads{Node: "A"}}
	for _, c := range checks {
		o := group(t, 3)
		before := c.Eval(o)
		for i := 1; i < 3; i++ {
			m := &o.Servers[i].Answer.JetStream.Meta
			m.Size = 9
			for k := range m.Replicas {
				m.Replicas[k] = cluster.Replica{Node: m.Replicas[k].Node, Offline: true, Lag: 99}
			}
		}
		if after := c.Eval(o); !before.Met || after != before {
			t.Errorf("%s: %+v, then %+v", c, before, after)
		}
	}
	for says, spoil := range map[string]func(*cluster.Observation){
		"B is not current":               func(o *cluster.Observation) { o.Servers[0].Answer.JetStream.Meta.Replicas[0].Current = false },
		"3 members, C offline":           func(o *cluster.Observation) { o.Servers[0].Answer.JetStream.Meta.Replicas[1].Offline = true },
		"4 members":                      func(o *cluster.Observation) { o.Servers[0].Answer.JetStream.Meta.Size = 4 },
		"C is none of them":              func(o *cluster.Observation) { o.Servers[0].Answer.JetStream.Meta.Replicas[1].Node = "X" },
		"B does not know yet that A":     func(o *cluster.Observation) { o.Servers[1].Answer.JetStream.Meta.Leader = "C" },
		"no word from B":                 func(o *cluster.Observation) { o.Servers[1].Answer.JetStream = cluster.JetStream{} },
		"no server leads it":             func(o *cluster.Observation) { o.Servers[0].Answer.JetStream.Meta.Leader = "" },
		"no server has told of it yet":   func(o *cluster.Observation) { *o = cluster.Observation{} },
		"/jsz of A, which leads: 3 memb": func(*cluster.Observation) {},
	} {
		o := group(t, 3)
		spoil(&o)
		v := MetaWhole{Nodes: all}.Eval(o)
		if !strings.Contains(v.Detail, says) || v.Met != strings.HasPrefix(says, "/jsz") {
			t.Errorf("%s: %+v", says, v)
		}
	}
}

func TestTheLeaderComesLast(t *testing.T) {
	o := group(t, 3)
	for _, tt := range []struct {
		left []string
		want string
	}{
		{[]string{"A", "B", "C"}, "B"},
		{[]string{"B", "A"}, "B"},
		{[]string{"A", "C"}, "C"},
		{[]string{"A"}, "A"},
	} {
		got, why := leaderLast(o, tt.left)
		if got != tt.want || (why != "") != (got != tt.left[0]) {
			t.Errorf("%v: %s, %q", tt.left, got, why)
		}
	}
	if got, _ := leaderLast(cluster.Observation{}, []string{"A", "B"}); got != "A" {
		t.Errorf("nobody leads: %s", got)
	}
	build := cluster.Build{Version: "2.15.2"}
	others := []Restarted{{Node: "B", Build: build}, {Node: "C", Build: build}}
	if v := (Last{Node: "A", Others: others}).Eval(o); v.Met || v.Detail != "A leads, and B has not had its turn" {
		t.Errorf("%+v", v)
	}
	if v := (Last{Node: "B"}).Eval(o); !v.Met || v.Detail != "A leads" {
		t.Errorf("%+v", v)
	}
	o.Servers[1].Starts, o.Servers[2].Starts = 2, 2
	if v := (Last{Node: "A", Others: others}).Eval(o); !v.Met {
		t.Errorf("%+v", v)
	}
}

// copies gives the three servers their own copies of a stream.
func copies(o cluster.Observation, s cluster.Stream, messages ...uint64) cluster.Observation {
	o.Fleet.Streams = append(o.Fleet.Streams, s)
	for i, m := range messages {
		js := &o.Servers[i].Answer.JetStream
		js.Stores = append(js.Stores, cluster.Store{Stream: s.Name, Messages: m})
	}
	return o
}

func TestServersHaveTheSameMessages(t *testing.T) {
	three := []string{"A", "B", "C"}
	roll := cluster.Stream{Name: "ROLL", Copies: 3}
	still := cluster.Stream{Name: "STILL", Copies: 3, Put: 100}
	for _, tt := range []struct {
		name string
		o    cluster.Observation
		met  bool
		says string
	}{
		{"the same", copies(group(t, 3), roll, 7, 7, 7), true, "ROLL 7 each"},
		{"written to meanwhile", copies(group(t, 3), roll, 100, 104, 98), true, "ROLL A 100, B 104, C 98 (it is written to meanwhile)"},
		{"too far apart for that", copies(group(t, 3), roll, 100, 104, 90), false, "ROLL A 100, B 104, C 90"},
		{"nobody writes to it", copies(group(t, 3), still, 100, 100, 99), false, "C 99"},
		{"one has none", copies(group(t, 3), roll, 7, 7), false, "/jsz of C does not list ROLL"},
		{"one copy is no matter", copies(group(t, 3), cluster.Stream{Name: "ONE", Copies: 1}, 7), true, "/jsz"},
		{"not asked", group(t, 3), false, "not asked for yet"},
	} {
		tt.o.Fleet.Stored.Rate = 60
		v := SameCopies{Nodes: three}.Eval(tt.o)
		if v.Met != tt.met || !strings.Contains(v.Detail, tt.says) {
			t.Errorf("%s: %+v", tt.name, v)
		}
		if tt.o.Fleet.Settled = true; tt.name == "written to meanwhile" && (SameCopies{Nodes: three}).Eval(tt.o).Met {
			t.Error("they differ although nothing is written any more")
		}
	}
}

func TestSamplesAreLookedAt(t *testing.T) {
	streams := func(one, memory, three uint64, oneLeads string) cluster.Observation {
		o := group(t, 3)
		o.Fleet.Streams = []cluster.Stream{
			{Name: "ROLL", Copies: 3, Leader: "A", Messages: 7},
			{Name: "ONE", Copies: 1, Put: 100, Messages: one, Leader: oneLeads, Led: []string{"B"}},
			{Name: "MEM", Copies: 1, Put: 100, Messages: memory, Leader: "C", Led: []string{"C"}, Memory: true, Filled: noon},
			{Name: "THREE", Copies: 3, Put: 100, Messages: three, Leader: "A", Led: []string{"A"}, Memory: true},
		}
		return o
	}
	for i, tt := range []struct {
		c    Check
		o    cluster.Observation
		met  bool
		says string
	}{
		{Single{Away: "B"}, streams(0, 100, 100, ""), true, "ONE does not answer, MEM, led by C, has 100"},
		{Single{Away: "B"}, streams(100, 100, 100, "B"), false, "ONE answers, although only B has it"},
		{Single{Away: "A"}, streams(0, 100, 100, ""), false, "ONE does not answer"},
		{Single{Away: "A"}, group(t, 3), false, "not asked"},
		{Remembered{}, streams(100, 100, 100, "B"), true, "ONE 100 of 100, MEM 100 of 100, THREE 100 of 100"},
		{Remembered{}, streams(100, 0, 100, "B"), false, "MEM 0 of 100"},
		{Remembered{}, streams(100, 100, 99, "B"), false, "THREE 99 of 100"},
		{Remembered{}, streams(0, 100, 100, ""), false, "ONE does not answer"},
		{LedElsewhere{Node: "B"}, streams(0, 100, 100, ""), true, "the group A, ROLL A, THREE A"},
		{LedElsewhere{Node: "A"}, streams(0, 100, 100, ""), false, "A leads the group"},
	} {
		if v := tt.c.Eval(tt.o); v.Met != tt.met || !strings.Contains(v.Detail, tt.says) {
			t.Errorf("%d, %s: %+v", i, tt.c, v)
		}
	}
	again := streams(100, 0, 100, "B")
	again.Servers[2].Process.Started = noon
	again.Fleet.Streams[2].Filled = noon.Add(-time.Second)
	if v := (Remembered{}).Eval(again); !v.Met {
		t.Errorf("its server was restarted: %+v", v)
	}
	again.Fleet.Streams[2].Messages = 100
	if v := (Remembered{}).Eval(again); v.Met {
		t.Errorf("a memory survived: %+v", v)
	}
}

func TestWhenNothingIsAcknowledged(t *testing.T) {
	o := group(t, 3)
	o.Fleet.Streams = []cluster.Stream{{Name: "ROLL", Copies: 3}, {Name: "ONE", Copies: 1, Leader: "A"}}
	for _, tt := range []struct {
		ago          time.Duration
		acks, halted bool
	}{{0, true, false}, {900 * time.Millisecond, true, false}, {2 * time.Second, false, false}, {3 * time.Second, false, true}} {
		o.Fleet.Stored.LastAck = noon.Add(-tt.ago)
		if a, h := (Acking{}).Eval(o), (Halted{For: 3 * time.Second}).Eval(o); a.Met != tt.acks || h.Met != tt.halted {
			t.Errorf("%s ago: %+v, %+v", tt.ago, a, h)
		}
	}
	o.Fleet.Streams[0].Leader = "A"
	if v := (Halted{For: 3 * time.Second}).Eval(o); v.Met || v.Detail != "A still leads ROLL" {
		t.Errorf("%+v", v)
	}
	if v := (Acking{}).Eval(cluster.Observation{}); v.Known {
		t.Errorf("%+v", v)
	}
}

func TestHowLongAServerSaidThatAllIsWell(t *testing.T) {
	o := group(t, 3)
	c := Unwell{Node: "A", After: "B"}
	if v := c.Eval(o); v.Met || v.Detail != "B has not ended" {
		t.Errorf("%+v", v)
	}
	o.Servers[1].Process.Exit = &cluster.Exit{At: noon.Add(-20 * time.Second), Asked: true}
	o.Servers[0].Answer.Began = noon
	if v := c.Eval(o); v.Met || v.Detail != "it still says ok, 20 s after the majority was gone" {
		t.Errorf("%+v", v)
	}
	o.Servers[0].Answer.Healthy, o.Servers[0].Answer.Health, o.Servers[0].Unwell = false, "no leader", noon.Add(-3*time.Second)
	if v := c.Eval(o); !v.Met || v.Detail != "it said ok for another 17 s; now: no leader" {
		t.Errorf("%+v", v)
	}
}

func TestAGhostIsCounted(t *testing.T) {
	for _, tt := range []struct {
		size    int
		offline []string
		says    string
		met     bool
	}{
		{4, []string{"D"}, "3 are needed to decide and 3 are left: none may be away besides it", true},
		{4, nil, "4 members", false},
		{3, nil, "3 members", false},
	} {
		if v := (Ghost{Node: "D", Size: 4}).Eval(group(t, tt.size, tt.offline...)); v.Met != tt.met || !strings.Contains(v.Detail, tt.says) {
			t.Errorf("%s: %+v", fmt.Sprint(tt.size, tt.offline), v)
		}
	}
}
