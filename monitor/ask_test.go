package monitor

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"nats-roll/cluster"
)

func TestAskCluster(t *testing.T) {
	a, nodeA := start(t, "A", nil)
	b, nodeB := start(t, "B", a)
	client := NewClient()
	t.Cleanup(client.CloseIdleConnections)

	var answers [2]cluster.Answer
	until(t, "both see each other on four connections", func() string {
		for i, n := range []cluster.Node{nodeA, nodeB} {
			var err error
			if answers[i], err = Ask(t.Context(), client, n, 50); err != nil {
				return err.Error()
			}
			if answers[i].Routes != 4 {
				return fmt.Sprintf("%s has %d routes", n.Name, answers[i].Routes)
			}
		}
		return ""
	})
	for i, other := range []*server.Server{b, a} {
		got := answers[i].Peers
		if len(got) != 1 || got[0].ID != other.ID() || got[0].Name != other.Name() || got[0].Routes != 4 || got[0].Configured != got[0].Dialed {
			t.Errorf("peers %+v, want %s with 4 routes", got, other.Name())
		}
		if !answers[i].Healthy || answers[i].Version != server.VERSION {
			t.Errorf("answer %+v", answers[i])
		}
	}
	if n := answers[0].Peers[0].Dialed + answers[1].Peers[0].Dialed; n < 4 {
		t.Errorf("%d of 4 connections were dialed by one of them at least", n)
	}

	const clients, page = 300, 50
	for i := range clients {
		raw(t, a, fmt.Sprintf("client %d", i))
	}
	before := time.Now()
	got, err := Ask(t.Context(), client, nodeA, page)
	if err != nil {
		t.Fatal(err)
	}
	if got.Connections != clients || got.TotalConnections != clients || len(got.Clients) != page {
		t.Fatalf("%d connections, %d on the page", got.Connections, len(got.Clients))
	}
	if first := got.Clients[0]; first.Name != "client 299" || first.Lang != "raw" {
		t.Errorf("the newest is %+v", first)
	}
	if !got.Partial {
		t.Error("a page is taken for all of them")
	}
	if got.Began.Before(before) || got.Ended.Before(got.Began) || got.Ended.After(time.Now()) {
		t.Errorf("asked from %s to %s", got.Began, got.Ended)
	}
}

// Why a connection is not there any more is asked of the server that had it,
// and only when one is missed.
func TestAskWhyAConnectionWasClosed(t *testing.T) {
	s, n := start(t, "A", nil)
	ends := map[string]func(net.Conn, uint64){
		"Client Closed":      func(c net.Conn, _ uint64) { c.Close() },
		"Protocol Violation": func(c net.Conn, _ uint64) { fmt.Fprint(c, "HELLO\r\n") },
		"Kicked":             func(_ net.Conn, cid uint64) { _ = s.DisconnectClientByID(cid) },
		"still there":        func(net.Conn, uint64) {},
		"not a stranger":     func(c net.Conn, _ uint64) { c.Close() },
	}
	conns := map[string]net.Conn{}
	for why := range ends {
		name := why
		if why == "not a stranger" {
			name = cluster.FleetPrefix + why
		}
		conns[why] = raw(t, s, name)
	}
	var paths []string
	client := &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
		if strings.Contains(r.URL.RawQuery, "closed") {
			paths = append(paths, r.URL.RawQuery)
		}
		return http.DefaultTransport.RoundTrip(r)
	})}
	before, err := ask(t.Context(), client, n, 50, round{})
	if err != nil || len(before.Clients) != len(ends) || before.Partial {
		t.Fatalf("%+v, %v", before, err)
	}
	if again, err := ask(t.Context(), client, n, 50, round{before: before}); err != nil || again.Closed != nil || len(paths) > 0 {
		t.Fatalf("nothing was closed, and %v was asked: %+v, %v", paths, again.Closed, err)
	}
	from := time.Now()
	cids := map[string]uint64{}
	for _, c := range before.Clients {
		cids[c.Name] = c.CID
	}
	for why, end := range ends {
		end(conns[why], cids[why])
	}
	var a cluster.Answer
	until(t, "only one is left", func() string {
		if a, err = ask(t.Context(), client, n, 50, round{before: before}); err != nil {
			return err.Error()
		}
		if len(a.Clients) != 1 || len(a.Closed) != 3 {
			return fmt.Sprintf("%d are there, %d closed", len(a.Clients), len(a.Closed))
		}
		return ""
	})
	for _, c := range a.Closed {
		if c.CID != cids[c.Reason] || !c.Seen.Equal(before.Began) || c.Stop.Before(from) || c.Stop.After(time.Now()) {
			t.Errorf("%+v, of cids %v", c, cids)
		}
	}
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A server with JetStream that is alone in a cluster of several has no meta
// leader, and says so on /healthz with status 503.
func TestAskUnhealthy(t *testing.T) {
	opts := options("A", nil)
	opts.JetStream, opts.StoreDir = true, t.TempDir()
	opts.Routes = append(opts.Routes, &url.URL{Scheme: "nats", Host: closedPort(t)}, &url.URL{Scheme: "nats", Host: closedPort(t)})
	_, n := run(t, opts)
	until(t, "it says why", func() string {
		a, err := Ask(t.Context(), http.DefaultClient, n, 1)
		switch {
		case err != nil:
			return err.Error()
		case a.Healthy || !strings.Contains(a.Health, "JetStream"):
			return fmt.Sprintf("%t %q", a.Healthy, a.Health)
		}
		return ""
	})
}

func TestAskErrors(t *testing.T) {
	recorded := http.FileServer(http.Dir("testdata/2.15.2"))
	for _, tt := range []struct {
		name string
		node func(*testing.T) cluster.Node
		want string
	}{
		{"nobody listens", func(t *testing.T) cluster.Node { return node(t, "A", closedPort(t)) }, "refused"},
		{"frozen", func(t *testing.T) cluster.Node { return node(t, "A", frozen(t)) }, "no answer within 1s"},
		{"redirect", func(t *testing.T) cluster.Node {
			return serve(t, http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound))
		}, "status 302"},
		{"no monitoring", func(t *testing.T) cluster.Node { return serve(t, http.NotFoundHandler()) }, "ask A: /"},
		{"not JSON", func(t *testing.T) cluster.Node {
			return serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }))
		}, "decode"},
		{"two processes", func(t *testing.T) cluster.Node {
			return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/varz" {
					fmt.Fprint(w, `{"server_id":"ANOTHER"}`)
					return
				}
				r.URL.Path += ".json"
				recorded.ServeHTTP(w, r)
			}))
		}, "/varz is by server"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := NewClient()
			defer client.CloseIdleConnections()
			_, err := Ask(t.Context(), client, tt.node(t), 10)
			if err == nil || !strings.HasPrefix(err.Error(), "ask A: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestBodyIsBounded(t *testing.T) {
	endless := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for chunk := make([]byte, 1<<20); r.Context().Err() == nil; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	client := NewClient()
	defer client.CloseIdleConnections()
	if err := get(t.Context(), client, endless.MonitorURL(), new(varz), okOnly); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("error %v", err)
	}
}

func TestNoProxy(t *testing.T) {
	if NewClient().Transport.(*http.Transport).Proxy != nil {
		t.Error("asks through a proxy")
	}
}

// start runs a server in this process, in one cluster with peer if there is one.
func start(t *testing.T, name string, peer *server.Server) (*server.Server, cluster.Node) {
	t.Helper()
	return run(t, options(name, peer))
}

func options(name string, peer *server.Server) *server.Options {
	o := &server.Options{
		ServerName: name, Host: "127.0.0.1", Port: -1,
		HTTPHost: "127.0.0.1", HTTPPort: -1,
		Cluster: server.ClusterOpts{Name: "roll", Host: "127.0.0.1", Port: -1},
		NoLog:   true, NoSigs: true,
	}
	if peer != nil {
		o.Routes = []*url.URL{{Scheme: "nats", Host: peer.ClusterAddr().String()}}
	}
	return o
}

func run(t *testing.T, o *server.Options) (*server.Server, cluster.Node) {
	t.Helper()
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("server is not ready")
	}
	return s, node(t, o.ServerName, s.MonitorAddr().String())
}

func node(t testing.TB, name, addr string) cluster.Node {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return cluster.Node{Name: name, Host: host, MonitorPort: n}
}

// raw connects a client that speaks just enough of the protocol.
func raw(t *testing.T, s *server.Server, name string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "CONNECT {\"name\":%q,\"lang\":\"raw\",\"verbose\":false,\"protocol\":1}\r\nPING\r\n", name)
	for lines := bufio.NewScanner(c); lines.Scan(); {
		if lines.Text() == "PONG" {
			return c
		}
	}
	t.Fatalf("%s: no PONG", name)
	return nil
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// frozen is a server that accepts connections and never says anything.
func frozen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() }) // the kernel accepts; nobody reads
	return l.Addr().String()
}

// until waits for a condition, which says what is still wrong.
func until(t *testing.T, what string, wrong func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		w := wrong()
		if w == "" {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %s", what, w)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
