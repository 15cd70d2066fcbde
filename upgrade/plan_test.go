package upgrade_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
	"nats-roll/upgrade/upgradetest"
)

func TestEveryStepIsFinished(t *testing.T) {
	for permanent := cluster.MinPermanent; permanent <= cluster.MaxPermanent; permanent++ {
		for i := range 2 * len(upgrade.Chapters) {
			spare, chapter := i%2 == 0, upgrade.Chapters[i/2]
			of, ok := specOf(t, chapter, permanent, spare)
			if !ok {
				continue
			}
			p := chapter.Plan(of)
			if p.Chapter != chapter.Name || p.Title == "" {
				t.Errorf("chapter %s makes %q %q", chapter.Name, p.Chapter, p.Title)
			}
			want := permanent + 1 + 3*permanent + 1
			if spare {
				want += 2
			}
			ofTheText := chapter.Name == "rolling" || chapter.Name == "downgrade"
			if ofTheText && len(p.Steps) != want {
				t.Errorf("%d servers, spare %t: %d steps, want %d", permanent, spare, len(p.Steps), want)
			}
			seen := map[string]bool{}
			for _, s := range p.Steps {
				switch {
				case s.ID == "" || seen[s.ID]:
					t.Errorf("step id %q is empty or not unique", s.ID)
				case s.Title == "" || len(s.Title) > 40:
					t.Errorf("%s: title %q", s.ID, s.Title)
				case len(strings.Fields(s.Why)) < 15:
					t.Errorf("%s: why %q", s.ID, s.Why)
				case len(s.Until) == 0:
					t.Errorf("%s: no check", s.ID)
				case s.Timeout < time.Second:
					t.Errorf("%s: time limit %s", s.ID, s.Timeout)
				case (s.Undo == nil) == (s.NoUndo == ""):
					t.Errorf("%s: undo %v and reason for none %q", s.ID, s.Undo, s.NoUndo)
				}
				for _, g := range s.Given {
					if g.Remedy == nil && ofTheText { // gates only wait
						t.Errorf("%s needs %q and knows no remedy", s.ID, g)
					}
				}
				for _, f := range s.Claims {
					if f.Text == "" || f.Judge == nil {
						t.Errorf("%s: claim %q", s.ID, f.Text)
					}
				}
				seen[s.ID] = true
			}
		}
	}
}

// specOf is what a chapter is made from, if it can be of these servers.
func specOf(t *testing.T, c upgrade.Chapter, permanent int, spare bool) (upgrade.Spec, bool) {
	t.Helper()
	if n, ok := c.Flags["nodes"]; ok && slices.Contains(c.Fixed, "nodes") && n != strconv.Itoa(permanent) {
		return upgrade.Spec{}, false
	}
	if none, ok := c.Flags["no-spare"]; ok && slices.Contains(c.Fixed, "no-spare") && none != strconv.FormatBool(!spare) {
		return upgrade.Spec{}, false
	}
	s := spec(t, permanent, spare)
	if c.Shape != nil {
		c.Shape(&s.Topology)
	}
	return s, true
}

// The names are a contract: reports and scripts use them.
func TestStepIDs(t *testing.T) {
	var ids []string
	for _, s := range upgrade.Rolling(spec(t, 2, true)).Steps {
		ids = append(ids, s.ID)
	}
	want := "start-a start-b connect-clients start-c stop-a replace-a restart-a stop-b replace-b restart-b stop-c look-back"
	if got := strings.Join(ids, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A downgrade is the same plan with the versions swapped.
func TestDowngradeIsTheSamePlan(t *testing.T) {
	up, down := spec(t, 2, true), spec(t, 2, true)
	down.From, down.To = up.To, up.From
	a, b := upgrade.Rolling(up), upgrade.Rolling(down)
	for i := range a.Steps {
		if a.Steps[i].ID != b.Steps[i].ID {
			t.Errorf("step %d: %s and %s", i, a.Steps[i].ID, b.Steps[i].ID)
		}
	}
	if got := b.Outline().Steps[6].Checks[0]; got != "A runs 2.15.1" {
		t.Errorf("check %q", got)
	}
}

// Every undo brings the servers back to what they were before its step.
func TestUndoBringsBackWhatWas(t *testing.T) {
	type fact struct {
		up   bool
		disk cluster.Version
		runs cluster.Version
	}
	facts := func(o cluster.Observation) map[string]fact {
		out := map[string]fact{}
		for _, s := range o.Servers {
			f := fact{up: s.Process.Alive(), disk: s.Disk.Version}
			if f.up {
				f.runs = s.Process.Build.Version
			}
			out[s.Node.Name] = f
		}
		return out
	}
	synctest.Test(t, func(t *testing.T) {
		p := upgrade.Rolling(spec(t, 3, true))
		lab := rehearsal.New()
		lab.Emit(upgrade.Planned{Outline: p.Outline()})
		fake := upgradetest.NewFake(p.Topology, lab.Emit)
		for n, b := range p.Slots {
			if err := fake.Install(t.Context(), n, b); err != nil {
				t.Fatal(err)
			}
		}
		for _, s := range p.Steps {
			synctest.Wait()
			o, _ := lab.Observe()
			before := facts(o)
			acts := []upgrade.Action{s.Do}
			if s.Undo != nil {
				acts = []upgrade.Action{s.Do, s.Undo}
			}
			for _, a := range acts {
				if err := a.Run(t.Context(), fake); err != nil {
					t.Fatalf("%s: %v", s.ID, err)
				}
				synctest.Wait()
			}
			o, _ = lab.Observe()
			for n, f := range facts(o) {
				if f != before[n] {
					t.Errorf("%s and its undo: %s was %+v and is %+v", s.ID, n, before[n], f)
				}
			}
			if s.Undo != nil {
				if err := s.Do.Run(t.Context(), fake); err != nil {
					t.Fatalf("%s again: %v", s.ID, err)
				}
			}
		}
		fake.Close()
		lab.Close()
	})
}

// Until nothing was observed, nothing is known to hold.
func TestNoCheckHoldsOnNothing(t *testing.T) {
	p := upgrade.Rolling(spec(t, 2, true))
	nothing := cluster.Observe(p.Topology)
	for _, s := range p.Steps {
		for _, c := range s.Until {
			if v := c.Eval(nothing); v.Met {
				t.Errorf("%s: %q holds on nothing: %s", s.ID, c, v.Detail)
			}
		}
	}
}

func TestLameDuckTime(t *testing.T) {
	for clients, want := range map[int]time.Duration{0: 0, 1: 11 * time.Second, 20: 30 * time.Second, 5000: 2 * time.Minute} {
		if got := upgrade.LameDuckTime(clients); got != want {
			t.Errorf("%d clients: %s, want %s", clients, got, want)
		}
	}
}

// The judges of claims, on numbers that were seen with real servers
// (nats.go 1.55, 300 clients).
func TestClaimsAreJudgedByWhatWasSeen(t *testing.T) {
	p := upgrade.Rolling(spec(t, 2, true))
	fleet := func(on ...string) cluster.Observation {
		o := cluster.Observe(p.Topology)
		for i, n := range on {
			o.Fleet.Clients = append(o.Fleet.Clients, cluster.Client{ID: i, Node: n, Status: cluster.ClientConnected})
		}
		return o
	}
	many := func(n int, node string) []string { return strings.Fields(strings.Repeat(node+" ", n)) }
	spread := func(b, c int) []string { return append(many(b, "B"), many(c, "C")...) }
	for _, tc := range []struct {
		step, claim   string
		before, after cluster.Observation
		want          upgrade.Holding
	}{
		{"stop-a", "1/2 of", fleet(many(300, "A")...), fleet(spread(152, 148)...), upgrade.Holds},
		{"stop-a", "1/2 of", fleet(many(21, "A")...), fleet(spread(9, 12)...), upgrade.Holds},
		{"stop-a", "1/2 of", fleet(many(300, "A")...), fleet(spread(224, 76)...), upgrade.Differs},
		{"stop-a", "1/2 of", fleet("A"), fleet("B"), upgrade.Undecided},
		{"stop-a", "observe that", fleet("A"), fleet("C"), upgrade.Holds},
		{"stop-b", "clients from 'B'", fleet(spread(152, 148)...), fleet(many(300, "C")...), upgrade.Differs},
		{"stop-b", "clients from 'B'", fleet("B", "B", "B"), fleet("A", "C", "A"), upgrade.Holds},
		{"stop-c", "Any clients on 'C'", fleet(many(300, "C")...), fleet(many(300, "A")...), upgrade.Differs},
		{"stop-c", "Any clients on 'C'", fleet(many(4, "C")...), fleet("A", "B", "A", "B"), upgrade.Holds},
	} {
		found := false
		for _, s := range p.Steps {
			for _, c := range s.Claims {
				if s.ID == tc.step && strings.HasPrefix(c.Text, tc.claim) {
					found = true
					if f := c.Judge(tc.before, tc.after); f.Stands != tc.want {
						t.Errorf("%s %q: %s (%s), want %s", tc.step, c.Text, f.Stands, f.Detail, tc.want)
					}
				}
			}
		}
		if !found {
			t.Errorf("%s has no claim %q", tc.step, tc.claim)
		}
	}
}
