package proctest

import (
	"net"
	"strconv"
	"testing"

	"nats-roll/cluster"
)

// Whatever their number of servers, two sets share no port, and no set has one
// that an outgoing connection could have.
func TestSetsShareNoPort(t *testing.T) {
	owner := map[int]int{}
	for set := range sets {
		top, err := cluster.NewTopology(cluster.MaxPermanent, true, first+set*stride)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range top.Nodes {
			for _, p := range []int{n.ClientPort, n.RoutePort, n.MonitorPort} {
				if other, ok := owner[p]; ok || p >= 32768 {
					t.Fatalf("set %d has port %d, and so has set %d", set, p, other)
				}
				owner[p] = set
			}
		}
	}
}

func TestAnOffsetIsOneTestsAtATime(t *testing.T) {
	a := Offset(t, 2)
	var b int
	t.Run("inner", func(t *testing.T) {
		if b = Offset(t, 2); a == b {
			t.Errorf("both have %d", a)
		}
		top := Topology(t, 2)
		l, err := net.Listen("tcp", net.JoinHostPort("localhost", strconv.Itoa(top.Nodes[1].RoutePort)))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if Taken(2, top.Nodes[0].ClientPort-4222) == nil {
			t.Error("a port that is listened on is not seen")
		}
	})
}
