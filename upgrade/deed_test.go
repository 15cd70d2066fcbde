package upgrade_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"nats-roll/rehearsal"
	"nats-roll/upgrade"
	"nats-roll/upgrade/upgradetest"
)

// The list of what was done is whole: actions are run in one place, and what only
// looks elsewhere.
func TestActionsAreCarriedOutInOnePlace(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	run := regexp.MustCompile(`[\w.]+\.Run\(\w+, (\w+\.)?(Driver|d)\)`)
	var looks, carries int
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range run.FindAllString(string(data), -1) {
			switch {
			case strings.HasPrefix(call, "g.Remedy."):
				looks++
			case f == "action.go" && strings.HasPrefix(call, "one."): // a Series, which Carry takes apart
			case f == "drill.go" && strings.HasPrefix(call, "a.Action."): // an Attempt, which is carried out itself
			case f == "deed.go":
				carries++
			default:
				t.Errorf("%s: %s is told to nobody; use carry", f, call)
			}
		}
	}
	if looks == 0 || carries != 1 {
		t.Errorf("%d looks and %d places that carry out: is the pattern still right?", looks, carries)
	}
}

// A walk's list is its plan: the slots are filled, and then every step's command,
// in order, each with how it ended.
func TestAWalkIsListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lab := rehearsal.New()
		p := upgrade.Rolling(spec(t, 2, true))
		fake := upgradetest.NewFake(p.Topology, lab.Emit)
		r := upgrade.Runner{Plan: p, Driver: fake, World: lab, Sink: lab.Emit}
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		fake.Close()
		lab.Close()
		s, _ := lab.State()
		var steps []string
		filled := 0
		for _, d := range s.Deeds {
			if !d.Over || d.Reason != "" || d.By != upgrade.DoerPlan {
				t.Errorf("%+v", d)
			}
			if d.Step == "" && d.Verb == upgrade.VerbReplace {
				filled++
				continue
			}
			steps = append(steps, d.Step)
		}
		var want []string
		for _, st := range p.Steps {
			want = append(want, st.ID)
		}
		if filled != len(p.Slots) || strings.Join(steps, " ") != strings.Join(want, " ") {
			t.Errorf("%d slots filled, then %v", filled, steps)
		}
	})
}
