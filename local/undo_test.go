package local_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"nats-roll/cluster"
	"nats-roll/fleet"
	"nats-roll/local"
	"nats-roll/proc/proctest"
	"nats-roll/rehearsal"
	"nats-roll/release"
	"nats-roll/release/releasetest"
	"nats-roll/upgrade"
)

// undone is a walk on real servers by somebody who takes every step back once.
type undone struct {
	*testing.T
	lab  *rehearsal.Lab
	plan upgrade.Plan
	dir  string
	top  cluster.Topology
}

// ready waits until a step can be done.
func (u *undone) ready(id string) {
	u.Helper()
	u.until(id, func(s rehearsal.State) bool {
		st, ok := s.Plan.Step()
		return ok && st.ID == id && st.Status == upgrade.Ready
	})
}

func (u *undone) until(what string, cond func(rehearsal.State) bool) {
	u.Helper()
	deadline := time.After(time.Minute)
	for {
		s, changed := u.lab.State()
		if cond(s) {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			st, _ := s.Plan.Step()
			u.Fatalf("never %s: %s is %s %s %+v, given %+v%s", what, st.ID, st.Status, st.Reason, st.Checks, st.Given, u.said())
		}
	}
}

// said is what the servers' logs say last of JetStream.
func (u *undone) said() string {
	var out strings.Builder
	for _, n := range u.top.Nodes {
		log, err := os.ReadFile(filepath.Join(u.dir, n.Name, "server.log"))
		if err != nil {
			fmt.Fprintf(&out, "\n%v", err)
		}
		lines := slices.DeleteFunc(strings.Split(string(log), "\n"), func(l string) bool {
			return !strings.Contains(l, "JetStream") && !strings.Contains(l, "RAFT")
		})
		for _, l := range lines[max(0, len(lines)-20):] {
			fmt.Fprintf(&out, "\n%s %s", n.Name, l)
		}
	}
	return out.String()
}

// slots is what lies in the slots and what runs, as the system and the servers
// themselves tell it.
func (u *undone) slots() map[string]string {
	u.Helper()
	out := map[string]string{}
	o, _ := u.lab.Observe()
	for _, n := range u.top.Nodes {
		slot := filepath.Join(u.dir, n.Name)
		file, err := os.ReadFile(filepath.Join(slot, "nats-server"))
		if err != nil {
			u.Fatal(err)
		}
		config, err := os.ReadFile(filepath.Join(slot, cluster.ConfigFile))
		if err != nil && !os.IsNotExist(err) {
			u.Fatal(err)
		}
		s, _ := o.Server(n.Name)
		version := "nothing"
		if got, err := http.Get(fmt.Sprintf("http://%s:%d/varz", n.Host, n.MonitorPort)); err == nil {
			var varz struct {
				Version string `json:"version"`
				Name    string `json:"server_name"`
			}
			err = json.NewDecoder(got.Body).Decode(&varz)
			_ = got.Body.Close()
			if err != nil || varz.Name != n.Name {
				u.Fatalf("%s: %v, %+v", n.Name, err, varz)
			}
			version = varz.Version + " with " + strings.Join(s.Process.Args, " ")
		}
		out[n.Name] = fmt.Sprintf("%x on disk, %s runs, configured %q", sha256.Sum256(file), version, config)
	}
	return out
}

// kept is what the stream holds, read by sequence: the ids of the messages, up to
// one. It is nil where there is no stream.
func (u *undone) kept(upTo uint64) []string {
	u.Helper()
	ids, err := u.read(upTo)
	if err != nil {
		u.Fatal(err)
	}
	return ids
}

// read is kept where the stream may not answer.
func (u *undone) read(upTo uint64) (ids []string, err error) {
	u.Helper()
	var urls []string
	for _, n := range u.top.Permanent() {
		urls = append(urls, n.ClientURL())
	}
	nc, err := nats.Connect(strings.Join(urls, ","))
	if err != nil {
		u.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		u.Fatal(err)
	}
	// A request can be lost while servers change; nobody answers it then.
	ask := func(what func(ctx context.Context) error) error {
		for deadline := time.Now().Add(20 * time.Second); ; {
			ctx, cancel := context.WithTimeout(u.Context(), 2*time.Second)
			err := what(ctx)
			cancel()
			if err == nil || errors.Is(err, jetstream.ErrStreamNotFound) || time.Now().After(deadline) {
				return err
			}
		}
	}
	var stream jetstream.Stream
	err = ask(func(ctx context.Context) (err error) {
		stream, err = js.Stream(ctx, "ROLL")
		return err
	})
	if err != nil {
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil, nil
		}
		return nil, err
	}
	last := cmp.Or(upTo, stream.CachedInfo().State.LastSeq)
	for seq := uint64(1); seq <= last; seq++ {
		err := ask(func(ctx context.Context) error {
			m, err := stream.GetMsg(ctx, seq)
			if err == nil {
				ids = append(ids, m.Header.Get(jetstream.MsgIDHeader))
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("message %d of %d: %w", seq, last, err)
		}
	}
	return ids, nil
}

// acknowledged is how many messages of the clients that are connected now were
// acknowledged at least.
func (u *undone) acknowledged() int {
	o, _ := u.lab.Observe()
	return int(o.Fleet.Stored.Acked)
}

// has fails unless the newest clients' messages up to this one are there, each once.
func (u *undone) has(ids []string, acked int) {
	u.Helper()
	if acked == 0 {
		return
	}
	run, _, _ := strings.Cut(ids[len(ids)-1], "-")
	found := map[string]int{}
	for _, id := range ids {
		found[id]++
	}
	for n := 1; n <= acked; n++ {
		if id := fmt.Sprintf("%s-0-%d", run, n); found[id] != 1 {
			u.Errorf("%s was acknowledged and is there %d times", id, found[id])
		}
	}
}

// Undo from every step brings back versions, processes, configuration, and with
// JetStream every message that was acknowledged.
func TestUndoFromEveryStep(t *testing.T) {
	for _, tc := range []struct {
		name  string
		nodes int
		js    bool
	}{{"2 and a spare", 2, false}, {"3 with JetStream", 3, true}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u := undoing(t, tc.nodes, tc.js)
			u.until("slots are filled", func(s rehearsal.State) bool {
				return len(s.World.Servers) > 0 && !slices.ContainsFunc(s.World.Servers, func(s cluster.Server) bool { return s.Disk.Zero() })
			})
			for i, st := range u.plan.Steps {
				u.ready(st.ID)
				before := u.slots()
				var kept []string
				connected := slices.ContainsFunc(u.plan.Steps[:i], func(s upgrade.Step) bool { return s.ID == "connect-clients" })
				look := tc.js && (connected || st.ID == "connect-clients")
				if look {
					kept = u.kept(0)
				}
				if st.ID == "stop-b" && tc.js && len(kept) == 0 {
					t.Error("there is nothing in the stream that could be lost")
				}
				u.press(st.ID)
				next := ""
				if i+1 < len(u.plan.Steps) {
					next = u.plan.Steps[i+1].ID
				}
				u.past(next)
				if after := u.slots(); st.Node != "" && after[st.Node] == before[st.Node] {
					t.Errorf("%s changes nothing: %s", st.ID, after[st.Node])
				}
				u.lab.Say(upgrade.Intent{Step: next, Undo: true})
				u.until(st.ID+" taken back", func(s rehearsal.State) bool { return len(s.Plan.Taken) == i+1 && s.Plan.Taken[i].Took > 0 })
				u.ready(st.ID)
				if back := u.slots(); !maps.Equal(back, before) {
					t.Errorf("%s, taken back:\n%v\nbefore it:\n%v", st.ID, back, before)
				}
				if look {
					acked := u.acknowledged()
					if now := u.kept(uint64(len(kept))); !slices.Equal(now, kept) {
						t.Errorf("%s, taken back: the stream holds\n%v\nbefore it\n%v", st.ID, now, kept)
					}
					if connected && st.ID != upgrade.LookBack { // whose undo begins another count
						u.has(u.kept(0), acked)
					}
				}
				u.press(st.ID)
				u.past(next)
			}
			s, _ := u.lab.State()
			if s.Plan.Outcome != upgrade.OutcomeVerified {
				t.Errorf("%s: %s", s.Plan.Outcome, s.Plan.Reason)
			}
			if tc.js && (s.World.Fleet.Stored.Missing > 0 || s.World.Fleet.Stored.Acked == 0) {
				t.Errorf("%+v", s.World.Fleet.Stored)
			}
		})
	}
}

// press does a step. It is pressed again, as a person would, when what the step needs
// was missing just then.
func (u *undone) press(id string) {
	u.Helper()
	var pressed time.Time
	u.until(id+" begun", func(s rehearsal.State) bool {
		st, ok := s.Plan.Step()
		if !ok || st.ID != id || st.Status != upgrade.Ready && st.Status != upgrade.Blocked {
			return true
		}
		if st.Status == upgrade.Ready && time.Since(pressed) > time.Second {
			pressed = time.Now()
			u.lab.Say(upgrade.Intent{Step: id})
		}
		return false
	})
}

// past waits until the next step can be done; empty: until the plan is through.
func (u *undone) past(next string) {
	u.Helper()
	if next != "" {
		u.ready(next)
		return
	}
	u.until("through", func(s rehearsal.State) bool { return s.Plan.Outcome != "" })
}

// undoing begins a walk with a person, which ends with the test.
func undoing(t *testing.T, nodes int, js bool) *undone {
	top := proctest.Topology(t, nodes)
	work := cluster.Workload{Subscribers: 5, Rate: 100}
	if js {
		var err error
		if top, err = cluster.NewTopology(nodes, false, top.Nodes[0].ClientPort-4222); err != nil {
			t.Fatal(err)
		}
		top.JetStream = true
		work.Stores, work.StoreRate, work.Consumers, work.KV, work.Timeout = 1, 20, 1, 5, time.Second
	}
	return taking(t, top, work, upgrade.Rolling)
}

// taking is the same for any plan.
func taking(t *testing.T, top cluster.Topology, work cluster.Workload, plan func(upgrade.Spec) upgrade.Plan) *undone {
	from, to := releasetest.Build(t, releasetest.Older), releasetest.Embedded(t)
	u := &undone{T: t, lab: rehearsal.New(), top: top, dir: t.TempDir()}
	d, err := local.New(local.Options{
		Topology: top, Dir: u.dir, System: fleet.System, Identify: release.Identify, Inspect: release.Inspect, Sink: u.lab.Emit,
		Clients: func(w cluster.Workload) local.Clients {
			return fleet.New(fleet.Options{Topology: top, Workload: w, Sink: u.lab.Emit})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	u.plan = plan(upgrade.Spec{
		Topology: top, From: cluster.Builds{Build: from}, To: cluster.Builds{Build: to}, Workload: work, Stop: cluster.StopInt, Dir: u.dir,
	})
	ctx, cancel := context.WithCancel(t.Context())
	walked := make(chan error, 1)
	r := upgrade.Runner{Plan: u.plan, Driver: d, World: u.lab, Sink: u.lab.Emit, Intents: u.lab.Intents(), Lingers: true}
	go func() { walked <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-walked
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		u.lab.Close()
	})
	return u
}
