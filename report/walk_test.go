package report

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"nats-roll/advice"
	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
	"nats-roll/upgrade/upgradetest"
)

var (
	older = cluster.Build{Version: "2.15.1", SHA256: strings.Repeat("01d", 21) + "0", Size: 24365831, Source: "module", Path: "/store/2.15.1/nats-server"}
	newer = cluster.Build{Version: "2.15.2", SHA256: strings.Repeat("4e3", 21) + "4", Size: 35767399, Source: "embedded", Path: "/bin/nats-roll"}
)

// rehearsed is an unattended rehearsal on the fake driver, in virtual time.
type rehearsed struct {
	header rehearsal.Header
	state  rehearsal.State
	events string // the event log
	lines  string // what the printer printed
}

func (r rehearsed) report() Report { return New(r.state, r.header) }

// recorded is what the event log tells of it.
func (r rehearsed) recorded(t *testing.T) rehearsed {
	t.Helper()
	h, s, err := rehearsal.Load(strings.NewReader(r.events))
	if err != nil {
		t.Fatal(err)
	}
	return rehearsed{header: h, state: s, events: r.events}
}

// upTo is what is recorded by a program that is killed at this event.
func (r rehearsed) upTo(t *testing.T, event string) rehearsed {
	t.Helper()
	cut, _, found := strings.Cut(r.events, event)
	if !found {
		t.Fatalf("no event %s", event)
	}
	return rehearsed{events: cut}.recorded(t)
}

// setting is what a rehearsal is made with.
type setting struct {
	nodes   int
	lone    bool // without a temporary server
	stop    cluster.Stop
	clients int
	failing upgrade.OnFailure
	broken  bool // the newer server does not start
	notes   []string
	before  []cluster.Event
	after   func(rehearsal.State) cluster.Event
	person  func(lab *rehearsal.Lab, r rehearsal.Record, s rehearsal.State) bool // walks it, until it says that it is over
	seen    func(lab *rehearsal.Lab, r rehearsal.Record, cancel func())
}

func rehearse(t *testing.T, set setting) (out rehearsed) {
	t.Helper()
	if set.nodes == 0 {
		set.nodes, set.stop, set.clients = 2, cluster.StopInt, 20
	}
	synctest.Test(t, func(t *testing.T) {
		top, err := cluster.NewTopology(set.nodes, !set.lone, 0)
		if err != nil {
			t.Fatal(err)
		}
		known, err := advice.ForAll([][2]cluster.Version{{older.Version, newer.Version}}, [2]cluster.Version{older.Version, newer.Version}, advice.Situation{Nodes: set.nodes})
		if err != nil {
			t.Fatal(err)
		}
		plan := upgrade.Rolling(upgrade.Spec{
			Topology: top, From: cluster.Builds{Build: older}, To: cluster.Builds{Build: newer}, Stop: set.stop, Advice: known,
			Workload: cluster.Workload{Subscribers: set.clients, Rate: 1000}, Notes: set.notes, Dir: "/rehearsals/1",
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var events, lines bytes.Buffer
		out.header = rehearsal.Header{
			Schema: rehearsal.Schema, Tool: "1.2.3", Command: []string{"nats-roll", "run", "--report", "r.html"},
			Host: rehearsal.Host{OS: "linux", Arch: "amd64", Cores: 2},
		}
		journal, printer := rehearsal.NewJournal(&events, out.header), NewPrinter(&lines, out.header)
		var lab *rehearsal.Lab
		watch := func(r rehearsal.Record, s rehearsal.State) {
			if set.person != nil && set.person(lab, r, s) {
				cancel()
			}
			if set.seen != nil {
				set.seen(lab, r, cancel)
			}
		}
		lab = rehearsal.New(journal.Watch, printer.Watch, watch)
		for _, e := range append([]cluster.Event{cluster.Fetched{Role: "to", Build: newer}, cluster.Fetched{Role: "from", Build: older}}, set.before...) {
			lab.Emit(e)
		}
		fake := upgradetest.NewFake(top, lab.Emit)
		if set.broken {
			fake.Broken = newer.Version
		}
		runner := upgrade.Runner{Plan: plan, Driver: fake, World: lab, Sink: lab.Emit, Failing: set.failing}
		if set.person != nil {
			runner.Intents, runner.Lingers = lab.Intents(), true
		}
		_ = runner.Run(ctx)
		fake.Close()
		if set.after != nil {
			synctest.Wait()
			s, _ := lab.State()
			lab.Emit(set.after(s))
		}
		lab.Close()
		if err := errors.Join(journal.Close(), printer.Err()); err != nil {
			t.Fatal(err)
		}
		out.state, _ = lab.State()
		out.events, out.lines = events.String(), lines.String()
	})
	return out
}

// written is a report in a format.
func written(t *testing.T, r Report, format string) string {
	t.Helper()
	var b strings.Builder
	if err := r.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
