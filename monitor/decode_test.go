package monitor

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	}{
		{"2.8.4", 1, ""},
		{"2.10.29", 4, "B"},
		{"2.12.15", 4, "B"},
		{"2.15.2", 4, "B"},
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
