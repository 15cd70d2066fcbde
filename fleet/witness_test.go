package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"nats-roll/cluster"
	"nats-roll/local"
	"nats-roll/proc/proctest"
	"nats-roll/release"
	"nats-roll/release/releasetest"
)

// witness sums what real servers say of connections, open and closed, of which
// each counts what it handed out and took in. A server that is killed takes its
// counters along, so it is asked just before, while the traffic rests.
type witness struct {
	t       *testing.T
	in, out map[string]int64 // by connection name
}

func (w *witness) ask(n cluster.Node) {
	w.t.Helper()
	for offset, more := 0, true; more; offset += 1000 {
		res, err := http.Get(fmt.Sprintf("%s/connz?state=all&limit=1000&offset=%d", n.MonitorURL(), offset))
		if err != nil {
			w.t.Fatal(err)
		}
		var page struct {
			Total       int
			Connections []struct {
				Name    string
				InMsgs  int64 `json:"in_msgs"`
				OutMsgs int64 `json:"out_msgs"`
			}
		}
		err = json.NewDecoder(res.Body).Decode(&page)
		res.Body.Close()
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range page.Connections {
			w.in[c.Name] += c.InMsgs
			w.out[c.Name] += c.OutMsgs
		}
		more = offset+1000 < page.Total
	}
}

// Rolls of real servers of two versions, with SIGINT, SIGKILL and lame duck in
// turn: what each client received is what the servers say they handed to it, and
// what was published is what they took in. Two rolls without lame duck, which
// takes the servers' own ten seconds and more; as many as asked for otherwise:
//
//	NATS_ROLL_ROLLS=30 go test ./fleet -run RealServersAgree -v -timeout 30m
func TestRealServersAgree(t *testing.T) {
	rolls, ways := 2, []cluster.Stop{cluster.StopInt, cluster.StopKill}
	if s := os.Getenv("NATS_ROLL_ROLLS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		rolls, ways = n, append(ways, cluster.StopLameDuck)
	}
	top := proctest.Topology(t, 2)
	builds := []cluster.Build{releasetest.Build(t, releasetest.Older), releasetest.Embedded(t)}
	l := &lab{t: t, topo: top}
	f := l.fleet(cluster.Workload{Subscribers: 4, Queue: 2, Publishers: 2, Rate: 500}) // requests would go on while a server is in lame duck mode
	d, err := local.New(local.Options{
		Topology: top, Dir: t.TempDir(), Sink: func(cluster.Event) {}, Identify: release.Identify, Inspect: release.Inspect,
		Clients: func(cluster.Workload) local.Clients { return f },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Close()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	start := func(n cluster.Node, b cluster.Build) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := d.Install(ctx, n.Name, b); err != nil {
			t.Fatal(err)
		}
		if err := d.Start(ctx, n.Name, top.Args(n)); err != nil {
			t.Fatal(err)
		}
		until(t, n.Name+" answers", func() string {
			res, err := http.Get(n.MonitorURL() + "/varz")
			if err != nil {
				return err.Error()
			}
			res.Body.Close()
			return ""
		})
	}
	for _, n := range top.Nodes {
		start(n, builds[0])
	}
	f.connect()
	w := &witness{t: t, in: map[string]int64{}, out: map[string]int64{}}
	began, stops := time.Now(), 0
	for roll := range rolls {
		how := ways[roll%len(ways)]
		for _, n := range top.Nodes { // or all end up where nobody is stopped
			f.wait("traffic", reached)
			f.wait("everyone knows the others", func(fl cluster.Fleet) bool { return knowsAll(fl, top) })
			f.rest(t)
			w.ask(n)
			if err := d.Stop(t.Context(), n.Name, how); err != nil {
				t.Fatal(err)
			}
			stops++
			f.wait("everyone is elsewhere", allConnected(n.Name))
			start(n, builds[(roll+1)%2])
			for _, p := range f.pumps {
				p.start()
			}
		}
	}
	f.wait("traffic", reached)
	fl := f.settleAll()
	f.adds(fl)
	until(t, "the servers agree", func() string { // the last end markers may be on their way
		now := &witness{t: t, in: maps.Clone(w.in), out: maps.Clone(w.out)}
		for _, n := range top.Nodes {
			now.ask(n)
		}
		f.Look()
		for _, c := range f.fleetNow().Clients {
			if now.out[c.Name] != int64(c.Delivered) {
				return fmt.Sprintf("%s got %d, the servers say %d", c.Name, c.Delivered, now.out[c.Name])
			}
		}
		for i, p := range f.pumps {
			if sent, got := int64(fl.Series[i].Published+p.others.Load()), now.in[p.client.facts.Name]; got != sent {
				return fmt.Sprintf("%s sent %d, the servers took in %d", p.client.facts.Name, sent, got)
			}
		}
		return ""
	})
	if fl.Reconnects < stops*len(fl.Clients)/4 {
		t.Errorf("%d reconnects in %d stops", fl.Reconnects, stops)
	}
	t.Logf("%d rolls, %d stops, %s: %d published, %d received by %d listeners, %d lost, %d duplicated, %d reconnects",
		rolls, stops, time.Since(began).Round(time.Second), fl.Published, fl.Received, fl.Listeners, fl.Lost, fl.Duplicated, fl.Reconnects)
}

// knowsAll says that every client knows every server, so that none waits for one
// that is away.
func knowsAll(fl cluster.Fleet, top cluster.Topology) bool {
	for _, c := range fl.Clients {
		if len(c.Known) < len(top.Nodes) {
			return false
		}
	}
	return true
}
