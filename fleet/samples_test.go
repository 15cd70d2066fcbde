package fleet

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"nats-roll/cluster"
)

// has is how many messages of a stream a server has itself.
func (l *lab) has(name, stream string) uint64 {
	runs := l.runs[name]
	js, err := runs[len(runs)-1].Jsz(&server.JSzOptions{Accounts: true, Streams: true})
	if err != nil {
		return 0
	}
	for _, a := range js.AccountDetails {
		for _, s := range a.Streams {
			if s.Name == stream {
				return s.State.Msgs
			}
		}
	}
	return 0
}

// Each of three servers is restarted. A stream that only one of them has does not
// answer meanwhile, and what it had in memory is gone; three that remember together
// forget nothing as long as one waits for them.
func TestWhatBecomesOfOtherStreams(t *testing.T) {
	const messages = 30
	l := labOf(t, 3)
	for _, n := range []string{"A", "B", "C"} {
		l.begin(n)
	}
	w := stores
	w.Samples = messages
	f := l.fleet(w)
	f.connect()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the streams: %+v", f.fleetNow().Streams)
		}
	})
	find := func(fl cluster.Fleet, name string) cluster.Stream {
		for _, s := range fl.Streams {
			if s.Name == name {
				return s
			}
		}
		return cluster.Stream{}
	}
	full := func(s cluster.Stream, followers int) bool {
		for _, r := range s.Replicas {
			if !r.Current || r.Offline || r.Lag > 0 {
				return false
			}
		}
		return s.Leader != "" && s.Home() == s.Leader && s.Messages == messages && s.Put == messages && len(s.Replicas) == followers
	}
	f.wait("the samples are full", func(fl cluster.Fleet) bool {
		return full(find(fl, "ONE"), 0) && full(find(fl, "ONE_IN_MEMORY"), 0) && full(find(fl, "THREE_IN_MEMORY"), 2)
	})
	fl := f.fleetNow()
	one, memory := find(fl, "ONE").Home(), find(fl, "ONE_IN_MEMORY").Home()
	if s := find(fl, "THREE_IN_MEMORY"); !s.Memory || s.Copies != 3 {
		t.Errorf("%+v", s)
	}
	forgotten := false
	for _, name := range []string{"A", "B", "C"} {
		l.stop(name)
		f.wait("those that only "+name+" has do not answer", func(fl cluster.Fleet) bool {
			for s, home := range map[string]string{"ONE": one, "ONE_IN_MEMORY": memory} {
				st := find(fl, s)
				if (st.Leader == "") != (home == name) || st.Home() != home {
					return false
				}
			}
			three := find(fl, "THREE_IN_MEMORY")
			return three.Leader != "" && three.Leader != name && three.Messages == messages
		})
		l.begin(name)
		f.wait(name+" has caught up", func(fl cluster.Fleet) bool {
			m := find(fl, "ONE_IN_MEMORY")
			forgotten = forgotten || name == memory
			// What its leader says of it is not enough, if it comes too early.
			return full(find(fl, "ONE"), 0) && full(find(fl, "THREE_IN_MEMORY"), 2) && l.has(name, "THREE_IN_MEMORY") == messages &&
				m.Leader == memory && m.Put == messages && (m.Messages == 0) == forgotten
		})
	}
	if led := find(f.fleetNow(), "THREE_IN_MEMORY").Led; len(led) < 2 {
		t.Errorf("its leader never moved: %v", led)
	}
}
