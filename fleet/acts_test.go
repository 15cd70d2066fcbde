package fleet

import (
	"testing"

	"nats-roll/cluster"
)

// Of two servers, a client that is told to reconnect always goes to the other; one
// that draws goes to either; one that comes anew may be on any. What it cost is in
// the books.
func TestActs(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.start("A")
	l.start("B")
	f := l.fleet(cluster.Workload{Subscribers: 63, Rate: 500})
	f.connect()
	f.wait("everyone knows two servers", func(fl cluster.Fleet) bool {
		for _, c := range fl.Clients {
			if len(c.Known) != 2 {
				return false
			}
		}
		return reached(fl)
	})
	on := func(node string) int {
		n := 0
		for _, c := range f.fleetNow().Clients[:64] {
			if c.Node == node && c.Status == cluster.ClientConnected {
				n++
			}
		}
		return n
	}
	act := func(a cluster.Act, moves int) {
		t.Helper()
		before := f.fleetNow().Reconnects
		if err := f.Act(t.Context(), a, ""); err != nil {
			t.Fatal(a, err)
		}
		f.wait(string(a)+": all are connected", func(fl cluster.Fleet) bool {
			return fl.Reconnects >= before+moves && len(fl.On()) > 0 && on("A")+on("B") == 64 && fl.Behind == 0
		})
	}
	act(cluster.ActReconnect, 64)
	if n := on("B"); n != 64 {
		t.Errorf("after reconnecting, %d of 64 are on B", n)
	}
	for _, a := range []cluster.Act{cluster.ActDraw, cluster.ActRenew} { // 2^-40 is no chance
		act(a, 1)
		if n := on("A"); n < 10 || n > 54 {
			t.Errorf("%s: %d of 64 are on A", a, n)
		}
	}
	fl := f.settleAll()
	if fl.Expected != 64*fl.Published || fl.Expected != fl.Received-fl.Duplicated+fl.Lost {
		t.Errorf("%+v", fl.Totals)
	}
}

// The members of a party are nobody's listeners: they come when they are called,
// give up for good, and hear what they have subscribed to.
func TestParty(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.start("A")
	l.start("B")
	f := l.fleet(cluster.Workload{Subscribers: 1, Rate: 100, Parties: []cluster.Party{
		{Name: "talk", Members: 1, At: "A", Subjects: []string{"talk.>", "other.>"}, Says: "talk.a"},
		{Name: "lone", Members: 2, At: "B", Late: true, Behaviour: cluster.Behaviour{IgnoreDiscovered: true, MaxReconnects: 1}},
	}})
	f.connect()
	if n := len(f.fleetNow().Clients); n > 4 {
		t.Errorf("%d clients are told before the late ones came", n)
	}
	f.wait("it hears itself", func(fl cluster.Fleet) bool { return len(fl.Clients) > 3 && fl.Clients[3].Heard["talk.>"] > 1 })
	if err := f.Act(t.Context(), cluster.ActJoin, "lone"); err != nil {
		t.Fatal(err)
	}
	f.wait("the late ones are there", func(fl cluster.Fleet) bool { return len(fl.Clients) == 6 && fl.Clients[5].Node == "B" })
	l.stop("B")
	f.wait("they have given up", func(fl cluster.Fleet) bool {
		return fl.Clients[4].Status == cluster.ClientClosed && fl.Clients[5].Status == cluster.ClientClosed
	})
	fl := f.settleAll()
	if c := fl.Clients[3]; c.Heard["other.>"] != 0 || c.Party != "talk" {
		t.Errorf("%+v", c)
	}
}
