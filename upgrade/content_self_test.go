package upgrade_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
	"nats-roll/upgrade/upgradetest"
)

// always holds, whatever is seen.
type always struct{}

func (always) String() string { return "all is well" }
func (always) Eval(cluster.Observation) upgrade.Verdict {
	return upgrade.Verdict{Met: true, Known: true}
}

// The linter can complain: each rule sees the step that breaks it, and no other.
func TestTheLinterSeesWhatIsWrong(t *testing.T) {
	p := planned{upgrade.Rolling(spec(t, 2, true)), upgrade.Chapters[0], "rolling"}
	good := p.Steps[4]
	for rule, spoil := range map[string]func(*upgrade.Step){
		"its id is a slug":                               func(s *upgrade.Step) { s.ID = "Stop A" },
		"its title is a short command":                   func(s *upgrade.Step) { s.Title = "A is stopped." },
		"it says why":                                    func(s *upgrade.Step) { s.Why = "Because." },
		"it has a hint":                                  func(s *upgrade.Step) { s.Hint = "" },
		"the world says when it is done":                 func(s *upgrade.Step) { s.Until = nil },
		"it has a time limit":                            func(s *upgrade.Step) { s.Timeout = 0 },
		"it can be undone, or there is a reason why not": func(s *upgrade.Step) { s.Undo = nil },
		"what must be true after its undo is said":       func(s *upgrade.Step) { s.Undo, s.Undone = upgrade.Series{}, nil },
		"that nothing has to be undone has a reason":     func(s *upgrade.Step) { s.Loose = true },
		"what it needs can be brought about": func(s *upgrade.Step) {
			s.Given = []upgrade.Requirement{{Check: upgrade.Exited{Node: "A"}}}
		},
		"every claim has a judge, who knows nothing before something was observed": func(s *upgrade.Step) {
			s.Claims = []upgrade.Claim{{Text: "clients move"}}
		},
		"no check holds before something was observed":     func(s *upgrade.Step) { s.Until = []upgrade.Check{always{}} },
		"its words are plain":                              func(s *upgrade.Step) { s.Hint = "The RTT of a TLS  route." },
		"a server that may end in it is one of the plan's": func(s *upgrade.Step) { s.Expect = []string{"Z"} },
	} {
		s := good
		s.Hint = "Where do they go?"
		spoil(&s)
		for _, r := range stepRules {
			if wrong := r.wrong(p, s); (len(wrong) > 0) != (r.name == rule) {
				t.Errorf("a step that breaks “%s”: rule “%s” says %q", rule, r.name, wrong)
			}
		}
	}
	if !slices.ContainsFunc(plain("why", "It is on 4222, simply so."), func(s string) bool { return s != "" }) {
		t.Error("“simply” is let through")
	}
}

// stager calls what has no command.
type stager struct{}

func (stager) Command(cluster.Observation) string { return "" }
func (stager) Run(ctx context.Context, d upgrade.Driver) error {
	return d.Stage(ctx, "A", cluster.Build{})
}

// And a command that is not what runs is seen, as is one that nobody can read.
func TestTheLinterReadsCommands(t *testing.T) {
	top := topology(t, 2, false)
	for text, want := range map[string]string{
		"kill -KILL $PID_OF_B":                                 "send KILL to B",
		"cd '/a lab/A' && cp '/x y' new && mv new nats-server": "install /x y in A",
		"cat > lab/A/nats-server.conf <<'EOF'\na: 1\nEOF":      `configure A: "a: 1\n"`,
		"nc -l localhost 4333":                                 "listen on the port of B",
	} {
		got, err := commandsOf(text, top)
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"reboot", "nc -l localhost 1", "cd A && mv x y && echo damaged > z"} {
		if got, err := commandsOf(text, top); err == nil {
			t.Errorf("%q is taken for %q", text, got)
		}
	}
	r := &recorder{}
	if r.run(stager{}) == "" {
		t.Error("a call that the recorder does not know is let through")
	}
}

// A step that is true before it is done is seen.
func TestTheWitnessSeesAnIdleStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lab := rehearsal.New()
		p := upgrade.Rolling(spec(t, 2, true))
		p.Steps[1].Until = []upgrade.Check{upgrade.Up{Node: "A"}} // of “Start B”
		p.Steps[1].Met = nil
		fake := upgradetest.NewFake(p.Topology, lab.Emit)
		w := upgradetest.NewWitness(p, lab, lab.Emit)
		r := upgrade.Runner{Plan: p, Driver: fake, World: lab, Sink: w.Sink}
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		fake.Close()
		lab.Close()
		if got := w.Idle(); !slices.Equal(got, []string{"start-b"}) {
			t.Errorf("idle are %v", got)
		}
	})
}
