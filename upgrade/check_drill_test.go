package upgrade_test

import (
	"strings"
	"testing"
	"time"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// The checks that see what is broken: what they say yes to, and what comes close.
func TestDrillChecks(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	exit := func(code int) *cluster.Exit {
		return &cluster.Exit{Code: code, After: 9 * time.Millisecond, Reason: "[FTL] no"}
	}
	hearer := func(node string, received uint64) cluster.Client {
		return cluster.Client{Role: cluster.RoleSubscriber, Status: cluster.ClientConnected, Node: node, Received: received}
	}
	hops := func(node string, at ...time.Duration) (out []cluster.Client) {
		for _, d := range at {
			out = append(out, cluster.Client{Trail: []cluster.Hop{{Node: node}, {Node: "B", At: now.Add(d), Away: d / 10}}})
		}
		return out
	}
	peer := cluster.Answer{ServerID: "B", Began: now, Ended: now, Peers: []cluster.Peer{{ID: "gone", Name: "A"}}}
	for _, tc := range []struct {
		name  string
		check upgrade.Check
		world func(a, b *cluster.Server, f *cluster.Fleet)
		met   bool
		says  string
	}{
		{"a cut file", upgrade.Unfit{Node: "A", Build: upgrade.Half, Says: "cut off"}, func(a, _ *cluster.Server, _ *cluster.Fleet) {
			a.Inspection = cluster.Inspection{Build: upgrade.Half, Facts: []cluster.Fact{{OK: true, Detail: "staged"}, {Detail: "is cut off"}}}
		}, true, "is cut off"},
		{"another file was looked at", upgrade.Unfit{Node: "A", Build: upgrade.Half}, func(a, _ *cluster.Server, _ *cluster.Fleet) {
			a.Inspection = cluster.Inspection{Build: newBuild, Facts: []cluster.Fact{{Detail: "is cut off"}}}
		}, false, "not looked at yet"},
		{"another thing is wrong", upgrade.Unfit{Node: "A", Build: upgrade.Half, Says: "cut off"}, func(a, _ *cluster.Server, _ *cluster.Fleet) {
			a.Inspection = cluster.Inspection{Build: upgrade.Half, Facts: []cluster.Fact{{Detail: "no room"}}}
		}, false, "something else is wrong: no room"},
		{"refused", upgrade.Fails{Node: "A", Says: "in use"}, func(a, _ *cluster.Server, _ *cluster.Fleet) { a.Refusal = "port 1 is in use by pid 2 (x)" }, true, "pid 2"},
		{"refused for another reason", upgrade.Fails{Node: "A", Says: "in use"}, func(a, _ *cluster.Server, _ *cluster.Fleet) { a.Refusal = "no room" }, false, "something else"},
		{"it ended by itself", upgrade.Fails{Node: "A"}, func(a, _ *cluster.Server, _ *cluster.Fleet) { a.Process.Exit = exit(1) }, true, "exit status 1, 9.0 ms after its start, [FTL] no"},
		{"it was asked to end", upgrade.Fails{Node: "A"}, func(a, _ *cluster.Server, _ *cluster.Fleet) {
			a.Process.Exit = exit(0)
			a.Process.Exit.Asked = true
		}, false, "nobody has tried"},
		{"it lives", upgrade.Fails{Node: "A"}, func(*cluster.Server, *cluster.Server, *cluster.Fleet) {}, false, "pid 7 lives"},
		{"frozen long enough", upgrade.Numb{Node: "A", For: time.Second}, func(a, _ *cluster.Server, _ *cluster.Fleet) {
			a.Process.Held, a.Silent, a.Why = true, now.Add(-2*time.Second), "/varz: no answer within 1s"
		}, true, "pid 7; /varz: no answer"},
		{"not yet", upgrade.Numb{Node: "A", For: 3 * time.Second}, func(a, _ *cluster.Server, _ *cluster.Fleet) {
			a.Process.Held, a.Silent = true, now.Add(-2*time.Second)
		}, false, "for 2.00 s so far"},
		{"silent, and not held", upgrade.Numb{Node: "A"}, func(a, _ *cluster.Server, _ *cluster.Fleet) { a.Silent = now }, false, "not held"},
		{"nobody has noticed", upgrade.Unnoticed{Node: "A"}, func(a, b *cluster.Server, f *cluster.Fleet) {
			a.Process.Held, b.Answer, f.Clients = true, peer, []cluster.Client{hearer("A", 1)}
		}, true, "/routez of B: A is a peer; as they see it, 1 client is connected"},
		{"a peer has noticed", upgrade.Unnoticed{Node: "A"}, func(a, b *cluster.Server, f *cluster.Fleet) {
			a.Process.Held, b.Answer, f.Clients = true, peer, []cluster.Client{hearer("A", 1)}
			b.Answer.Peers = nil
		}, false, "B does not list it"},
		{"its clients have noticed", upgrade.Unnoticed{Node: "A"}, func(a, b *cluster.Server, f *cluster.Fleet) {
			a.Process.Held, b.Answer, f.Clients = true, peer, []cluster.Client{hearer("B", 1)}
		}, false, "no clients who could"},
		{"starved", upgrade.Starved{Node: "A", By: 100}, func(_, _ *cluster.Server, f *cluster.Fleet) {
			f.Published, f.Clients = 500, []cluster.Client{hearer("A", 400), hearer("A", 390), hearer("B", 500)}
		}, true, "2 subscribers wait for 100"},
		{"in flight", upgrade.Starved{Node: "A", By: 100}, func(_, _ *cluster.Server, f *cluster.Fleet) {
			f.Published, f.Clients = 500, []cluster.Client{hearer("A", 499), hearer("A", 300)}
		}, false, "all but 1"},
		{"a signal ignored", upgrade.Deaf{Node: "A", Signal: cluster.SignalTerm, For: time.Second}, func(a, _ *cluster.Server, _ *cluster.Fleet) {
			a.Signal, a.SignalAt = cluster.SignalTerm, now.Add(-2*time.Second)
		}, true, "pid 7 lives, 2.00 s after it"},
		{"another signal", upgrade.Deaf{Node: "A", Signal: cluster.SignalTerm}, func(a, _ *cluster.Server, _ *cluster.Fleet) {
			a.Signal, a.SignalAt = cluster.SignalReload, now.Add(-2*time.Second)
		}, false, "not sent yet"},
		{"it has died of it", upgrade.Deaf{Node: "A", Signal: cluster.SignalTerm}, func(a, _ *cluster.Server, _ *cluster.Fleet) {
			a.Signal, a.SignalAt, a.Process.Exit = cluster.SignalTerm, now.Add(-2*time.Second), exit(0)
		}, false, "A died"},
		{"killed", upgrade.Killed{Node: "A"}, func(a, _ *cluster.Server, _ *cluster.Fleet) {
			a.Process.Stop, a.Process.Exit = cluster.StopKill, &cluster.Exit{Code: -1, Signal: "SIGKILL", Asked: true}
		}, true, "ended by SIGKILL"},
		{"it has left in time", upgrade.Killed{Node: "A"}, func(a, _ *cluster.Server, _ *cluster.Fleet) {
			a.Process.Stop, a.Process.Exit = cluster.StopLameDuck, &cluster.Exit{Asked: true}
		}, false, "exit status 0"},
		{"ill", upgrade.Ill{Node: "A", Says: "ROLL"}, func(a, _ *cluster.Server, _ *cluster.Fleet) {
			a.Answer = cluster.Answer{ServerID: "A", Ended: now, Health: "stream ROLL is not current"}
		}, true, "/healthz: stream ROLL"},
		{"only starting", upgrade.Ill{Node: "A", Says: "ROLL"}, func(a, _ *cluster.Server, _ *cluster.Fleet) {
			a.Answer = cluster.Answer{ServerID: "A", Ended: now, Health: "not ready"}
		}, false, "something else is wrong"},
		{"what leaders say", upgrade.Believed{Node: "A"}, func(_, _ *cluster.Server, f *cluster.Fleet) {
			f.Streams = []cluster.Stream{{Name: "ROLL", Leader: "B", Replicas: []cluster.Replica{{Node: "A", Current: true}}}, {Name: "KV", Leader: "A"}}
		}, true, "ROLL: current, says B; KV is led by A itself"},
		{"no leader", upgrade.Believed{Node: "A"}, func(_, _ *cluster.Server, f *cluster.Fleet) {
			f.Streams = []cluster.Stream{{Name: "ROLL"}}
		}, false, "ROLL has no leader"},
		{"two ways to leave", upgrade.Parted{Killed: "C", Ended: "A"}, func(_, _ *cluster.Server, f *cluster.Fleet) {
			f.Clients = append(hops("C", 10*time.Millisecond, 20*time.Millisecond), hops("A", time.Second, 9*time.Second)...)
		}, true, "C killed: 2 clients left within 10 ms, away for 2.0 ms at most; A let go: 2 clients left within 8.00 s, away for 900 ms at most"},
		{"nobody left one of them", upgrade.Parted{Killed: "C", Ended: "A"}, func(_, _ *cluster.Server, f *cluster.Fleet) {
			f.Clients = hops("C", time.Second)
		}, true, "not any more"},
		{"nobody is there", upgrade.Parted{Killed: "C", Ended: "A"}, func(*cluster.Server, *cluster.Server, *cluster.Fleet) {}, false, "no word"},
	} {
		o := cluster.Observe(topology(t, 2, false))
		o.At = now
		for i := range o.Servers {
			o.Servers[i].Process = cluster.Process{PID: 7, Started: now.Add(-time.Minute)}
		}
		tc.world(&o.Servers[0], &o.Servers[1], &o.Fleet)
		if v := tc.check.Eval(o); v.Met != tc.met || !strings.Contains(v.Detail, tc.says) {
			t.Errorf("%s: %t, %q; want %t, %q", tc.name, v.Met, v.Detail, tc.met, tc.says)
		}
	}
}
