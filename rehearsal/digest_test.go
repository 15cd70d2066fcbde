package rehearsal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
	"nats-roll/upgrade/upgradetest"
)

// seen is one event as a watcher saw it.
type seen struct {
	rehearsal.Record
	state rehearsal.State
}

var (
	walkOnce sync.Once
	walkLive []seen
	walkLog  string
)

// walk is a rehearsal on the fake, walked once for all tests: what happened, and
// the log of it.
func walk(t *testing.T) (live []seen, log string) {
	t.Helper()
	walkOnce.Do(func() { walkLive, walkLog = walked(t) })
	return walkLive, walkLog
}

// walked has traffic go on for a minute in the middle, and then B is killed.
func walked(t *testing.T) (live []seen, log string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		top, err := cluster.NewTopology(2, true, 0)
		if err != nil {
			t.Fatal(err)
		}
		from, to := cluster.Build{Version: "2.15.1", SHA256: "01d"}, cluster.Build{Version: "2.15.2", SHA256: "4e3"}
		var b bytes.Buffer
		journal := rehearsal.NewJournal(&b, rehearsal.Header{Tool: "1.2.3", Began: time.Now()})
		lab := rehearsal.New(journal.Watch, func(r rehearsal.Record, s rehearsal.State) { live = append(live, seen{r, s}) })
		lab.Emit(cluster.Fetched{Role: "to", Build: to})
		fake := upgradetest.NewFake(top, lab.Emit)
		plan := upgrade.Rolling(upgrade.Spec{
			Topology: top, From: cluster.Builds{Build: from}, To: cluster.Builds{Build: to}, Stop: cluster.StopInt,
			Workload: cluster.Workload{Subscribers: 20, Rate: 100},
		})
		walked := make(chan error, 1)
		runner := upgrade.Runner{Plan: plan, Driver: fake, World: lab, Sink: lab.Emit, Intents: lab.Intents()}
		go func() { walked <- runner.Run(t.Context()) }()
		killed := false
		for over := false; !over; {
			time.Sleep(3 * time.Second) // virtual: everything has settled then
			synctest.Wait()
			s, _ := lab.State()
			if st, ok := s.Plan.Step(); ok {
				if st.ID == "stop-a" && !killed {
					killed = true
					time.Sleep(time.Minute)
					fake.Kill("B")
					continue
				}
				lab.Say(upgrade.Intent{Step: st.ID})
			}
			select {
			case err := <-walked:
				over = true
				if err != nil {
					t.Error(err)
				}
			default:
			}
		}
		fake.Close()
		lab.Close()
		if err := journal.Close(); err != nil {
			t.Error(err)
		}
		log = b.String()
	})
	return live, log
}

func read(t *testing.T, log string) (out []seen) {
	t.Helper()
	var s rehearsal.State
	if _, err := rehearsal.ReadJournal(strings.NewReader(log), func(r rehearsal.Record) {
		s = s.Apply(r.At, r.Event)
		out = append(out, seen{r, s})
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// facts is all of a state that a report or a screen tells. Between the steps the
// counters of single clients may lag behind.
func facts(t *testing.T, s rehearsal.State, exact bool) string {
	t.Helper()
	w := s.World
	if !exact {
		w.Fleet.Clients = slices.Clone(w.Fleet.Clients)
		for i := range w.Fleet.Clients {
			w.Fleet.Clients[i].Delivered, w.Fleet.Clients[i].Received = 0, 0
		}
		w.Servers = slices.Clone(w.Servers)
		for i := range w.Servers {
			a := &w.Servers[i].Answer
			a.Clients = slices.Clone(a.Clients)
			for j := range a.Clients {
				c := &a.Clients[j]
				c.InMsgs, c.OutMsgs, c.OutBytes, c.Pending, c.RTT = 0, 0, 0, 0, ""
			}
		}
	}
	all, err := json.MarshalIndent([]any{
		s.Began, s.At, w, s.Plan, s.Builds, slices.Collect(s.Lines.All()), s.Skipped, slices.Collect(s.Traffic.All()), s.Marks, s.Notes, s.Lives,
	}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	// No list and an empty one say the same.
	return strings.NewReplacer("[]", "null", "{}", "null").Replace(string(all))
}

// counts says that an event may be held back.
func counts(e cluster.Event) bool {
	switch e.(type) {
	case cluster.Fetching, cluster.Used, cluster.Answered, cluster.FleetChanged, cluster.Logged, upgrade.StepChecked:
		return true
	}
	return false
}

// same compares what happened with what the log says: every event that is told at
// once, in order, and the states then.
func same(t *testing.T, live, logged []seen) {
	t.Helper()
	plain := func(all []seen) []seen {
		return slices.DeleteFunc(slices.Clone(all), func(s seen) bool { return counts(s.Event) })
	}
	a, b := plain(live), plain(logged)
	if len(a) != len(b) {
		t.Fatalf("%d events happened, the log has %d", len(a), len(b))
	}
	for i, was := range a {
		got := b[i]
		exact := false
		switch was.Event.(type) {
		case upgrade.StepEnded, upgrade.Finished, cluster.Exited:
			exact = true
		}
		if was.Event.Kind() != got.Event.Kind() || !was.At.Equal(got.At) {
			t.Fatalf("event %d is %s at %s, want %s at %s", i, got.Event.Kind(), got.At, was.Event.Kind(), was.At)
		}
		if x, y := facts(t, was.state, exact), facts(t, got.state, exact); x != y {
			t.Fatalf("after %s, event %d: %s", was.Event.Kind(), i, difference(x, y))
		}
	}
	if x, y := facts(t, live[len(live)-1].state, true), facts(t, logged[len(logged)-1].state, true); x != y {
		t.Fatalf("at the end: %s", difference(x, y))
	}
	for i, s := range logged {
		if s.Seq != uint64(i+1) || i > 0 && s.At.Before(logged[i-1].At) {
			t.Fatalf("line %d is number %d at %s", i, s.Seq, s.At)
		}
	}
}

// difference is the first line that differs, with what stands before it.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return strings.Join(w[max(0, i-12):i], "\n") + "\nwant " + w[i] + "\ngot  " + g[i]
		}
	}
	return "one goes on"
}

func TestTheLogLeadsToTheSameStates(t *testing.T) {
	live, log := walk(t)
	logged := read(t, log)
	same(t, live, logged)
	if len(logged)*3 > len(live) {
		t.Errorf("%d lines for %d events", len(logged), len(live))
	}
	t.Logf("%d events, %d lines, %d bytes", len(live), len(logged), len(log))
}

// The same of real servers: a log of the first form has everything.
func TestWhatRealServersDoIsLoggedAlike(t *testing.T) {
	full, err := os.ReadFile("testdata/events-1.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var live []seen
	for _, s := range read(t, string(full)) {
		s.Seq = s.state.Seq
		live = append(live, s)
	}
	var b strings.Builder
	j := rehearsal.NewJournal(&b, rehearsal.Header{})
	for _, s := range live {
		j.Watch(s.Record, s.state)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, live, read(t, b.String()))
}

// chance makes events in any order, as no rehearsal would.
func chance(seed uint64, n int) []cluster.Event {
	random := rand.New(rand.NewPCG(seed, 1))
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	at := noon
	count := func() uint64 { return uint64(random.IntN(1000)) }
	events := []cluster.Event{upgrade.Planned{Outline: upgrade.Outline{
		Topology: cluster.Topology{Nodes: []cluster.Node{{Name: "A"}, {Name: "B"}}}, Steps: []upgrade.StepOutline{{ID: "x"}, {ID: "y"}},
	}}}
	clients, pids := 0, map[string]int{}
	for range n {
		at = at.Add(time.Duration(random.IntN(400)) * time.Millisecond)
		node := pick("A", "B")
		var e cluster.Event
		switch random.IntN(18) {
		case 16:
			e = cluster.StopAsked{Node: node, PID: pids[node], Stop: cluster.Stop(pick("int", "ldm")), At: at}
		case 17:
			if e = (cluster.ApplicationStarted{Name: "app1", PID: 1, At: at}); random.IntN(2) == 0 {
				e = cluster.ApplicationExited{Name: "app1", PID: 1, Exit: cluster.Exit{At: at}}
			}
		case 0:
			pids[node]++
			e = cluster.Started{Node: node, Process: cluster.Process{PID: pids[node], Started: at}}
		case 1:
			e = cluster.Exited{Node: node, PID: pids[node], Exit: cluster.Exit{At: at, Asked: random.IntN(2) == 0}}
		case 2:
			e = cluster.Unanswered{Node: node, Began: at, Reason: pick("refused", "time-out")}
		case 3:
			e = upgrade.StepEnded{ID: pick("x", "y"), Status: upgrade.Verified}
		case 4:
			if e = (rehearsal.Note{Text: "note"}); random.IntN(2) == 0 {
				e = upgrade.StepBegan{ID: pick("x", "y")}
			}
		case 5:
			e = upgrade.StepChecked{ID: pick("x", "y"), Checks: []upgrade.Result{{Text: "c", Verdict: upgrade.Verdict{Met: random.IntN(4) == 0, Detail: fmt.Sprint(count())}}}}
		case 6:
			e = cluster.Used{Node: node, PID: pids[node], Usage: cluster.Usage{Memory: count()}}
		case 7:
			e = cluster.Logged{Lines: []cluster.LogLine{{Node: node, PID: pids[node], Topic: cluster.Topic(pick("", string(cluster.TopicRouteRefused)))}}}
		case 8, 9, 10, 11:
			a := cluster.Answer{Node: node, Began: at, Ended: at, ServerID: fmt.Sprint(pids[node]), Healthy: random.IntN(8) > 0, InMsgs: int64(count())}
			for c := range random.IntN(4) {
				a.Clients = append(a.Clients, cluster.Connection{CID: uint64(c), Name: []string{"", "app", "app", "tool"}[c], Start: noon.Add(time.Duration(pids[node]) * time.Second), OutMsgs: int64(count())})
			}
			if random.IntN(8) == 0 {
				a.Closed = []cluster.Closing{{CID: count() % 4, Seen: at, Stop: at, Reason: pick("", cluster.ClosedByClient)}}
			}
			e = cluster.Answered{Answer: a}
		default:
			f := cluster.FleetChanged{At: at, Totals: cluster.Totals{Published: count(), Settled: random.IntN(4) == 0, Tally: cluster.Tally{Lost: count() / 500}}, Series: []cluster.Series{{Published: count()}}}
			switch random.IntN(4) {
			case 0:
				f.Costs = []cluster.Cost{{At: at, Client: fmt.Sprint(count()), Kind: cluster.CostTimedOut}}
			case 1:
				f.Asked, f.Streams = at, []cluster.Stream{{Messages: count()}}
			}
			if clients < 5 {
				f.Changed = append(f.Changed, cluster.Client{ID: clients, Name: "new"})
				clients++
			}
			for _, id := range random.Perm(clients)[:random.IntN(clients)] {
				if len(f.Changed) > 0 && f.Changed[0].ID == id {
					continue // no look at the clients has one twice
				}
				f.Changed = append(f.Changed, cluster.Client{ID: id, Name: "new", Received: count(), Delivered: count(), Lost: count() / 800, Node: pick("A", "A", "A", "B")})
			}
			e = f
		}
		events = append(events, e)
	}
	return events
}

func TestWhateverHappensIsLoggedAlike(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 2))
		var b strings.Builder
		var s rehearsal.State
		var live []seen
		j := rehearsal.NewJournal(&b, rehearsal.Header{})
		at := noon
		for _, e := range chance(seed, 150) {
			at = at.Add(time.Duration(random.IntN(400)) * time.Millisecond)
			s = s.Apply(at, e)
			live = append(live, seen{rehearsal.Record{Seq: s.Seq, At: at, Event: e}, s})
			j.Watch(live[len(live)-1].Record, s)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if same(t, live, read(t, b.String())); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// load makes the events of busy minutes: so many times a second the counters of all
// clients change and three servers answer, each of which writes so many lines then.
func load(clients, minutes, often, lines int, emit func(at time.Time, e cluster.Event)) {
	names := []string{"A", "B", "C"}
	fleet := cluster.FleetChanged{At: noon}
	for i := range clients {
		fleet.Changed = append(fleet.Changed, cluster.Client{
			ID: i, Name: "nats-roll: sub", Subject: "roll.>", Status: cluster.ClientConnected, Node: names[i%3],
			Known: []string{"nats://localhost:4222", "nats://localhost:4333", "nats://localhost:4444"},
			Trail: []cluster.Hop{{Node: names[i%3], At: noon}},
		})
	}
	for tick := range minutes * 60 * often {
		at := noon.Add(time.Duration(tick) * time.Second / time.Duration(often))
		n := uint64(tick * 20000 / often)
		fleet.At = at
		fleet.Totals = cluster.Totals{Publishing: true, Rate: 20000, Published: n, Expected: n * uint64(clients), Tally: cluster.Tally{Received: n * uint64(clients)}}
		fleet.Changed = slices.Clone(fleet.Changed)
		for i := range fleet.Changed {
			fleet.Changed[i].Received, fleet.Changed[i].Delivered = n, n
		}
		emit(at, fleet)
		for i, name := range names {
			a := cluster.Answer{Node: name, Began: at, Ended: at, ServerID: name, Version: "2.15.2", InMsgs: int64(n), OutMsgs: int64(n), Healthy: true}
			for c := range min(clients, 128) {
				a.Clients = append(a.Clients, cluster.Connection{CID: uint64(c), Name: "nats-roll: sub", Lang: "go", OutMsgs: int64(n)})
			}
			emit(at, cluster.Answered{Answer: a})
			emit(at, cluster.Used{Node: name, PID: i, Usage: cluster.Usage{CPU: float64(tick)}})
			l := cluster.Logged{}
			for range lines {
				l.Lines = append(l.Lines, cluster.LogLine{Node: name, PID: i, At: at, Level: cluster.LevelDebug, Text: "127.0.0.1:51234 - cid:1234 - Client Ping Timer"})
			}
			emit(at, l)
		}
	}
}

// record is the log of a load.
func record(clients, minutes, often, lines int) string {
	var b strings.Builder
	j := rehearsal.NewJournal(&b, rehearsal.Header{})
	var s rehearsal.State
	load(clients, minutes, often, lines, func(at time.Time, e cluster.Event) {
		s = s.Apply(at, e)
		j.Watch(rehearsal.Record{Seq: s.Seq, At: at, Event: e}, s)
	})
	_ = j.Close()
	return b.String()
}

func TestARateIsBounded(t *testing.T) {
	var end rehearsal.State
	kinds, lines, skipped := map[string]int{}, 0, 0
	for _, s := range read(t, record(30, 1, 60, 10)) {
		kinds[s.Event.Kind()]++
		if l, ok := s.Event.(cluster.Logged); ok {
			lines, skipped = lines+len(l.Lines), skipped+l.Skipped
		}
		end = s.state
	}
	for kind, most := range map[string]int{"fleet": 4 * 61, "answered": 3 * 61, "used": 3 * 61} {
		if kinds[kind] > most || kinds[kind] < most/2 {
			t.Errorf("%d lines of %s in a minute, want at most %d", kinds[kind], kind, most)
		}
	}
	if all := 3 * 600 * 60; lines+skipped != all || lines < 3*2000 || lines > 3*(2000+10*60) {
		t.Errorf("%d lines and %d left out, of %d", lines, skipped, all)
	}
	if f := end.World.Fleet; f.Published != (60*60-1)*20000/60 || f.Clients[29].Received != f.Published {
		t.Errorf("the newest counters are %d and %d", f.Published, f.Clients[29].Received)
	}
}

// What full load writes once it is going: 10,000 clients, 20,000 messages a second,
// and servers that write fifty lines a second each.
func BenchmarkFullLoad(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		first := len(record(10000, 1, 4, 12))
		b.StartTimer()
		ten := len(record(10000, 11, 4, 12))
		b.ReportMetric(float64(ten-first)*6/1e6, "MB/hour")
	}
}
