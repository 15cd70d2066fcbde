package monitor

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"nats-roll/cluster"
)

// Three servers with JetStream: all of them know who leads, and that one knows how
// the others stand. What is stored is told by each of its own.
func TestAskJetStream(t *testing.T) {
	names := []string{"A", "B", "C"}
	var routes []*url.URL
	for range names {
		routes = append(routes, &url.URL{Scheme: "nats", Host: closedPort(t)})
	}
	var nodes []cluster.Node
	for i, name := range names { // none of them is ready before the others are there
		o := options(name, nil)
		o.JetStream, o.StoreDir, o.Routes = true, t.TempDir(), routes
		o.Cluster.Port, _ = strconv.Atoi(routes[i].Port())
		s, err := server.NewServer(o)
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		nodes = append(nodes, node(t, name, s.MonitorAddr().String()))
	}
	var answers [3]cluster.Answer
	until(t, "the meta group is whole", func() string {
		leader := ""
		for i, n := range nodes {
			var err error
			if answers[i], err = Ask(t.Context(), http.DefaultClient, n, 10); err != nil {
				return err.Error()
			}
			m := answers[i].JetStream.Meta
			switch {
			case m.Leader == "" || m.Size != 3 || leader != "" && m.Leader != leader:
				return fmt.Sprintf("%s: %+v", n.Name, m)
			case m.Leader == n.Name && (len(m.Replicas) != 2 || !m.Replicas[0].Current || !m.Replicas[1].Current || m.Replicas[0].Offline):
				return fmt.Sprintf("the leader %s: %+v", n.Name, m)
			}
			leader = m.Leader
		}
		return ""
	})
	for _, a := range answers {
		if !a.JetStream.Asked.After(a.Began) || a.JetStream.Asked.After(a.Ended.Add(Timeout)) || len(a.JetStream.Stores) > 0 {
			t.Errorf("%s: %+v", a.Node, a.JetStream)
		}
	}
	without, err := ask(t.Context(), http.DefaultClient, nodes[0], 10, round{})
	if err != nil || !without.JetStream.Asked.IsZero() {
		t.Errorf("not asked for: %+v, %v", without.JetStream, err)
	}
}

// A server that was asked before its JetStream was up never tells its configuration, and
// is asked for its streams all the same.
func TestAskBeforeJetStreamIsUp(t *testing.T) {
	o := options("A", nil)
	o.Cluster, o.StoreDir = server.ClusterOpts{}, t.TempDir()
	s, n := run(t, o)
	if a, err := Ask(t.Context(), http.DefaultClient, n, 1); err != nil || !a.JetStream.Asked.IsZero() {
		t.Fatalf("%+v, %v", a.JetStream, err)
	}
	if err := s.EnableJetStream(&server.JetStreamConfig{StoreDir: o.StoreDir}); err != nil {
		t.Fatal(err)
	}
	if a, err := Ask(t.Context(), http.DefaultClient, n, 1); err != nil || a.JetStream.Asked.IsZero() {
		t.Errorf("%+v, %v", a.JetStream, err)
	}
}

// What /jsz lists of streams is that server's own copy, in the global account.
func TestStoresAreTheServersOwn(t *testing.T) {
	node := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/jsz" {
			r.URL.Path += ".json"
			http.FileServer(http.Dir("testdata/2.15.2")).ServeHTTP(w, r)
			return
		}
		fmt.Fprint(w, `{"meta_cluster":{"leader":"B","cluster_size":3},"account_details":[
			{"name":"OTHER","stream_detail":[{"name":"X","state":{"messages":9}}]},
			{"name":"$G","stream_detail":[{"name":"ROLL","state":{"messages":7,"last_seq":8}},{"name":"KV","state":{"messages":1,"last_seq":5}}]}]}`)
	}))
	var j jsz
	if err := get(t.Context(), http.DefaultClient, node.MonitorURL()+"/jsz", &j, okOnly); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(j.jetStream().Stores); got != "[{KV 1 5} {ROLL 7 8}]" {
		t.Error(got)
	}
	// That one has no JetStream by its /varz, and is not asked.
	a, err := Ask(t.Context(), http.DefaultClient, node, 10)
	if err != nil || a.JetStream.Meta.Leader != "" {
		t.Errorf("%+v, %v", a.JetStream, err)
	}
	if strings.Contains(fmt.Sprint(a.JetStream.Gist()), "7") {
		t.Error("counters are part of the gist")
	}
}

// What a server last said of JetStream stays when it does not say it once: it is as
// old as it was.
func TestAJSZThatDoesNotAnswerOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world, watcher *Watcher) {
		said := cluster.JetStream{Asked: time.Now(), Meta: cluster.Meta{Leader: "B", Size: 3}}
		w.set(func() { w.answer.JetStream = said })
		watcher.Up("A")
		time.Sleep(time.Second)
		w.set(func() { w.answer.JetStream = cluster.JetStream{} })
		w.clear()
		time.Sleep(5 * time.Second)
		_, told := w.clear()
		for _, e := range told {
			if a := e.(cluster.Answered).Answer; a.JetStream.Meta.Leader != "B" || !a.JetStream.Asked.Equal(said.Asked) {
				t.Fatalf("told %+v", a.JetStream)
			}
		}
		if len(told) == 0 {
			t.Error("nothing was told")
		}
	})
}
