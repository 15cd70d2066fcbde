package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"nats-roll/cluster"
)

// The tutorial's walk: everyone on A, C joins, A goes under traffic and comes
// back.
func TestRoll(t *testing.T) {
	l := newLab(t)
	l.start("A")
	l.start("B")
	f := l.fleet(cluster.Workload{Subscribers: 19, Rate: 1000})
	f.connect()
	f.wait("traffic", reached)
	fl := f.fleetNow()
	if on := fl.On(); on["A"] != 20 || on["B"] != 1 || len(fl.Clients) != 21 {
		t.Fatalf("on %v", on)
	}
	if c := fl.Clients[0]; c.Name != `nats-roll: nats sub ">"` || c.Subject != ">" || c.Role != cluster.RoleTutorial {
		t.Errorf("the tutorial's subscriber is %+v", c)
	}
	if c := fl.Clients[20]; c.ID != 20 || c.Name != "nats-roll: publisher" || c.Role != cluster.RolePublisher || c.Node != "B" {
		t.Errorf("the publisher is %+v", c)
	}

	l.start("C")
	f.wait("everyone knows three servers", knows(l.topo, "A", "B", "C"))

	next := map[string]string{}
	for _, c := range f.fleetNow().Clients[:20] {
		if !strings.HasSuffix(c.Known[0], l.port("A")) {
			t.Errorf("%s on A knows %v", c.Name, c.Known)
		}
		next[c.Name] = c.Known[1]
	}
	l.stop("A")
	f.wait("everyone is elsewhere", allConnected("A"))
	for _, c := range f.fleetNow().Clients[:20] {
		if !strings.HasSuffix(next[c.Name], l.port(c.Node)) {
			t.Errorf("%s went to %s, and had %s next in its list", c.Name, c.Node, next[c.Name])
		}
	}
	f.wait("everyone is reached", reached)
	f.wait("everyone keeps A, who was given it, and knows the others", func(fl cluster.Fleet) bool {
		return knows(l.topo, "A", "B", "C")(cluster.Fleet{Clients: fl.Clients[:20]}) && knows(l.topo, "B", "C")(cluster.Fleet{Clients: fl.Clients[20:]})
	})
	fl = f.fleetNow()
	if fl.Reconnects != 20 || fl.AwayP50 <= 0 || fl.AwayP50 > fl.AwayP99 || fl.AwayP99 > fl.AwayMax {
		t.Errorf("%+v", fl.Totals)
	}
	for _, c := range fl.Clients[:20] {
		if c.Disconnects != 1 || c.Reconnects != 1 || c.LastAway <= 0 || c.LastAway > fl.AwayMax || c.TotalAway != c.LastAway || !c.AwaySince.IsZero() || len(c.Errors) != 1 {
			t.Errorf("%+v", c)
		}
		if len(c.Trail) != 2 || c.Trail[0].Node != "A" || c.Trail[0].Away != 0 || c.Trail[1].Node != c.Node || c.Trail[1].Away != c.LastAway || !c.Trail[1].At.After(c.Trail[0].At) {
			t.Errorf("%s went %+v", c.Name, c.Trail)
		}
	}
	if p := fl.Clients[20]; p.Disconnects != 0 || p.Node != "B" {
		t.Errorf("%+v", p)
	}

	l.start("A")
	f.wait("everyone knows A again", knows(l.topo, "A", "B", "C"))
	fl = f.settleAll()
	if fl.Published == 0 || fl.Refused != 0 || fl.Publishing || fl.Expected != fl.Published*20 {
		t.Errorf("%+v", fl.Totals)
	}
	var received, lost uint64
	for _, c := range fl.Clients[:20] {
		if c.Received-c.Duplicated+c.Lost != fl.Published {
			t.Errorf("%s: %d published, %+v", c.Name, fl.Published, c)
		}
		received, lost = received+c.Received, lost+c.Lost
	}
	if received != fl.Received || lost != fl.Lost {
		t.Errorf("%d received, %d lost in sum, told %+v", received, lost, fl.Totals)
	}
	t.Logf("%d published, %d lost, %d duplicated, away p50 %s max %s", fl.Published, fl.Lost, fl.Duplicated, fl.AwayP50, fl.AwayMax)
	if err := f.Settle(t.Context()); err != nil {
		t.Errorf("settled twice: %v", err)
	}
}

func knows(topo cluster.Topology, names ...string) func(cluster.Fleet) bool {
	return func(fl cluster.Fleet) bool {
		for _, c := range fl.Clients {
			known := strings.Join(c.Known, " ")
			if len(c.Known) != len(names) {
				return false
			}
			for _, name := range names {
				if n, _ := topo.Node(name); !strings.Contains(known, n.ClientURL()) {
					return false
				}
			}
		}
		return len(fl.Clients) > 0
	}
}

// Who is told of one server only waits for that one, and hears nothing meanwhile.
func TestPinned(t *testing.T) {
	l := newLab(t)
	l.start("A")
	l.start("B")
	f := l.fleet(cluster.Workload{Subscribers: 2, Pinned: []string{"B"}, Rate: 500})
	f.connect()
	f.wait("traffic", reached)
	pinned := func() cluster.Client { return f.fleetNow().Clients[3] }
	if c := pinned(); c.Name != cluster.FleetPrefix+cluster.PinnedName("B") || c.Node != "B" || c.Role != cluster.RoleSubscriber {
		t.Fatalf("%+v", c)
	}
	l.stop("B")
	f.wait("the publisher is on A", func(fl cluster.Fleet) bool { return fl.Clients[4].Node == "A" })
	if c := pinned(); c.Status != cluster.ClientAway || c.Node != "B" || len(c.Known) != 1 {
		t.Errorf("%+v", c)
	}
	l.start("B")
	f.wait("traffic", reached)
	fl := f.settleAll()
	f.adds(fl)
	if c := pinned(); c.Node != "B" || len(c.Trail) != 2 || c.Trail[1].Away < time.Second || c.Lost == 0 {
		t.Errorf("%+v", c)
	}
}

// The servers count what they hand to each connection: what the ledgers have
// must be the same, whatever the clients do. A server that goes takes along what
// it had not yet sent, so the traffic rests while one goes.
func TestTheServersAgree(t *testing.T) {
	l := newLab(t)
	l.start("A")
	l.start("B")
	f := l.fleet(cluster.Workload{
		Subscribers: 9, Wildcards: 2, Queue: 3, Publishers: 3, Rate: 700, Payload: 200,
		Requesters: 2, Asks: 50, Timeout: 2 * time.Second,
	})
	f.connect()
	f.wait("traffic", reached)
	quietly := func(change func()) {
		t.Helper()
		f.rest(t)
		change()
		for _, p := range f.pumps {
			p.start()
		}
		f.asks.start()
		f.wait("traffic", reached)
	}
	l.start("C")
	f.wait("traffic", reached)
	for _, name := range []string{"A", "B"} {
		quietly(func() {
			l.stop(name)
			f.wait("everyone is elsewhere", allConnected(name))
		})
		l.start(name)
		f.wait("traffic", reached)
	}
	quietly(func() {
		l.stop("C")
		f.wait("everyone is elsewhere", allConnected("C"))
	})
	fl := f.settleAll()
	if fl.Reconnects < 20 || fl.Published < 100 || fl.Listeners != 13 || len(fl.Series) != 3 || len(fl.Groups) != 1 {
		t.Errorf("%+v", fl)
	}
	if fl.Requests.Answered == 0 || fl.Requests.Sent != fl.Requests.Answered+fl.Requests.Unanswered() {
		t.Errorf("%+v", fl.Requests)
	}
	f.adds(fl)
	until(t, "the servers agree", func() string {
		f.Look()
		in, out := l.witness()
		for _, c := range f.fleetNow().Clients {
			if c.Role != cluster.RoleRequester && out[c.Name] != int64(c.Delivered) {
				return fmt.Sprintf("%s got %d, the servers say %d", c.Name, c.Delivered, out[c.Name])
			}
		}
		for i, p := range f.pumps {
			if sent := int64(fl.Series[i].Published + p.others.Load()); in[p.client.facts.Name] != sent {
				return fmt.Sprintf("%s sent %d, the servers say %d", p.client.facts.Name, sent, in[p.client.facts.Name])
			}
		}
		return ""
	})
	t.Logf("%d published, %d received, %d lost; %+v", fl.Published, fl.Received, fl.Lost, fl.Requests)
}

// rest stops the requests and the numbered traffic, and waits until nothing is in
// flight.
func (f *watched) rest(t *testing.T) {
	t.Helper()
	f.asks.stop()
	f.asks.ctx, f.asks.cancel = context.WithCancel(context.Background())
	for _, p := range f.pumps {
		if err := p.stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "nothing is in flight", func() string {
		for i, l := range f.listeners {
			l.mu.Lock()
			for j, p := range f.pumps { // what was told last may be older
				if published := p.published.Load(); l.streams[j].last != published {
					defer l.mu.Unlock()
					return fmt.Sprintf("listener %d has had %d of %d of publisher %d", i, l.streams[j].last, published, j)
				}
			}
			l.mu.Unlock()
		}
		return ""
	})
}

// adds holds that the parts sum up to the whole.
func (f *watched) adds(fl cluster.Fleet) {
	f.t.Helper()
	var streams, clients cluster.Tally
	var published uint64
	for _, s := range fl.Series {
		streams, published = streams.Add(s.Tally), published+s.Published
		if got := s.Received - s.Duplicated + s.Lost; got != s.Published*uint64(fl.Listeners) {
			f.t.Errorf("%s: %+v for %d listeners", s.Publisher, s, fl.Listeners)
		}
	}
	queue := uint64(0)
	for _, c := range fl.Clients {
		switch {
		case c.Role == cluster.RoleQueue:
			queue += c.Received
		case c.Role.Hears():
			clients = clients.Add(cluster.Tally{Received: c.Received, Lost: c.Lost, Duplicated: c.Duplicated, Reordered: c.Reordered})
		}
	}
	for _, g := range fl.Groups {
		if clients = clients.Add(g.Tally); g.Received != queue {
			f.t.Errorf("the members received %d, the group %d", queue, g.Received)
		}
	}
	if streams != fl.Tally || clients != fl.Tally || published != fl.Published {
		f.t.Errorf("streams %+v, clients %+v, totals %+v", streams, clients, fl.Totals)
	}
}

// witness sums what the servers, the dead ones included, say of each client.
func (l *lab) witness() (in, out map[string]int64) {
	in, out = map[string]int64{}, map[string]int64{}
	for _, runs := range l.runs {
		for _, s := range runs {
			conns, err := s.Connz(&server.ConnzOptions{State: server.ConnAll, Limit: 100_000})
			if err != nil {
				l.t.Fatal(err)
			}
			for _, c := range conns.Conns {
				in[c.Name] += c.InMsgs
				out[c.Name] += c.OutMsgs
			}
		}
	}
	return in, out
}

// Without numbered traffic there still are hellos and end markers.
func TestRateZero(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.start("A")
	l.start("B")
	f := l.fleet(cluster.Workload{Subscribers: 3})
	f.connect()
	l.stop("A")
	f.wait("everyone is elsewhere", allConnected("A"))
	if fl := f.fleetNow(); fl.Behind != 0 || fl.Publishing {
		t.Errorf("%+v", fl.Totals)
	}
	fl := f.settleAll()
	if fl.Published != 0 || fl.Expected != 0 || fl.Lost != 0 || fl.Clients[1].Delivered == 0 {
		t.Errorf("%+v", fl)
	}
}

// A subscriber that does not come back is named, and the counts are final.
func TestSettleWithoutOne(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.start("A")
	l.start("B")
	f := l.fleet(cluster.Workload{Subscribers: 3, Rate: 500})
	f.connect()
	f.wait("traffic", reached)
	f.subs[2].nc.Load().Close()
	f.wait("it is closed", func(fl cluster.Fleet) bool { return fl.Clients[2].Status == cluster.ClientClosed })
	published := f.fleetNow().Published
	f.wait("more traffic", func(fl cluster.Fleet) bool { return fl.Published > published+10 })
	err := f.Settle(t.Context())
	if err == nil || !strings.Contains(err.Error(), "nats-roll: sub 2 is closed") {
		t.Errorf("error %v", err)
	}
	f.wait("settled", func(fl cluster.Fleet) bool { return fl.Settled })
	if fl := f.fleetNow(); fl.Lost == 0 || fl.Lost != fl.Clients[2].Lost {
		t.Errorf("%+v", fl.Totals)
	}
}

func TestSettleWhileAway(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.start("A")
	l.topo.Nodes = l.topo.Nodes[:1] // A is the last as well
	f := l.fleet(cluster.Workload{Rate: 500})
	f.connect()
	f.wait("traffic", reached)
	l.stop("A")
	f.wait("everyone is away", func(fl cluster.Fleet) bool { return len(fl.On()) == 0 })
	away := f.fleetNow().Clients[0]
	if away.AwaySince.IsZero() || away.Err == "" || away.Node != "A" || f.fleetNow().Behind != 1 {
		t.Errorf("%+v", away)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := f.Settle(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), tutorialName+" is away") {
		t.Errorf("error %v", err)
	}
	f.wait("settled", func(fl cluster.Fleet) bool { return fl.Settled })

	// The library may have kept numbers for the publisher. If they come after
	// all they are taken in; take holds that it adds up.
	l.start("A")
	f.wait("everyone is back", allConnected(""))
}

func TestConnectErrors(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	f := l.fleet(cluster.Workload{Subscribers: 2})
	who := regexp.MustCompile(`^connect nats-roll: .+ to [AB] at nats://127\.0\.0\.1:\d+: `)
	if err := f.Connect(t.Context()); err == nil || !who.MatchString(err.Error()) {
		t.Errorf("error %v", err)
	}
	if err := f.Connect(t.Context()); err == nil {
		t.Error("connected twice")
	}
	f.Close()
	f.Close()
	if err := l.fleet(cluster.Workload{}).Settle(t.Context()); err == nil {
		t.Error("settled before it was connected")
	}
}

// No route: the publisher's messages reach nobody, and the error says whom not.
func TestConnectUnreached(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.start("A")
	l.topo.Cluster = "another"
	l.begin("B")
	f := l.fleet(cluster.Workload{Subscribers: 5})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := f.Connect(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), `nats sub ">" is connected`) || !strings.Contains(err.Error(), ", 3 more") {
		t.Errorf("error %v", err)
	}
}

// A server that stops reading: the publisher gets stuck in a write. Everything
// else goes on, and nothing takes the minute that the library waits.
func TestStuckPublisher(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.start("A")
	frozen := l.between(l.topo.Nodes[1].ClientPort, l.topo.Nodes[0].ClientURL())
	f := l.fleet(cluster.Workload{Rate: 1000})
	f.connect()
	f.wait("traffic", reached)
	close(frozen)
	var sent atomic.Int64
	var spam sync.WaitGroup
	spam.Go(func() {
		for big := make([]byte, 1<<20); f.pumps[0].client.nc.Load().Publish("stranger", big) == nil && !f.closing.Load(); {
			sent.Add(1)
		}
	})
	before, since := int64(-1), time.Now()
	until(t, "the publisher is stuck", func() string {
		if n := sent.Load(); n != before {
			before, since = n, time.Now()
		}
		if time.Since(since) < 200*time.Millisecond {
			return fmt.Sprintf("%d MiB sent", before)
		}
		return ""
	})
	began := time.Now()
	f.wait("a look is answered", func(fl cluster.Fleet) bool { return fl.At.After(began) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := f.Settle(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	told := time.Now()
	f.wait("a word after that", func(fl cluster.Fleet) bool { return fl.At.After(told) })
	if fl := f.fleetNow(); fl.Settled || fl.Lost != 0 {
		t.Errorf("settled although messages may be on their way: %+v", fl.Totals)
	}
	f.Close()
	spam.Wait()
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}

// between carries bytes from a port to a server until told to freeze.
func (l *lab) between(port int, to string) (freeze chan struct{}) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		l.t.Fatal(err)
	}
	freeze = make(chan struct{})
	var all sync.WaitGroup
	over, end := context.WithCancel(context.Background())
	l.t.Cleanup(func() { end(); listener.Close(); all.Wait() })
	carry := func(from, to net.Conn) {
		for b := make([]byte, 4096); ; {
			select {
			case <-freeze:
				<-over.Done()
			default:
			}
			n, err := from.Read(b)
			if err != nil {
				break
			}
			if _, err := to.Write(b[:n]); err != nil {
				break
			}
		}
		from.Close()
		to.Close()
	}
	all.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", strings.TrimPrefix(to, "nats://"))
			if err != nil {
				in.Close()
				continue
			}
			context.AfterFunc(over, func() { in.Close(); out.Close() })
			all.Go(func() { carry(in, out) })
			all.Go(func() { carry(out, in) })
		}
	})
	return freeze
}

func TestManyClients(t *testing.T) {
	l := newLab(t)
	l.start("A")
	l.start("B")
	f := l.fleet(cluster.Workload{Subscribers: 999, Rate: 10})
	began := time.Now()
	f.connect()
	connected := time.Since(began)
	l.stop("A")
	stopped := time.Since(began)
	f.wait("everyone is elsewhere", allConnected("A"))
	moved := time.Since(began)
	f.wait("everyone is reached", reached)
	reached := time.Since(began)
	fl := f.settleAll()
	t.Logf("connected after %s, A gone %s, moved %s, reached %s, settled %s", connected, stopped, moved, reached, time.Since(began))
	t.Logf("%d published, %d lost, away p50 %s p99 %s max %s", fl.Published, fl.Lost, fl.AwayP50, fl.AwayP99, fl.AwayMax)
	if fl.Reconnects != 1000 {
		t.Errorf("%+v", fl.Totals)
	}
	f.Close()
	t.Logf("closed %s", time.Since(began))
}

// A look is answered also when nothing happened.
func TestLook(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.start("A")
	l.start("B")
	f := l.fleet(cluster.Workload{Subscribers: 3})
	f.connect()
	f.wait("everyone is told", func(fl cluster.Fleet) bool { return len(fl.Clients) == 5 })
	before := time.Now()
	f.Look()
	until(t, "the look is answered", func() string {
		if at := f.fleetNow().At; at.Before(before) {
			return at.String()
		}
		return ""
	})
}
