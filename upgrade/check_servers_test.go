package upgrade

import (
	"testing"

	"nats-roll/cluster"
)

// A restart counts from when its step begins: earlier ones, and what is there before,
// prove nothing.
func TestAgain(t *testing.T) {
	server := func(starts int, up bool) cluster.Observation {
		top, err := cluster.NewTopology(2, false, 0)
		if err != nil {
			t.Fatal(err)
		}
		o := cluster.Observe(top)
		o.Servers[0].Starts = starts
		o.Servers[0].Process.PID = 7
		if up {
			o.Servers[0].Answer = cluster.Answer{Node: "A", ServerID: "N", Version: "2.15.2"}
		}
		return o
	}
	before := server(2, true)
	plan := []Check{Again{Node: "A"}, Up{Node: "A"}}
	now := beginning(plan, before)
	for _, tc := range []struct {
		name  string
		check Check
		seen  cluster.Observation
		met   bool
	}{
		{"before the step begins", plan[0], server(3, true), false},
		{"as it was", now[0], before, false},
		{"started, and not up yet", now[0], server(3, false), false},
		{"started and up", now[0], server(3, true), true},
		{"another check", now[1], before, true},
		{"the same step once more", beginning(plan, server(3, true))[0], server(3, true), false},
	} {
		if v := tc.check.Eval(tc.seen); v.Met != tc.met {
			t.Errorf("%s: %+v", tc.name, v)
		}
	}
}
