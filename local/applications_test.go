package local_test

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"

	"nats-roll/cluster"
	"nats-roll/release/releasetest"
	"nats-roll/upgrade"
)

// The test binary plays an application when it is asked to.
func TestMain(m *testing.M) {
	if part := os.Getenv("LOCAL_TEST_PART"); part != "" && os.Args[0] != "nats-server" {
		application(part)
		return
	}
	releasetest.Main(m)
}

// application subscribes and goes on until it is asked to end, and says so. One
// that heeds leaves a server in lame duck mode; one that quits does so when its
// connection is lost.
func application(part string) {
	nc, err := nats.Connect(os.Getenv("NATS_URL"), nats.Name(part),
		nats.LameDuckModeHandler(func(nc *nats.Conn) {
			if part == "heed" {
				_ = nc.ForceReconnect()
			}
		}),
		nats.DisconnectErrHandler(func(*nats.Conn, error) {
			if part == "quit" {
				fmt.Println("lost my server")
				os.Exit(3)
			}
		}))
	if err == nil {
		_, err = nc.Subscribe("roll.>", func(*nats.Msg) {})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	fmt.Println("ready at", os.Getenv("NATS_URL"))
	<-asked
	nc.Close()
	fmt.Println("ended in order")
}

// part is the command of an application.
func part(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("LOCAL_TEST_PART=%s %q", name, self)
}

func (s *stage) ended(name string) cluster.Exit {
	s.t.Helper()
	var e cluster.Exit
	s.see(name+" has ended", func(o cluster.Observation) bool {
		a, _ := o.Application(name)
		if a.Exit != nil {
			e = *a.Exit
		}
		return a.Exit != nil
	})
	return e
}

// lines are what an application has written.
func (s *stage) lines(name string) (out []string) {
	state, _ := s.lab.State()
	for l := range state.Lines.All() {
		if l.Node == name {
			out = append(out, l.Text)
		}
	}
	return out
}

func TestApplicationsThroughLameDuck(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.connect("somebody")
	w := cluster.Workload{Subscribers: 1, Rate: 100, Applications: []string{part(t, "stay"), part(t, "heed") + "; true", part(t, "quit")}}
	if err := s.Driver.Connect(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"app1", "app2", "app3"} {
		soon(t, s.lab, s.Driver, upgrade.Joined{Application: name})
	}
	for name, want := range map[string]string{"stay": "app1", "heed": "app2", "quit": "app3", "somebody": ""} {
		if x := s.find(name, "is on A", on("A", 0)); x.Application != want {
			t.Errorf("%s is taken for %q", name, x.Application)
		}
	}

	s.stop("A", cluster.StopLameDuck)
	s.find("stay", "is on B", on("B", 1))
	s.find("heed", "is on B", on("B", 1))
	if e := s.ended("app3"); e.Code != 3 || e.Asked || e.Reason != "lost my server" {
		t.Errorf("app3 ended with %+v", e)
	}
	o := s.see("app3 has lost its connection", func(o cluster.Observation) bool { return cluster.Through(o.Of("app3")).LameDucks == 1 })
	for name, heeded := range map[string]int{"app1": 0, "app2": 1, "app3": 0} {
		p := cluster.Through(o.Of(name))
		if p.LameDucks != 1 || p.Heeded != heeded {
			t.Errorf("%s: %+v", name, p)
		}
		if name != "app3" && (p.Reconnects != 1 || p.On["B"] != 1 || p.Away != 0) {
			t.Errorf("%s: %+v", name, p)
		}
	}

	s.Close()
	a := s.Topology.Nodes[0].ClientURL()
	for _, name := range []string{"app1", "app2"} {
		if e := s.ended(name); !e.Asked || e.Forced {
			t.Errorf("%s ended with %+v", name, e)
		}
		if got := fmt.Sprint(s.lines(name)); got != "[ready at "+a+" ended in order]" {
			t.Errorf("%s wrote %s", name, got)
		}
	}
	s.replay()
}

// Connecting again starts applications anew, and their clients are theirs still.
func TestApplicationsAreStartedAnew(t *testing.T) {
	t.Parallel()
	s := open(t)
	w := cluster.Workload{Subscribers: 1, Rate: 100, Applications: []string{part(t, "stay")}, Behaviour: cluster.Behaviour{All: true}}
	var pids []int
	for i := range 2 {
		if err := s.Driver.Connect(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		s.find("stay", "is there", func(x cluster.Stranger) bool {
			return x.Application == "app1" && x.Status == cluster.ClientConnected && x.Reconnects == i
		})
		o, _ := s.lab.Observe()
		a, _ := o.Application("app1")
		pids = append(pids, a.PID)
	}
	if pids[0] == pids[1] || pids[0] == 0 {
		t.Errorf("pids %v", pids)
	}
	nodes := s.Topology.Permanent()
	if got, want := s.lines("app1")[0], "ready at "+nodes[0].ClientURL()+","+nodes[1].ClientURL(); got != want {
		t.Errorf("it was %s, want %s", got, want)
	}
}
