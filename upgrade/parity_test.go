package upgrade_test

import (
	"testing"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// Where C is the last in every list, another server has to go behind it first.
func TestTowardLooksIntoTheLists(t *testing.T) {
	top := topology(t, 2, true)
	a, b, c := top.Nodes[0], top.Nodes[1], top.Nodes[2]
	o := cluster.Observe(top)
	for i := range o.Servers {
		o.Servers[i].Process = cluster.Process{PID: i + 1}
	}
	restart := func(n string) upgrade.Series {
		return upgrade.Series{upgrade.StopNode{Node: n}, upgrade.StartNode{Node: n}}
	}
	act := upgrade.Toward{Series: restart("A"), First: restart("B"), Party: "orders", From: a, To: c}
	for _, tc := range []struct {
		name  string
		known []cluster.Node
		want  int
	}{
		{"C is next", []cluster.Node{a, c, b}, 2},
		{"C is last", []cluster.Node{a, b, c}, 4},
	} {
		o.Fleet.Clients = []cluster.Client{{Name: "other", Node: "A", Known: []string{a.ClientURL(), c.ClientURL()}}}
		mine := cluster.Client{Party: "orders", Status: cluster.ClientConnected, Node: "A"}
		for _, n := range tc.known {
			mine.Known = append(mine.Known, n.ClientURL())
		}
		o.Fleet.Clients = append(o.Fleet.Clients, mine)
		if got := act.Bind(o).(upgrade.Series); len(got) != tc.want {
			t.Errorf("%s: %d actions, want %d", tc.name, len(got), tc.want)
		}
	}
}
