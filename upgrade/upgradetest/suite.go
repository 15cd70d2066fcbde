package upgradetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// Rig is a driver under test, with what the suite needs around it.
type Rig struct {
	Driver   upgrade.Driver
	Topology cluster.Topology // two permanent nodes and a spare
	From, To cluster.Build    // two different builds
	Kill     func(node string)
	Swap     func(node string, to cluster.Build) // the file in the slot, as a person would; zero: take it away; no version: a text
	Close    func()
}

// patience bounds every wait of the suite.
const patience = 20 * time.Second

// Case is one property that every driver has.
type Case struct {
	Name string
	run  func(*bench)
}

// Run puts one case to a driver. make builds it around a sink.
func (c Case) Run(t *testing.T, build func(*testing.T, cluster.Sink) Rig) {
	lab := rehearsal.New()
	defer lab.Close()
	b := &bench{T: t, lab: lab}
	b.Rig = build(t, func(e cluster.Event) { lab.Emit(e) })
	defer b.Close()
	// The observation needs its topology; nothing is walked.
	lab.Emit(upgrade.Planned{Outline: upgrade.Outline{Topology: b.Topology}})
	c.run(b)
}

// bench is one case at work.
type bench struct {
	*testing.T
	Rig
	lab *rehearsal.Lab
}

func (b *bench) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	b.Cleanup(cancel)
	return ctx
}

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) args(node string) []string {
	n, _ := b.Topology.Node(node)
	return b.Topology.Args(n)
}

func (b *bench) start(node string, build cluster.Build) {
	b.Helper()
	b.ok(b.Driver.Install(b.ctx(), node, build))
	b.ok(b.Driver.Start(b.ctx(), node, b.args(node)))
}

// soon waits until all checks hold on what is observed from now on.
func (b *bench) soon(checks ...upgrade.Check) {
	b.Helper()
	since := time.Now()
	b.Driver.Look()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		o, changed := b.lab.Observe()
		o = o.Since(since)
		missing := ""
		for _, c := range checks {
			if v := c.Eval(o); !v.Met {
				missing = fmt.Sprintf("%s: %s", c, v.Detail)
				break
			}
		}
		if missing == "" {
			return
		}
		select {
		case <-changed:
		case <-deadline.C:
			b.Fatalf("after %s: %s", patience, missing)
		}
	}
}

func (b *bench) server(node string) cluster.Server {
	o, _ := b.lab.Observe()
	s, _ := o.Server(node)
	return s
}

// exited waits for the node's exit and returns its process.
func (b *bench) exited(node string) cluster.Process {
	b.Helper()
	b.soon(upgrade.Exited{Node: node})
	return b.server(node).Process
}

// Suite is what every driver passes.
var Suite = []Case{
	{"a call that was ended before leaves the node as it was", func(b *bench) {
		over, end := context.WithCancel(b.ctx())
		end()
		for name, err := range map[string]error{
			"stage":   b.Driver.Stage(over, "A", b.From),
			"install": b.Driver.Install(over, "A", b.From),
			"start":   b.Driver.Start(over, "A", b.args("A")),
		} {
			if err == nil {
				b.Errorf("%s succeeds although it was ended", name)
			}
		}
		b.start("A", b.From)
		b.soon(upgrade.Running{Node: "A", Build: b.From})
	}},
	{"a started server runs what its slot holds", func(b *bench) {
		b.start("A", b.From)
		b.soon(upgrade.Running{Node: "A", Build: b.From}, upgrade.OnDisk{Node: "A", Build: b.From})
		if s := b.server("A"); s.Starts != 1 || s.Process.Args[0] != "nats-server" {
			b.Fatalf("starts %d, args %q", s.Starts, s.Process.Args)
		}
	}},
	{"an empty slot starts nothing", func(b *bench) {
		if err := b.Driver.Start(b.ctx(), "A", b.args("A")); err == nil {
			b.Fatal("started from nothing")
		}
	}},
	{"a running server is not started twice", func(b *bench) {
		b.start("A", b.From)
		if err := b.Driver.Start(b.ctx(), "A", b.args("A")); err == nil {
			b.Fatal("started twice")
		}
		b.soon(upgrade.Running{Node: "A", Build: b.From})
	}},
	{"replacing the binary changes the file and not what runs", func(b *bench) {
		b.start("A", b.From)
		b.soon(upgrade.Running{Node: "A", Build: b.From})
		b.ok(b.Driver.Stage(b.ctx(), "A", b.To))
		b.ok(b.Driver.Install(b.ctx(), "A", b.To))
		b.soon(upgrade.OnDisk{Node: "A", Build: b.To}, upgrade.Running{Node: "A", Build: b.From})
		if !b.server("A").RestartPending() {
			b.Fatal("no restart is pending")
		}
		b.ok(b.Driver.Stop(b.ctx(), "A", cluster.StopInt))
		b.ok(b.Driver.Start(b.ctx(), "A", b.args("A")))
		b.soon(upgrade.Running{Node: "A", Build: b.To}, upgrade.Restarted{Node: "A", Build: b.To})
	}},
	{"a stop that was asked for is told from a death", func(b *bench) {
		for _, how := range []cluster.Stop{cluster.StopInt, cluster.StopTerm, cluster.StopKill} {
			b.start("A", b.To)
			b.soon(upgrade.Running{Node: "A", Build: b.To})
			b.ok(b.Driver.Stop(b.ctx(), "A", how))
			p := b.exited("A")
			if !p.Exit.Asked || p.Stop != how || (p.Exit.Signal == "SIGKILL") != (how == cluster.StopKill) {
				b.Fatalf("%s: stop %q, exit %+v", how, p.Stop, *p.Exit)
			}
			b.ok(b.Driver.Stop(b.ctx(), "A", how)) // down already
		}
		b.start("A", b.To)
		b.soon(upgrade.Running{Node: "A", Build: b.To})
		b.Kill("A")
		if p := b.exited("A"); p.Exit.Asked || p.Exit.Signal != "SIGKILL" {
			b.Fatalf("killed from outside: exit %+v", *p.Exit)
		}
		if c := b.server("A").Condition(); c != cluster.Crashed {
			b.Fatalf("condition %s", c)
		}
	}},
	{"servers complain about peers that are missing, and mesh once they are there", func(b *bench) {
		peer, _ := b.Topology.Node("B")
		b.start("A", b.From)
		b.soon(upgrade.Complains{Node: "A", Peer: peer})
		b.start("B", b.From)
		b.soon(upgrade.Meshed{Among: []string{"A", "B"}})
		b.ok(b.Driver.Stop(b.ctx(), "A", cluster.StopInt))
		b.start("A", b.To)
		b.soon(upgrade.Meshed{Among: []string{"A", "B"}}, upgrade.Running{Node: "A", Build: b.To})
	}},
	{"a second stop ends a lame duck", func(b *bench) {
		b.cluster("A", "B")
		b.ok(b.Driver.Connect(b.ctx(), cluster.Workload{Subscribers: 3, Rate: 100}))
		b.soon(upgrade.StartedOn{Node: "A"}, upgrade.Census{})
		leaving := make(chan error, 1)
		ctx := b.ctx()
		go func() { leaving <- b.Driver.Stop(ctx, "A", cluster.StopLameDuck) }()
		b.soon(condition{"A", cluster.Draining})
		b.ok(b.Driver.Stop(b.ctx(), "A", cluster.StopInt))
		b.ok(<-leaving)
		if p := b.exited("A"); !p.Exit.Asked || p.Exit.Forced {
			b.Fatalf("exit %+v", *p.Exit)
		}
	}},
	{"clients learn of servers, move, and account for every message", func(b *bench) {
		b.cluster("A", "B")
		b.ok(b.Driver.Connect(b.ctx(), cluster.Workload{Subscribers: 5, Rate: 200}))
		b.soon(upgrade.StartedOn{Node: "A"}, upgrade.Census{}, upgrade.Reached{})
		b.start("C", b.To)
		b.soon(upgrade.Know{Nodes: b.Topology.Nodes}, upgrade.Meshed{Among: []string{"A", "B", "C"}})
		before, _ := b.lab.Observe()
		b.ok(b.Driver.Stop(b.ctx(), "A", cluster.StopInt))
		b.soon(upgrade.Census{Without: "A"}, upgrade.Reached{}, upgrade.NoneGone{})
		after, _ := b.lab.Observe()
		im := upgrade.Measure(before, after)
		if im.Moved["B"]+im.Moved["C"] != 6 || im.Reconnects != 6 || im.LongestAway == 0 {
			b.Fatalf("impact %+v", im)
		}
		b.ok(b.Driver.Settle(b.ctx()))
		b.soon(upgrade.Accounted{}, upgrade.NoneGone{})
		if o, _ := b.lab.Observe(); o.Fleet.Expected != 6*o.Fleet.Published || o.Fleet.Published == 0 {
			b.Fatalf("expected %d of %d published to 6", o.Fleet.Expected, o.Fleet.Published)
		}
	}},
	{"clients are disconnected, and connected anew", func(b *bench) {
		b.cluster("A", "B")
		w := cluster.Workload{Subscribers: 3, Rate: 200}
		b.ok(b.Driver.Connect(b.ctx(), w))
		b.soon(upgrade.StartedOn{Node: "A"}, upgrade.Census{}, upgrade.Reached{})
		b.ok(b.Driver.Disconnect(b.ctx()))
		b.soon(upgrade.Absent{}, deserted{})
		b.ok(b.Driver.Disconnect(b.ctx())) // nobody is there, which is what was wanted
		for range 2 {                      // over those that are there, too
			b.ok(b.Driver.Connect(b.ctx(), w))
			b.soon(upgrade.StartedOn{Node: "A"}, upgrade.Census{}, upgrade.Reached{}, upgrade.Counting{})
		}
		b.ok(b.Driver.Settle(b.ctx()))
		b.soon(upgrade.Accounted{})
		if o, _ := b.lab.Observe(); o.Fleet.Ledger != 3 || o.Fleet.Lost+o.Fleet.Duplicated != 0 || len(o.Fleet.Clients) != 5 {
			b.Fatalf("ledger %d of %d clients: %+v", o.Fleet.Ledger, len(o.Fleet.Clients), o.Fleet.Totals)
		}
	}},
	{"clients leave when they are told to, and parties come when they are called", func(b *bench) {
		b.cluster("A", "B")
		b.ok(b.Driver.Connect(b.ctx(), cluster.Workload{Subscribers: 5, Rate: 200, Parties: []cluster.Party{
			{Name: "lone", Members: 2, At: "B", Behaviour: cluster.Behaviour{IgnoreDiscovered: true}, Late: true},
		}}))
		b.soon(upgrade.StartedOn{Node: "A"}, upgrade.Census{}, upgrade.Reached{}, upgrade.Know{Nodes: b.Topology.Permanent()})
		b.ok(b.Driver.Act(b.ctx(), cluster.ActReconnect, ""))
		b.soon(upgrade.StartedOn{Node: "B"}, upgrade.Census{}, upgrade.Reached{})
		b.ok(b.Driver.Act(b.ctx(), cluster.ActJoin, "lone"))
		b.soon(told{"B", "with the party", func(s cluster.Server) bool { return s.Answer.Connections >= 9 }})
		b.ok(b.Driver.Act(b.ctx(), cluster.ActDraw, ""))
		b.soon(upgrade.Census{}, upgrade.Reached{})
		b.ok(b.Driver.Act(b.ctx(), cluster.ActRenew, ""))
		b.soon(upgrade.Census{}, upgrade.Reached{})
		if b.Driver.Act(b.ctx(), cluster.ActJoin, "nobody") == nil {
			b.Fatal("a party came that nobody knows")
		}
		b.ok(b.Driver.Settle(b.ctx()))
		b.soon(upgrade.Accounted{}, upgrade.NoneGone{})
		if o, _ := b.lab.Observe(); o.Fleet.Expected != 6*o.Fleet.Published || len(o.Fleet.Clients) != 9 || o.Fleet.Reconnects < 12 {
			b.Fatalf("expected %d of %d published to 6; %d clients, %d reconnects", o.Fleet.Expected, o.Fleet.Published, len(o.Fleet.Clients), o.Fleet.Reconnects)
		}
	}},
	{"applications are started beside the clients", func(b *bench) {
		b.cluster("A", "B")
		b.ok(b.Driver.Connect(b.ctx(), cluster.Workload{Subscribers: 1, Rate: 100, Applications: []string{"sleep 600", "sleep 601"}}))
		b.soon(upgrade.Reached{}, upgrade.Joined{Application: "app1"}, upgrade.Joined{Application: "app2"})
		o, _ := b.lab.Observe()
		if a := o.Applications; len(a) != 2 || a[1].Command != "sleep 601" || a[0].PID == a[1].PID || a[0].Exit != nil {
			b.Fatalf("applications %+v", a)
		}
		b.ok(b.Driver.Disconnect(b.ctx()))
		b.soon(upgrade.Absent{})
		o, _ = b.lab.Observe()
		if a := o.Applications; a[0].Exit == nil || !a[0].Exit.Asked || a[1].Exit == nil || !a[1].Exit.Asked {
			b.Fatalf("applications %+v", a)
		}
	}},
	{"what somebody else does to the file in a slot is noticed", func(b *bench) {
		b.start("A", b.From)
		b.soon(upgrade.Running{Node: "A", Build: b.From})
		b.Swap("A", b.To)
		b.soon(upgrade.OnDisk{Node: "A", Build: b.To}, upgrade.Running{Node: "A", Build: b.From})
		if !b.server("A").RestartPending() {
			b.Fatal("no restart is pending")
		}
		b.ok(b.Driver.Stop(b.ctx(), "A", cluster.StopInt))
		b.Swap("A", cluster.Build{Source: "text"})
		b.soon(unmet{upgrade.OnDisk{Node: "A", Build: b.To}, "no nats-server"})
		b.Swap("A", cluster.Build{})
		b.soon(unmet{upgrade.OnDisk{Node: "A", Build: b.To}, "the slot is empty"})
		if b.Driver.Start(b.ctx(), "A", b.args("A")) == nil {
			b.Fatal("started from an empty slot")
		}
		b.Swap("A", b.To) // and started before anybody has looked
		b.ok(b.Driver.Start(b.ctx(), "A", b.args("A")))
		b.soon(upgrade.Running{Node: "A", Build: b.To}, upgrade.OnDisk{Node: "A", Build: b.To})
	}},
	{"a server that is held does not answer, and goes on afterwards", func(b *bench) {
		b.cluster("A", "B")
		b.ok(b.Driver.Hold(b.ctx(), "A", true))
		b.soon(told{"A", "held, and silent", func(s cluster.Server) bool { return s.Process.Held && !s.Silent.IsZero() }})
		b.ok(b.Driver.Hold(b.ctx(), "A", false))
		b.soon(condition{"A", cluster.Up}, upgrade.Meshed{Among: []string{"A", "B"}})
	}},
	{"a port that is occupied keeps its server from starting", func(b *bench) {
		b.ok(b.Driver.Install(b.ctx(), "A", b.From))
		b.ok(b.Driver.Occupy(b.ctx(), "A", true))
		b.soon(told{"A", "without its port", func(s cluster.Server) bool { return s.Occupied }})
		if b.Driver.Start(b.ctx(), "A", b.args("A")) == nil {
			b.Fatal("it was started all the same")
		}
		b.ok(b.Driver.Occupy(b.ctx(), "A", false))
		b.ok(b.Driver.Start(b.ctx(), "A", b.args("A")))
		b.soon(upgrade.Running{Node: "A", Build: b.From})
		if b.Driver.Occupy(b.ctx(), "A", true) == nil {
			b.Fatal("the port of a running server was taken")
		}
	}},
	{"a start that is refused is told with its reason", func(b *bench) {
		b.ok(b.Driver.Install(b.ctx(), "A", b.From))
		b.ok(b.Driver.Occupy(b.ctx(), "A", true))
		refused := upgrade.Attempt{Action: upgrade.StartNode{Node: "A", Args: b.args("A")}, Says: "in use by pid"}
		b.ok(refused.Run(b.ctx(), b.Driver))
		b.soon(upgrade.Fails{Node: "A", Says: "in use by pid"})
		refused.Says = "of another reason"
		if refused.Run(b.ctx(), b.Driver) == nil {
			b.Fatal("any reason will do")
		}
		b.ok(b.Driver.Occupy(b.ctx(), "A", false))
		b.ok(b.Driver.Start(b.ctx(), "A", b.args("A")))
		b.soon(upgrade.Running{Node: "A", Build: b.From}, told{"A", "refused no more", func(s cluster.Server) bool { return s.Refusal == "" }})
	}},
	{"half a server is found to be none, does not run, and the old one goes back", func(b *bench) {
		b.start("A", b.From)
		b.soon(upgrade.Running{Node: "A", Build: b.From})
		b.ok(b.Driver.Cut(b.ctx(), "A", b.To))
		b.ok(b.Driver.Inspect(b.ctx(), "A", upgrade.Half, b.args("A")))
		b.soon(upgrade.Unfit{Node: "A", Build: upgrade.Half, Says: "cut off"}, upgrade.Running{Node: "A", Build: b.From})
		b.ok(b.Driver.Stop(b.ctx(), "A", cluster.StopInt))
		b.ok(b.Driver.Install(b.ctx(), "A", upgrade.Half))
		b.soon(upgrade.Spoilt{Node: "A"})
		b.ok(b.Driver.Install(b.ctx(), "A", b.From))
		b.ok(b.Driver.Start(b.ctx(), "A", b.args("A")))
		b.soon(upgrade.Running{Node: "A", Build: b.From}, upgrade.OnDisk{Node: "A", Build: b.From})
	}},
	{"a server in lame duck mode ignores SIGTERM, and is killed", func(b *bench) {
		b.cluster("A", "B")
		b.ok(b.Driver.Connect(b.ctx(), cluster.Workload{Subscribers: 3, Rate: 100}))
		b.soon(upgrade.StartedOn{Node: "A"}, upgrade.Census{})
		b.ok(upgrade.Drain{Node: "A"}.Run(b.ctx(), b.Driver))
		b.soon(upgrade.Leaving{Node: "A"})
		b.ok(b.Driver.Signal(b.ctx(), "A", cluster.SignalTerm))
		b.soon(upgrade.Deaf{Node: "A", Signal: cluster.SignalTerm, For: time.Second / 2})
		b.ok(b.Driver.Stop(b.ctx(), "A", cluster.StopKill))
		b.soon(upgrade.Killed{Node: "A"}, upgrade.Census{Without: "A"})
		if b.Driver.Signal(b.ctx(), "A", cluster.SignalTerm) == nil {
			b.Fatal("a server that is down was sent a signal")
		}
	}},
	{"nobody touches the store of a server that runs, or a stream that is not there", func(b *bench) {
		b.ok(b.Driver.Install(b.ctx(), "A", b.From))
		if b.Driver.Damage(b.ctx(), "A", "NONE") == nil {
			b.Fatal("a stream was damaged that is not there")
		}
		b.ok(b.Driver.Empty(b.ctx(), "A"))
		b.ok(b.Driver.Start(b.ctx(), "A", b.args("A")))
		if b.Driver.Empty(b.ctx(), "A") == nil || b.Driver.Damage(b.ctx(), "A", "NONE") == nil {
			b.Fatal("the store was touched while its server runs")
		}
	}},
	{"what a server is configured with is told", func(b *bench) {
		b.ok(b.Driver.Configure(b.ctx(), "A", "ping_max: 3\n"))
		b.ok(b.Driver.Install(b.ctx(), "A", b.From))
		b.ok(b.Driver.Start(b.ctx(), "A", append(b.args("A"), "-c", cluster.ConfigFile)))
		b.soon(upgrade.Running{Node: "A", Build: b.From})
		b.soon(told{"A", "configured", func(s cluster.Server) bool { return s.Config == "ping_max: 3\n" }})
		b.ok(b.Driver.Configure(b.ctx(), "A", ""))
		b.soon(told{"A", "configured by its command line alone", func(s cluster.Server) bool { return s.Config == "" }})
	}},
	{"an action on a node that does not exist is refused", func(b *bench) {
		for _, err := range []error{
			b.Driver.Install(b.ctx(), "Z", b.From),
			b.Driver.Start(b.ctx(), "Z", nil),
			b.Driver.Stop(b.ctx(), "Z", cluster.StopInt),
		} {
			if err == nil {
				b.Fatal("accepted node Z")
			}
		}
	}},
}

// cluster starts these nodes with the old build and waits for their mesh.
func (b *bench) cluster(nodes ...string) {
	b.Helper()
	for _, n := range nodes {
		b.start(n, b.From)
	}
	b.soon(upgrade.Meshed{Among: nodes})
}

// deserted is met when the servers themselves have no client.
type deserted struct{}

func (deserted) String() string { return "no server has a client" }

func (deserted) Eval(o cluster.Observation) upgrade.Verdict {
	for _, s := range o.Servers {
		if s.Process.Alive() && (!s.Answer.Known() || s.Answer.Connections > 0) {
			return upgrade.Verdict{Detail: fmt.Sprintf("%s has %d", s.Node.Name, s.Answer.Connections)}
		}
	}
	return upgrade.Verdict{Met: true, Known: true}
}

type condition struct {
	node string
	want cluster.Condition
}

func (c condition) String() string { return fmt.Sprintf("%s is in %s", c.node, c.want) }

func (c condition) Eval(o cluster.Observation) upgrade.Verdict {
	s, _ := o.Server(c.node)
	return upgrade.Verdict{Met: s.Condition() == c.want, Known: true, Detail: string(s.Condition())}
}

// told is met when the server is told as it should be.
type told struct {
	node, what string
	is         func(cluster.Server) bool
}

func (c told) String() string { return fmt.Sprintf("%s is %s", c.node, c.what) }

func (c told) Eval(o cluster.Observation) upgrade.Verdict {
	s, _ := o.Server(c.node)
	return upgrade.Verdict{Met: c.is(s), Known: true}
}

// unmet is met when the check is not, for this reason.
type unmet struct {
	upgrade.Check
	why string
}

func (u unmet) String() string { return "not: " + u.Check.String() }

func (u unmet) Eval(o cluster.Observation) upgrade.Verdict {
	v := u.Check.Eval(o)
	return upgrade.Verdict{Met: !v.Met && strings.Contains(v.Detail, u.why), Known: true, Detail: v.Detail}
}
