package fleet

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/goleak"

	"nats-roll/cluster"
	"nats-roll/release/releasetest"
)

func TestMain(m *testing.M) { releasetest.Main(leaks{m}) }

// leaks runs the tests and then looks for goroutines that are left.
type leaks struct{ *testing.M }

func (l leaks) Run() int {
	code := l.M.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// patience is how long a condition may take to come true on a busy machine.
const patience = time.Minute

// lab is a cluster of servers in this process: A and B permanent, then C.
type lab struct {
	t    *testing.T
	topo cluster.Topology
	dir  string
	runs map[string][]*server.Server // every server there was on a node, the newest last
}

func newLab(t *testing.T) *lab { return labOf(t, 2) }

// labOf has so many permanent servers; all three make them servers with
// JetStream.
func labOf(t *testing.T, permanent int) *lab {
	l := &lab{t: t, topo: cluster.Topology{Cluster: "roll", JetStream: permanent == 3}, runs: map[string][]*server.Server{}, dir: t.TempDir()}
	for i, name := range []string{"A", "B", "C"} {
		l.topo.Nodes = append(l.topo.Nodes, cluster.Node{
			Name: name, Permanent: i < permanent, Host: "127.0.0.1", ClientPort: freePort(t), RoutePort: freePort(t),
		})
	}
	t.Cleanup(func() {
		for name := range l.runs {
			l.stop(name)
		}
	})
	return l
}

// freePort picks a port below those that systems hand out for outgoing
// connections, so that it stays free while its server is down.
func freePort(t *testing.T) int {
	for range 100 {
		port := 12000 + rand.IntN(18000)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// start starts the node's server with the tutorial's options and waits until it
// sees every other.
func (l *lab) start(name string) {
	l.t.Helper()
	l.begin(name)
	l.until(name+" is in the cluster", func() string {
		for other, runs := range l.runs {
			if s := runs[len(runs)-1]; s.Running() && s.NumRoutes() < 4*(l.alive()-1) {
				return fmt.Sprintf("%s has %d routes", other, s.NumRoutes())
			}
		}
		return ""
	})
}

// begin only starts it.
func (l *lab) begin(name string) {
	l.t.Helper()
	n, _ := l.topo.Node(name)
	o := &server.Options{
		ServerName: name, Host: n.Host, Port: n.ClientPort,
		Cluster: server.ClusterOpts{Name: l.topo.Cluster, Host: n.Host, Port: n.RoutePort},
		NoLog:   true, NoSigs: true,
	}
	if l.topo.JetStream {
		o.JetStream, o.StoreDir = true, filepath.Join(l.dir, name)
	}
	for _, p := range l.topo.Permanent() {
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: net.JoinHostPort(p.Host, strconv.Itoa(p.RoutePort))})
	}
	s, err := server.NewServer(o)
	if err != nil {
		l.t.Fatal(err)
	}
	s.Start()
	l.runs[name] = append(l.runs[name], s)
	if !s.ReadyForConnections(patience) {
		l.t.Fatalf("%s is not ready", name)
	}
}

// port is the end of a node's URL.
func (l *lab) port(name string) string {
	n, _ := l.topo.Node(name)
	return fmt.Sprintf(":%d", n.ClientPort)
}

func (l *lab) alive() (n int) {
	for _, runs := range l.runs {
		if runs[len(runs)-1].Running() {
			n++
		}
	}
	return n
}

func (l *lab) stop(name string) {
	runs := l.runs[name]
	s := runs[len(runs)-1]
	s.Shutdown()
	s.WaitForShutdown()
}

func (l *lab) until(what string, wrong func() string) {
	l.t.Helper()
	until(l.t, what, wrong)
}

// until waits for a condition, which says what is still wrong.
func until(t *testing.T, what string, wrong func() string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		w := wrong()
		if w == "" {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s: %s", what, w)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// watched is a fleet and what it told, folded.
type watched struct {
	*Fleet
	t *testing.T

	mu     sync.Mutex
	seen   cluster.Observation
	events int
	costs  []cluster.Cost
}

func (l *lab) fleet(w cluster.Workload) *watched {
	f := &watched{t: l.t}
	f.Fleet = New(Options{Topology: l.topo, Workload: w, Sink: f.take})
	l.t.Cleanup(f.Close)
	return f
}

// take folds an event and holds what is true of each.
func (f *watched) take(e cluster.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events++
	f.costs = append(f.costs, e.(cluster.FleetChanged).Costs...)
	before := f.seen.Fleet
	f.seen = f.seen.Apply(time.Now(), e)
	now := f.seen.Fleet
	if now.Received-now.Duplicated+now.Lost > now.Expected {
		f.t.Errorf("more than was published: %+v", now.Totals)
	}
	if now.Settled && now.Received-now.Duplicated+now.Lost != now.Expected {
		f.t.Errorf("does not add up: %+v", now.Totals)
	}
	if now.At.Before(before.At) {
		f.t.Errorf("dated %s after %s", now.At, before.At)
	}
}

func (f *watched) fleetNow() cluster.Fleet {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen.Fleet
}

func (f *watched) connect() {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	if err := f.Connect(ctx); err != nil {
		f.t.Fatal(err)
	}
}

func (f *watched) settleAll() cluster.Fleet {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	if err := f.Settle(ctx); err != nil {
		f.t.Fatal(err)
	}
	f.wait("settled", func(fl cluster.Fleet) bool { return fl.Settled })
	return f.fleetNow()
}

// wait waits until what is told, read after each look, is so.
func (f *watched) wait(what string, so func(cluster.Fleet) bool) {
	f.t.Helper()
	until(f.t, what, func() string {
		f.Look()
		if fl := f.fleetNow(); !so(fl) {
			var who string
			for _, c := range fl.Clients[:min(len(fl.Clients), 30)] {
				who += fmt.Sprintf("\n%s %s on %s knows %v", c.Name, c.Status, c.Node, c.Known)
			}
			return fmt.Sprintf("on %v, %+v%s", fl.On(), fl.Totals, who)
		}
		return ""
	})
}

func allConnected(but string) func(cluster.Fleet) bool {
	return func(fl cluster.Fleet) bool {
		for _, c := range fl.Clients {
			if c.Status != cluster.ClientConnected || c.Node == but {
				return false
			}
		}
		return len(fl.Clients) > 0
	}
}

// reached: every subscriber is connected and has had a message since.
func reached(fl cluster.Fleet) bool { return allConnected("")(fl) && fl.Publishing && fl.Behind == 0 }
