package fleet

import (
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"nats-roll/cluster"
)

// made makes a fleet whose clients are there, without a server.
func made(subscribers int, sink cluster.Sink) *Fleet {
	f := New(Options{Workload: cluster.Workload{Subscribers: subscribers}, Sink: sink})
	for _, c := range f.all {
		close(c.ready)
	}
	return f
}

func TestOnlyWhatChanged(t *testing.T) {
	f := made(3, nil)
	defer f.Close()
	ids := func() (ids []int) {
		for _, c := range f.teller.snapshot(time.Now()).Changed {
			ids = append(ids, c.ID)
		}
		return ids
	}
	f.teller.told = slices.Repeat([]uint64{^uint64(0)}, len(f.all))
	if got := ids(); !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
		t.Errorf("first told %v", got)
	}
	if got := ids(); got != nil {
		t.Errorf("then told %v", got)
	}
	f.subs[2].touch()
	f.subs[1].complain("no", "no")
	if got := ids(); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("then told %v", got)
	}
}

// What was told is not changed by what happens later.
func TestToldIsKept(t *testing.T) {
	c := newClient(New(Options{}), cluster.Client{}, 0)
	c.facts.Trail = append(make([]cluster.Hop, 0, 8), cluster.Hop{Node: "A"})
	one := c.seen()
	c.facts.Trail = append(c.facts.Trail, cluster.Hop{Node: "B"})
	two := c.seen()
	one.Trail = append(one.Trail, cluster.Hop{Node: "X"})
	if two.Trail[1].Node != "B" || c.facts.Trail[1].Node != "B" {
		t.Errorf("trail %v", c.facts.Trail)
	}
}

// A snapshot in which every client's counters moved, and one in which nothing
// did; what the library knows is not read here.
func BenchmarkSnapshot(b *testing.B) {
	for _, n := range []int{50, 10_000} {
		for _, moved := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/moved=%t", n, moved), func(b *testing.B) {
				f := made(n-2, nil)
				defer f.Close()
				f.teller.snapshot(time.Now())
				o := cluster.Observation{}
				b.ReportAllocs()
				for b.Loop() {
					if moved {
						for _, c := range f.subs {
							c.touch()
						}
					}
					o = o.Apply(time.Now(), f.teller.snapshot(time.Now()))
				}
			})
		}
	}
}

// Reading what the library knows, for one client.
func BenchmarkServers(b *testing.B) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true})
	if err != nil {
		b.Fatal(err)
	}
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	port := s.Addr().(*net.TCPAddr).Port
	a := cluster.Node{Name: "A", Permanent: true, Host: "127.0.0.1", ClientPort: port}
	f := New(Options{Topology: cluster.Topology{Nodes: []cluster.Node{a}}, Sink: func(cluster.Event) {}})
	defer f.Close()
	if err := f.Connect(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		f.subs[0].hear()
	}
}
