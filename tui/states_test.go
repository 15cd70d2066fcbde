package tui

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/tui/theme"
	"nats-roll/tui/view"
	"nats-roll/upgrade"
	"nats-roll/upgrade/upgradetest"
)

var update = flag.Bool("update", false, "write the goldens")

var (
	from = cluster.Build{Version: "2.15.1", SHA256: "01d01d01d01d01d0", Source: "module", Path: "~/.cache/nats-roll/servers/2.15.1/linux-amd64/nats-server"}
	to   = cluster.Build{Version: "2.15.2", SHA256: "4e34e34e34e34e34", Source: "embedded", Path: "/usr/local/bin/nats-roll"}
)

// moment is a state of a rehearsal on the fake driver, and the page read then.
type moment struct {
	rehearsal.State
	page int
}

var (
	walkOnce sync.Once
	moments  map[string]moment
)

// walked returns the named moments of a walk with real steps. It is walked once
// for all tests; states do not change.
func walked(t *testing.T) map[string]moment {
	t.Helper()
	walkOnce.Do(func() { moments = walkAll(t) })
	return moments
}

func walkAll(t *testing.T) map[string]moment {
	t.Helper()
	out := map[string]moment{"0-welcome": {page: -1}}
	synctest.Test(t, func(t *testing.T) {
		keep := func(name string, s rehearsal.State, page int) {
			if _, ok := out[name]; !ok {
				out[name] = moment{s, page}
			}
		}
		walk(t, from, nil, func(lab *rehearsal.Lab, fake *upgradetest.Fake, s rehearsal.State) {
			st, ok := s.Plan.Step()
			switch {
			case ok && st.Status == upgrade.Ready:
				if s.Plan.Current == 0 {
					keep("1-intro", s, -1)
				}
				keep("2-ready-"+st.ID, s, s.Plan.Current)
			case ok && st.Status == upgrade.Blocked:
				keep("4-blocked-"+st.ID, s, s.Plan.Current)
			}
			if n := s.Plan.Current; n > 0 && n <= len(s.Plan.Steps) {
				keep("3-ended-"+s.Plan.Steps[n-1].ID, s, n-1)
			}
			if s.Plan.Outcome == upgrade.OutcomeVerified {
				keep("9-summary", s, len(s.Plan.Steps))
			}
		})
	})
	synctest.Test(t, func(t *testing.T) {
		killed := false
		walk(t, to, func(f *upgradetest.Fake) { f.Deaf = "none" }, func(lab *rehearsal.Lab, fake *upgradetest.Fake, s rehearsal.State) {
			st, ok := s.Plan.Step()
			if ok && st.ID == "stop-a" && st.Status == upgrade.Ready && !killed {
				killed = true
				fake.Kill("B")
			}
			if ok && st.Status == upgrade.Blocked {
				out["4-blocked-stop-a"] = moment{s, s.Plan.Current}
			}
		})
	})
	return out
}

// walk presses Enter through a rehearsal on the fake and hands out every state
// in which the plan stands still.
func walk(t *testing.T, old cluster.Build, prepare func(*upgradetest.Fake), seen func(*rehearsal.Lab, *upgradetest.Fake, rehearsal.State), watchers ...rehearsal.Watcher) {
	t.Helper()
	top, err := cluster.NewTopology(2, true, 0)
	if err != nil {
		t.Fatal(err)
	}
	var notes []string
	if old.Same(to) {
		notes = []string{"nats-server 2.15.1 is not to be had (no Go toolchain on PATH), so this rehearses the restart with 2.15.2 on both sides: no version changes."}
	}
	plan := upgrade.Rolling(upgrade.Spec{
		Topology: top, From: cluster.Builds{Build: old}, To: cluster.Builds{Build: to}, Stop: cluster.StopInt, Dir: "~/.local/state/nats-roll/rehearsals/20261123-093409-26861",
		Workload: cluster.Workload{Subscribers: 20, Rate: 100}, Notes: notes,
	})
	lab := rehearsal.New(watchers...)
	lab.Emit(cluster.Fetched{Role: "to", Build: to})
	lab.Emit(cluster.Fetched{Role: "from", Build: old})
	fake := upgradetest.NewFake(top, lab.Emit)
	if prepare != nil {
		prepare(fake)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	r := upgrade.Runner{Plan: plan, Driver: fake, World: lab, Sink: lab.Emit, Intents: lab.Intents()}
	go func() { done <- r.Run(ctx) }()
	for running := true; running; {
		time.Sleep(3 * time.Second) // virtual: everything has settled then
		synctest.Wait()
		s, _ := lab.State()
		seen(lab, fake, s)
		synctest.Wait()
		s, _ = lab.State()
		seen(lab, fake, s)
		st, ok := s.Plan.Step()
		if ok {
			lab.Say(upgrade.Intent{Step: st.ID})
		}
		select {
		case <-done:
			running = false
		default:
		}
	}
	synctest.Wait()
	s, _ := lab.State()
	seen(lab, fake, s)
	cancel()
	fake.Close()
	lab.Close()
}

// stillSource has one state.
type stillSource struct{ state rehearsal.State }

func (s stillSource) State() (rehearsal.State, <-chan struct{}) { return s.state, nil }

// renderer draws with this many colours.
func renderer(p termenv.Profile, dark bool) *lipgloss.Renderer {
	r := lipgloss.NewRenderer(nil)
	r.SetColorProfile(p)
	r.SetHasDarkBackground(dark)
	return r
}

// screen is a model that shows a moment.
func screen(m moment, p termenv.Profile, dark bool, size view.Size) Model {
	s := New(Options{Source: stillSource{m.State}, Control: &recorder{}, Stop: cluster.StopInt}, theme.New(renderer(p, dark)))
	s.page, s.size, s.now, s.seen = m.page, size, m.At, true
	if len(m.World.Servers) > 0 {
		s.selected = m.World.Servers[0].Node.Name
	}
	return s
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; go test ./tui -update writes it", err)
	}
	if got != string(want) {
		t.Errorf("%s differs; go test ./tui -update and read the diff. Now it is:\n%s", file, got)
	}
}
