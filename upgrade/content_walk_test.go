package upgrade_test

import (
	"testing"
	"testing/synctest"

	"nats-roll/rehearsal"
	"nats-roll/upgrade"
	"nats-roll/upgrade/upgradetest"
)

// unfaked are chapters that the fake cannot walk, and why. They are walked on real
// servers by a test that uses a Witness.
var unfaked = map[string]string{
	"parity": "its clients log in, and the fake's servers know no users",
	"spread": "it asks the servers something, and the fake has nobody to answer",
}

// looks are steps, by chapter and id, that are true before they are done.
var looks = map[string]map[string]string{}

// Every step of every chapter brings something about: seen on the fake.
func TestDoFailsTheCheckBeforeAndPassesAfter(t *testing.T) {
	for _, c := range chapters() {
		t.Run(c.Name, func(t *testing.T) {
			if unfaked[c.Name] != "" {
				return
			}
			s := chapterSpec(t, c, 0)
			for _, windows := range []bool{false, true} {
				s.Windows = windows
				synctest.Test(t, func(t *testing.T) { walkChapter(t, c, s) })
			}
		})
	}
}

func walkChapter(t *testing.T, c upgrade.Chapter, s upgrade.Spec) {
	lab := rehearsal.New()
	fake := upgradetest.NewFake(s.Topology, lab.Emit)
	p := c.Plan(s)
	w := upgradetest.NewWitness(p, lab, lab.Emit)
	r := upgrade.Runner{Plan: p, Driver: fake, World: lab, Sink: w.Sink}
	if err := r.Run(t.Context()); err != nil {
		t.Errorf("chapter %s does not come to its end on the fake: %v", c.Name, err)
	}
	fake.Close()
	lab.Close()
	w.Report(t, c.Name, looks[c.Name])
}
