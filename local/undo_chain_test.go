//go:build chain

package local_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"nats-roll/cluster"
	"nats-roll/proc/proctest"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// Undo from every step of the chapter on streams that has one: versions, processes and
// configuration are as before it, and every message that was acknowledged is there.
// After an undo, the turn may be another server's: who leads comes last.
//
//	go test -tags chain -run UndoInJetStream -v -timeout 20m ./local
func TestUndoInJetStream(t *testing.T) {
	c, _ := upgrade.FindChapter("jetstream")
	offset := proctest.Topology(t, 3).Nodes[0].ClientPort - 4222
	top, err := cluster.NewTopology(3, true, offset)
	if err != nil {
		t.Fatal(err)
	}
	top.JetStream = true
	c.Shape(&top)
	u := taking(t, top, cluster.Workload{
		Subscribers: 5, Rate: 100, Timeout: time.Second, Stores: 1, StoreRate: 20, Consumers: 1, KV: 5,
	}, c.Plan)
	u.until("slots are filled", func(s rehearsal.State) bool {
		return len(s.World.Servers) > 0 && !slices.ContainsFunc(s.World.Servers, func(s cluster.Server) bool { return s.Disk.Zero() })
	})
	taken := map[string]bool{}
	connected := false
	for {
		id, over := u.rests("")
		if over {
			break
		}
		st := u.step(id)
		before := u.slots()
		var kept []string
		readable := connected
		if connected {
			var err error
			if kept, err = u.read(0); err != nil { // there is no majority, which is what the step is about
				t.Logf("before %s: %v", id, err)
				readable = false
			}
		}
		u.press(id)
		next, over := u.rests(id)
		if over && st.ID == upgrade.LookBack {
			break // its undo begins another count
		}
		connected = connected || id == "connect-clients"
		if st.Undo == nil || taken[id] {
			continue
		}
		taken[id] = true
		// Who is to lead may have come to lead by itself, so that more than one step is taken back.
		u.lab.Say(upgrade.Intent{Step: next, To: id})
		u.until(id+" taken back from "+next, func(s rehearsal.State) bool {
			return slices.ContainsFunc(s.Plan.Taken, func(x upgrade.Taken) bool { return x.Was.ID == id && x.Took > 0 })
		})
		u.rests(next)
		if back := u.slots(); !maps.Equal(back, before) {
			t.Errorf("%s, taken back:\n%v\nbefore it:\n%v", id, back, before)
		}
		if id == "connect-clients" {
			connected = false
			continue
		}
		if readable {
			acked := u.acknowledged()
			if now := u.kept(uint64(len(kept))); !slices.Equal(now, kept) {
				t.Errorf("%s, taken back: the stream holds %d messages of %d", id, len(now), len(kept))
			}
			u.has(u.kept(0), acked)
		}
	}
	s, _ := u.lab.State()
	if s.Plan.Outcome != upgrade.OutcomeVerified || s.World.Fleet.Stored.Missing > 0 || s.World.Fleet.Stored.Acked == 0 {
		t.Errorf("%s: %s; %+v", s.Plan.Outcome, s.Plan.Reason, s.World.Fleet.Stored)
	}
	t.Logf("taken back: %d steps of %d", len(taken), len(u.plan.Steps))
}

// rests waits until a step other than this one can be done, or the plan is through.
func (u *undone) rests(other string) (id string, over bool) {
	u.Helper()
	u.until("at rest after "+other, func(s rehearsal.State) bool {
		st, ok := s.Plan.Step()
		id, over = st.ID, s.Plan.Outcome != ""
		return over || ok && st.ID != other && st.Status == upgrade.Ready
	})
	return id, over
}

func (u *undone) step(id string) upgrade.Step {
	i := slices.IndexFunc(u.plan.Steps, func(s upgrade.Step) bool { return s.ID == id })
	return u.plan.Steps[i]
}
