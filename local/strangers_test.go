package local_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// stage is real servers, of two versions, and a lab that folds what they tell.
type stage struct {
	testRig
	t       *testing.T
	lab     *rehearsal.Lab
	log     bytes.Buffer
	journal *rehearsal.Journal
}

func open(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t}
	s.journal = rehearsal.NewJournal(&s.log, rehearsal.Header{})
	s.lab = rehearsal.New(s.journal.Watch)
	t.Cleanup(s.lab.Close)
	s.testRig = rig(t, s.lab.Emit)
	t.Cleanup(s.Close)
	s.lab.Emit(upgrade.Planned{Outline: upgrade.Outline{Topology: s.Topology}})
	s.start("A", s.From)
	s.start("B", s.To)
	s.see("A and B see each other", func(o cluster.Observation) bool { return len(o.Peers("A")) == 1 && len(o.Peers("B")) == 1 })
	return s
}

func (s *stage) start(node string, b cluster.Build) {
	s.t.Helper()
	n, _ := s.Topology.Node(node)
	if err := s.Driver.Install(s.t.Context(), node, b); err != nil {
		s.t.Fatal(err)
	}
	if err := s.Driver.Start(s.t.Context(), node, s.Topology.Args(n)); err != nil {
		s.t.Fatal(err)
	}
	soon(s.t, s.lab, s.Driver, upgrade.Running{Node: node, Build: b})
}

func (s *stage) stop(node string, how cluster.Stop) {
	s.t.Helper()
	if err := s.Driver.Stop(s.t.Context(), node, how); err != nil {
		s.t.Fatal(err)
	}
}

// see waits until something is seen, at the pace of the monitor.
func (s *stage) see(what string, seen func(cluster.Observation) bool) cluster.Observation {
	s.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		o, changed := s.lab.Observe()
		if seen(o) {
			return o
		}
		select {
		case <-changed:
		case <-deadline:
			s.t.Fatalf("not seen: %s; strangers: %+v", what, o.Followed)
		}
	}
}

// replay ends everything, and checks that the log tells the same of everybody's
// clients.
func (s *stage) replay() {
	s.t.Helper()
	s.Close()
	s.lab.Close()
	if err := s.journal.Close(); err != nil {
		s.t.Fatal(err)
	}
	var logged rehearsal.State
	if _, err := rehearsal.ReadJournal(&s.log, func(r rehearsal.Record) { logged = logged.Apply(r.At, r.Event) }); err != nil {
		s.t.Fatal(err)
	}
	live, _ := s.lab.State()
	for what, both := range map[string][2]any{
		"strangers":    {live.World.Followed, logged.World.Followed},
		"applications": {live.World.Applications, logged.World.Applications},
	} {
		a, errA := json.Marshal(both[0])
		b, errB := json.Marshal(both[1])
		if errA != nil || errB != nil || string(a) != string(b) {
			s.t.Errorf("the %s were\n%s\nand are told as\n%s", what, a, b)
		}
	}
}

// find waits until the stranger is as it should be.
func (s *stage) find(name, what string, is func(cluster.Stranger) bool) (found cluster.Stranger) {
	s.t.Helper()
	s.see(name+" "+what, func(o cluster.Observation) bool {
		for _, x := range o.Followed {
			if x.Name == name && is(x) {
				found = x
				return true
			}
		}
		return false
	})
	return found
}

// on is one who is on that server after so many moves. Who has just come may
// turn out to be one who was lost.
func on(node string, moves int) func(cluster.Stranger) bool {
	return func(x cluster.Stranger) bool {
		return x.Status == cluster.ClientConnected && x.Last().Node == node && x.Reconnects == moves
	}
}

// stranger is somebody's own client, and when it lost its connection and had
// another.
type stranger struct {
	*nats.Conn
	lost, back chan time.Time
}

// connect makes a client that knows all servers, and tries them in their order.
func (s *stage) connect(name string, more ...nats.Option) stranger {
	s.t.Helper()
	c := stranger{lost: make(chan time.Time, 8), back: make(chan time.Time, 8)}
	urls := ""
	for _, n := range s.Topology.Nodes {
		urls += n.ClientURL() + ","
	}
	nc, err := nats.Connect(urls, append([]nats.Option{
		nats.Name(name), nats.SetCustomDialer(polite{}), nats.DontRandomize(), nats.ReconnectJitter(0, 0), nats.ReconnectWait(50 * time.Millisecond),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { c.lost <- time.Now() }),
		nats.ReconnectHandler(func(*nats.Conn) { c.back <- time.Now() }),
	}, more...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(nc.Close)
	c.Conn = nc
	return c
}

// polite is a dialer whose connections are read to their end before they are
// closed. A server that finds its last words unread says "Read Error".
type polite struct{ net.Dialer }

func (d polite) Dial(network, addr string) (net.Conn, error) {
	c, err := d.Dialer.Dial(network, addr)
	if err != nil {
		return nil, err
	}
	return politely{c.(*net.TCPConn)}, nil
}

type politely struct{ *net.TCPConn }

func (c politely) Close() error {
	if c.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
		_, _ = io.Copy(io.Discard, c.TCPConn)
	}
	return c.TCPConn.Close()
}

// moved checks the last move against what the client itself knows of it. It
// notices both ends later than the servers do, but for a connection that it
// closed itself.
func moved(t *testing.T, x cluster.Stranger, c stranger) {
	t.Helper()
	lost, back := <-c.lost, <-c.back
	was, is := x.Trail[len(x.Trail)-2], x.Last()
	t.Logf("%s: away %s, or up to %s less; %s by its own clock; %s", x.Name, is.Away.Most, is.Away.Blur, back.Sub(lost), was.Why)
	if was.Seen.After(lost) && was.Why != cluster.ClosedByClient || is.At.After(back) || is.At.Before(was.Seen) {
		t.Errorf("%s lost its server at %s and was back at %s, but the servers are said to have had it until %s and from %s on", x.Name, lost, back, was.Seen, is.At)
	}
	if is.Away.Blur < 0 || is.Away.Least() < 0 || was.Noted && (is.Away.Blur != 0 || was.Why == "") {
		t.Errorf("%s was away %+v: %s", x.Name, is.Away, was.Why)
	}
}

func TestStrangersThroughStops(t *testing.T) {
	for _, how := range []cluster.Stop{cluster.StopInt, cluster.StopKill} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			s := open(t)
			orders, bills := s.connect("orders"), s.connect("bills")
			s.find("bills", "is on A", on("A", 0))
			x := s.find("orders", "is on A", on("A", 0))
			if x.Lang != "go" || x.Version != nats.Version || x.Number != 1 || len(x.Trail) != 1 || x.Last().Addr == "" {
				t.Errorf("orders is %+v", x)
			}
			s.stop("A", how)
			x = s.find("orders", "is on B", on("B", 1))
			if x.Trail[0].Node != "A" || x.Trail[0].Why == "" || x.Longest != x.Last().Away || len(x.Trail) != 2 {
				t.Errorf("orders moved as %+v", x)
			}
			moved(t, x, orders)
			moved(t, s.find("bills", "is on B", on("B", 1)), bills)

			s.start("A", s.To)
			bills.Close()
			x = s.find("bills", "has left", func(x cluster.Stranger) bool { return x.Status == cluster.ClientGone })
			if last := x.Last(); last.Why != cluster.ClosedByClient || !last.Noted || last.Gone.Before(last.At) {
				t.Errorf("bills ended as %+v", last)
			}
			s.stop("B", how)
			x = s.find("orders", "is on A again", on("A", 2))
			if x.Total != x.Trail[1].Away.Add(x.Trail[2].Away) {
				t.Errorf("orders moved as %+v", x)
			}
			moved(t, x, orders)
			if o, _ := s.lab.Observe(); len(o.Followed) != 2 || len(o.Strangers()) != 1 {
				t.Errorf("followed: %+v", o.Followed)
			}
			s.replay()
		})
	}
}

// In lame duck mode the server closes connections one by one, and says so; a
// client that heeds it closes its own.
func TestStrangersThroughLameDuck(t *testing.T) {
	t.Parallel()
	s := open(t)
	patient := s.connect("patient")
	heeding := s.connect("heeding", nats.LameDuckModeHandler(func(nc *nats.Conn) { _ = nc.ForceReconnect() }))
	other := s.connect("other")
	for _, name := range []string{"patient", "heeding", "other"} {
		s.find(name, "is on A", on("A", 0))
	}
	s.stop("A", cluster.StopLameDuck)
	x := s.find("heeding", "is on B", on("B", 1))
	if was := x.Trail[0]; x.LameDucks != 1 || x.Heeded != 1 || !was.LameDuck || was.Why != cluster.ClosedByClient || x.Last().Away.Blur != 0 {
		t.Errorf("heeding moved as %+v", x)
	}
	moved(t, x, heeding)
	var why []string
	for name, c := range map[string]stranger{"patient": patient, "other": other} {
		x := s.find(name, "is on B", on("B", 1))
		if x.LameDucks != 1 || x.Heeded != 0 || !x.Trail[0].LameDuck {
			t.Errorf("%s moved as %+v", name, x)
		}
		moved(t, x, c)
		why = append(why, x.Trail[0].Why)
	}
	// The one that is closed last takes the server with it.
	if !slices.Contains(why, "Server Shutdown") {
		t.Errorf("the servers say %s", fmt.Sprint(why))
	}
}
