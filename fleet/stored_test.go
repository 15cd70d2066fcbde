package fleet

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"nats-roll/cluster"
)

var stores = cluster.Workload{Subscribers: 2, Rate: 100, Stores: 2, StoreRate: 200, Consumers: 2, KV: 50, Timeout: 500 * time.Millisecond}

func streaming(t *testing.T) (*lab, *watched) {
	t.Helper()
	l := labOf(t, 3)
	for _, n := range []string{"A", "B", "C"} {
		l.begin(n)
	}
	f := l.fleet(stores)
	f.connect()
	f.wait("messages in the stream", func(fl cluster.Fleet) bool {
		return fl.Stored.Consumed > 50 && fl.Stored.Written > 5 && replicated(fl) == ""
	})
	return l, f
}

// replicated says what is wrong with the streams.
func replicated(fl cluster.Fleet) string {
	if len(fl.Streams) != 2 {
		return "not asked"
	}
	for _, s := range fl.Streams {
		if s.Leader == "" || len(s.Replicas) != 2 {
			return s.Name + " has no leader or no followers"
		}
		for _, r := range s.Replicas {
			if !r.Current || r.Offline || r.Lag > 0 {
				return s.Name + " is behind on " + r.Node
			}
		}
	}
	return ""
}

// A roll of three servers with replicated streams: whatever was acknowledged is
// there, once, and the durable consumer has handed it out.
func TestNothingAcknowledgedIsMissing(t *testing.T) {
	l, f := streaming(t)
	for _, name := range []string{"A", "B", "C"} {
		l.stop(name)
		f.wait("everyone is elsewhere", allConnected(name))
		acked := f.fleetNow().Stored.Acked
		f.wait("messages are acknowledged", func(fl cluster.Fleet) bool { return fl.Stored.Acked > acked+20 })
		l.begin(name)
		f.wait("the replicas are current", func(fl cluster.Fleet) bool { return replicated(fl) == "" })
	}
	fl := f.settleAll()
	s := fl.Stored
	if !s.Looked || s.Found != s.Acked || s.Missing != 0 || s.Twice != 0 || s.Unsure != 0 || s.KVLost || s.Backwards != 0 {
		t.Errorf("%+v", s)
	}
	if s.Acked != s.Asked || s.Consumed != s.Found || s.Rate != 400 || s.Written == 0 {
		t.Errorf("%+v", s)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	stalls := uint64(0)
	for _, c := range f.costs {
		if c.Kind == cluster.CostStalled && strings.Contains(c.Client, "js publisher") {
			stalls++
		}
	}
	if stalls != s.Stalls {
		t.Errorf("%d costs for %+v", stalls, s)
	}
	t.Logf("%+v", s)
}

// What is missing, twice there, or overwritten with something older is found.
func TestWhatIsWrongInTheStreamIsFound(t *testing.T) {
	l, f := streaming(t)
	nc, err := nats.Connect(l.topo.Nodes[0].ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), streamName)
	if err != nil {
		t.Fatal(err)
	}
	for seq := range uint64(3) { // three of the acknowledged are gone
		if err := stream.DeleteMsg(t.Context(), 5+seq); err != nil {
			t.Fatal(err)
		}
	}
	again, err := stream.GetMsg(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // and one is there three times
		if _, err := js.Publish(t.Context(), again.Subject, again.Data); err != nil {
			t.Fatal(err)
		}
	}
	f.stored.stop(t.Context()) // or the writer's next value covers it
	kv, err := js.KeyValue(t.Context(), bucketName)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), key, []byte("1")); err != nil {
		t.Fatal(err)
	}
	f.wait("the reader saw it", func(fl cluster.Fleet) bool { return fl.Stored.Backwards == 1 })
	s := f.settleAll().Stored
	if !s.Looked || s.Missing != 3 || s.Found != s.Acked-3 || s.Twice != 2 || !s.KVLost {
		t.Errorf("%+v", s)
	}
}
