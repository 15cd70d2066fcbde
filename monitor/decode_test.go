package monitor

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"nats-roll/cluster"
)

// The recorded answers are A's, of a cluster of A and B with two clients on A.

func TestRecordedAnswers(t *testing.T) {
	for _, tt := range []struct {
		version cluster.Version
		routes  int    // connections to B
		peer    string // B's name, where routez tells it
		dialed  int    // by A, as it was configured to; the others B did
	}{
		{"2.8.4", 1, "", 1},
		{"2.10.29", 4, "B", 4},
		{"2.12.15", 4, "B", 4},
		{"2.15.2", 4, "B", 0},
	} {
		t.Run(string(tt.version), func(t *testing.T) {
			node := replay(t, filepath.Join("testdata", string(tt.version)))
			a, err := Ask(t.Context(), http.DefaultClient, node, 10)
			if err != nil {
				t.Fatal(err)
			}
			if a.Node != "A" || a.Name != "A" || a.Version != tt.version || len(a.ServerID) != 56 || a.Start.Year() < 2024 {
				t.Errorf("who: %+v", a)
			}
			if a.Routes != tt.routes || len(a.Peers) != 1 || a.Peers[0].Routes != tt.routes || a.Peers[0].Name != tt.peer || len(a.Peers[0].ID) != 56 {
				t.Errorf("%d routes, peers %+v; want %d to %q", a.Routes, a.Peers, tt.routes, tt.peer)
			}
			if p := a.Peers[0]; p.Dialed != tt.dialed || p.Configured != tt.dialed {
				t.Errorf("%+v: A dialed %d", p, tt.dialed)
			}
			if !a.Healthy || a.Health != "" {
				t.Errorf("health: %t %q", a.Healthy, a.Health)
			}
			if a.Connections != 2 || a.TotalConnections != 2 || len(a.ConnectURLs) == 0 || a.InMsgs < 2 {
				t.Errorf("counts: %+v", a)
			}
			if len(a.Clients) != 2 {
				t.Fatalf("%d clients", len(a.Clients))
			}
			newest := a.Clients[0]
			if newest.Name != "nats-roll: sub 1" || newest.Lang != "go" || newest.Version != "1.55.0" || newest.Subs != 1 || newest.OutMsgs != 1 || newest.OutBytes != 1 || newest.InMsgs != 1 {
				t.Errorf("newest: %+v", newest)
			}
			if _, err := time.ParseDuration(newest.RTT); err != nil {
				t.Errorf("rtt: %v", err)
			}
			if oldest := a.Clients[1]; oldest.Name != `nats-roll: nats sub ">"` || !oldest.Start.Before(newest.Start) || oldest.CID >= newest.CID {
				t.Errorf("oldest: %+v", oldest)
			}
		})
	}
}

// Recorded of servers with the accounts APP and SYS: a client of each, and then
// the first of them closed.
func TestRecordedAccounts(t *testing.T) {
	for _, v := range []cluster.Version{"2.8.4", "2.10.29", "2.12.15", "2.15.2"} {
		t.Run(string(v), func(t *testing.T) {
			open, closed := recorded(t, v, "connz"), recorded(t, v, "closed")
			clients := open.clients(varz{Version: v, SystemAccount: "SYS"})
			if len(clients) != 2 {
				t.Fatalf("%d clients", len(clients))
			}
			watch, orders := clients[0], clients[1]
			if !watch.System || watch.Stranger() {
				t.Errorf("who looks after the servers: %+v", watch)
			}
			user := "orders"
			if v == "2.8.4" {
				user = "" // it could be a token
			}
			if !orders.Stranger() || orders.Account != "APP" || orders.User != user {
				t.Errorf("the application's: %+v", orders)
			}
			ends := closed.closings(cluster.Answer{Began: orders.Start}, []cluster.Connection{orders, watch})
			if len(ends) != 2 {
				t.Fatalf("%d ended", len(ends))
			}
			if e := ends[0]; e.CID != orders.CID || e.Reason != "Client Closed" || !e.Seen.Equal(orders.Start) || !e.Stop.After(orders.Start) {
				t.Errorf("known: %+v", e)
			}
			if e := ends[1]; e.CID != watch.CID || e.Reason != "" || e.Seen.IsZero() || !e.Stop.IsZero() {
				t.Errorf("of which there is no record: %+v", e)
			}
		})
	}
}

func recorded(t *testing.T, v cluster.Version, name string) (c connz) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", string(v), "accounts", name+".json"))
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVanished(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 11, 1, 12, 0, s, 0, time.UTC) }
	conn := func(cid int, name string) cluster.Connection {
		return cluster.Connection{CID: uint64(cid), Name: name, Start: at(cid)}
	}
	before := cluster.Answer{ServerID: "X", Clients: []cluster.Connection{
		conn(5, "e"), conn(4, cluster.FleetPrefix+"sub 1"), conn(3, "c"), conn(2, "b"), {CID: 1, Name: "a", Start: at(1), System: true},
	}}
	for _, tt := range []struct {
		name string
		now  cluster.Answer
		want []uint64
	}{
		{"all", cluster.Answer{ServerID: "X"}, []uint64{5, 3, 2}},
		{"none", before, nil},
		{"one", cluster.Answer{ServerID: "X", Clients: []cluster.Connection{conn(5, "e"), conn(2, "b")}}, []uint64{3}},
		{"off the page", cluster.Answer{ServerID: "X", Partial: true, Clients: []cluster.Connection{conn(9, "new"), conn(3, "c")}}, []uint64{5}},
		{"another process", cluster.Answer{ServerID: "Y"}, nil},
	} {
		var got []uint64
		for _, c := range vanished(before, tt.now) {
			got = append(got, c.CID)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// replay serves recorded answers.
func replay(t testing.TB, dir string) cluster.Node {
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(dir, r.URL.Path+".json"))
	}))
}

func serve(t testing.TB, h http.Handler) cluster.Node {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return node(t, "A", s.Listener.Addr().String())
}

func TestChange(t *testing.T) {
	base := func() cluster.Answer {
		return cluster.Answer{
			ServerID: "X", Version: "2.15.2", Routes: 4, Connections: 1, Healthy: true,
			Peers:   []cluster.Peer{{ID: "Y", Routes: 4}},
			Clients: []cluster.Connection{{CID: 7, Subs: 1}},
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*cluster.Answer)
		same   bool
	}{
		{"nothing", func(*cluster.Answer) {}, true},
		{"messages", func(a *cluster.Answer) { a.InMsgs, a.OutMsgs = 5, 6 }, true},
		{"a client's messages", func(a *cluster.Answer) { a.Clients[0].OutMsgs = 5; a.Clients[0].RTT = "1ms" }, true},
		{"id", func(a *cluster.Answer) { a.ServerID = "Z" }, false},
		{"version", func(a *cluster.Answer) { a.Version = "2.15.1" }, false},
		{"routes to a peer", func(a *cluster.Answer) { a.Peers[0].Routes = 3 }, false},
		{"another peer", func(a *cluster.Answer) { a.Peers[0].ID = "Z" }, false},
		{"connections", func(a *cluster.Answer) { a.Connections = 2 }, false},
		{"another client", func(a *cluster.Answer) { a.Clients[0].CID = 8 }, false},
		{"health", func(a *cluster.Answer) { a.Healthy = false }, false},
	} {
		b := base()
		tt.change(&b)
		if got := same(base(), b); got != tt.same {
			t.Errorf("%s: same is %t", tt.name, got)
		}
	}
}

// One round of a cluster of three with a full page costs decoding as much as
// this; settled servers are asked once a second.
func BenchmarkDecode(b *testing.B) {
	for _, clients := range []int{2, 50, DefaultPage} {
		b.Run(strconv.Itoa(clients), func(b *testing.B) {
			var bodies [3][]byte
			for i, name := range []string{"varz", "routez", "connz"} {
				body, err := os.ReadFile(filepath.Join("testdata/2.15.2", name+".json"))
				if err != nil {
					b.Fatal(err)
				}
				bodies[i] = body
			}
			bodies[2] = grow(b, bodies[2], clients)
			b.ReportAllocs()
			for b.Loop() {
				var v varz
				var r routez
				var c connz
				for i, into := range []any{&v, &r, &c} {
					if err := json.Unmarshal(bodies[i], into); err != nil {
						b.Fatal(err)
					}
				}
				if a := answer(v, r, c); len(a.Clients) != clients {
					b.Fatal(len(a.Clients))
				}
			}
		})
	}
}

// grow repeats the connections of a recorded /connz.
func grow(b *testing.B, body []byte, n int) []byte {
	var c map[string]any
	if err := json.Unmarshal(body, &c); err != nil {
		b.Fatal(err)
	}
	one := c["connections"].([]any)[0]
	all := make([]any, n)
	for i := range all {
		all[i] = one
	}
	c["connections"] = all
	body, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		b.Fatal(err)
	}
	return body
}
