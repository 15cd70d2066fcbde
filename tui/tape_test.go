package tui

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/tui/theme"
	"nats-roll/tui/view"
	"nats-roll/upgrade"
	"nats-roll/upgrade/upgradetest"
)

// lived is a state of a rehearsal just after an event.
type lived struct {
	rehearsal.Record
	state rehearsal.State
}

var (
	recordOnce  sync.Once
	recordLived []lived
	recordLog   string
)

// recorded is a walk in which B is killed on the way: what happened, but for what
// only counts, and the log of it. It is walked once for all tests.
func recorded(t *testing.T) ([]lived, string) {
	t.Helper()
	recordOnce.Do(func() {
		var b strings.Builder
		synctest.Test(t, func(t *testing.T) {
			journal := rehearsal.NewJournal(&b, rehearsal.Header{Tool: "1.2.3", Began: time.Now().UTC()})
			live := func(r rehearsal.Record, s rehearsal.State) {
				if !counts(r.Event) {
					recordLived = append(recordLived, lived{r, s})
				}
			}
			killed := false
			walk(t, from, nil, func(_ *rehearsal.Lab, fake *upgradetest.Fake, s rehearsal.State) {
				if st, ok := s.Plan.Step(); ok && st.ID == "stop-a" && !killed {
					killed = true
					fake.Kill("B")
				}
			}, journal.Watch, live)
			_ = journal.Close()
		})
		recordLog = b.String()
	})
	return recordLived, recordLog
}

// counts says that of such events a log has only what matters, and later.
func counts(e cluster.Event) bool {
	switch e.(type) {
	case cluster.Answered, cluster.FleetChanged, cluster.Logged, cluster.Used, cluster.Fetching, upgrade.StepChecked:
		return true
	}
	return false
}

// replayed is a screen that plays the recording of that walk.
func replayed(t *testing.T, size view.Size) Model {
	t.Helper()
	_, log := recorded(t)
	return replayOf(t, log, size)
}

func replayOf(t *testing.T, log string, size view.Size) Model {
	t.Helper()
	rec, err := rehearsal.ReadRecording(strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	m := New(Options{Recording: rec}, theme.New(renderer(termenv.Ascii, true)))
	m.size, m.seen = size, true
	return m
}

// play runs the ticks of a model until it stops, or until stop says so, in virtual
// time.
func play(m Model, cmd tea.Cmd, stop func(Model) bool) Model {
	for cmd != nil && !stop(m) {
		var next tea.Model
		next, cmd = m.Update(cmd())
		m = next.(Model)
	}
	return m
}

func never(Model) bool { return false }

// panels of the cluster, as they are drawn.
func drawn(m Model) string {
	var all []string
	size := view.Size{W: 100, H: 30}
	all = append(all, m.servers(size)...)
	all = append(all, m.routes(size)...)
	all = append(all, m.clients(size)...)
	all = append(all, m.traffic(size)...)
	return strings.Join(append(all, m.log(size)...), "\n")
}

// The screen of a recording shows, at every event, what the screen of the rehearsal
// showed then.
func TestAReplayShowsWhatTheRehearsalShowed(t *testing.T) {
	live, _ := recorded(t)
	size := view.Size{W: 120, H: 36}
	m := replayed(t, size)
	place, at := 0, 0
	m.tape.rec.Watch(func(rec rehearsal.Record, _ rehearsal.State) {
		place++
		if counts(rec.Event) || t.Failed() {
			return
		}
		if at == len(live) || rec.At.UnixNano() != live[at].At.UnixNano() || rec.Event.Kind() != live[at].Event.Kind() {
			t.Errorf("%s at %s was not seen, or not then", rec.Event.Kind(), rec.At)
			return
		}
		r := m.shows(m.tape.to(place))
		was := screen(moment{live[at].state, r.page}, termenv.Ascii, true, size)
		if x, y := drawn(was), drawn(r); x != y {
			t.Errorf("after %s, event %d, it showed\n%s\nand shows\n%s", live[at].Event.Kind(), at, x, y)
		}
		if title, aside, _ := was.stepContent(size); r.page >= 0 {
			if now, beside, _ := r.stepContent(size); title != now || aside != beside {
				t.Errorf("after %s it was %s %s, and is %s %s", live[at].Event.Kind(), title, aside, now, beside)
			}
		}
		at++
	})
	if at != len(live) || at < 60 {
		t.Errorf("%d of %d events were found", at, len(live))
	}
}

func TestARecordingPlaysInItsOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := replayed(t, view.Size{W: 80, H: 24})
		length := m.tape.end().Sub(m.tape.rec.Time(0))
		for _, tc := range []struct {
			keys string
			want time.Duration
		}{{"", length}, {"+ +", length / 4}, {"- -", 4 * length}, {"> > > > > > > > >", length / 64}} {
			r, cmd := m, m.tape.next()
			if tc.keys != "" {
				r, cmd = press(m, strings.Fields(tc.keys)...)
			}
			began, frames := time.Now(), 0
			r = play(r, cmd, func(m Model) bool {
				frames++
				if behind := m.tape.rec.Place(m.tape.at) - m.tape.place; behind != 0 && frames > 1 {
					t.Errorf("%d records are late", behind)
				}
				return false
			})
			took := time.Since(began)
			if d := took - tc.want; d < -frame || d > time.Second || r.tape.place != r.tape.rec.Len() || r.tape.playing {
				t.Errorf("%q: it took %s, want %s; at %d of %d", tc.keys, took, tc.want, r.tape.place, r.tape.rec.Len())
			}
			if most := int(took/frame) + 2; frames > most {
				t.Errorf("%q: %d frames in %s", tc.keys, frames, took)
			}
			// From the end it begins anew.
			again, cmd := press(r, " ")
			if cmd == nil || again.tape.place > 1 || !again.tape.playing {
				t.Errorf("%q: after the end, at %d", tc.keys, again.tape.place)
			}
		}

		// What is paused stands still, and a tick that was under way does not count.
		half := func(m Model) bool { return m.tape.at.Sub(m.tape.rec.Time(0)) > length/2 }
		m = play(m, m.tape.next(), half)
		tick := m.tape.next()
		m, cmd := press(m, " ")
		if cmd != nil || m.tape.playing {
			t.Error("it plays on")
		}
		shown := m.View()
		late := tick()
		next, cmd := m.Update(late)
		if cmd != nil || next.View() != shown {
			t.Errorf("a late tick has changed\n%s\nto\n%s", shown, next.View())
		}
		m, cmd = press(m, " ")
		next, _ = m.Update(late)
		if m = next.(Model); cmd == nil || !m.tape.playing {
			t.Error("it does not play on")
		}
		if before := m.tape.at; play(m, cmd, never).tape.at.Before(before) {
			t.Error("time runs back")
		}
	})
}

// From wherever one comes, a place shows the same.
func TestSeekingShowsTheSame(t *testing.T) {
	m := replayed(t, view.Size{W: 120, H: 36})
	seen := map[int]string{}
	keys := strings.Fields(strings.Repeat("right left right ] [ ", 6) + "g G")
	random := rand.New(rand.NewPCG(3, 4))
	visits := 0
	for range 400 {
		m, _ = press(m, keys[random.IntN(len(keys))])
		frame := m.View()
		if was, ok := seen[m.tape.place]; ok {
			visits++
			if was != frame {
				t.Fatalf("place %d showed\n%s\nand shows\n%s", m.tape.place, was, frame)
			}
		}
		seen[m.tape.place] = frame
	}
	if len(seen) < 20 || visits < 100 {
		t.Errorf("%d places, %d of them seen again", len(seen), visits)
	}
}

// Forward by events one comes to every one of them, and back the same way.
func TestStepsThroughARecording(t *testing.T) {
	m := replayed(t, view.Size{W: 80, H: 24})
	for _, tc := range []struct {
		forward, back string
		stops         int
	}{{"right", "left", len(m.tape.rec.Moments)}, {"]", "[", 12}} {
		m, _ = press(m, "g")
		var places []int
		for range tc.stops {
			m, _ = press(m, tc.forward)
			places = append(places, m.tape.place)
			if m.tape.playing {
				t.Fatalf("%s plays on", tc.forward)
			}
		}
		if tc.forward == "]" {
			for i, st := range m.state.Plan.Steps {
				at := m.shows(m.tape.to(places[i]))
				if at.page != i || !at.state.Plan.Steps[i].Status.Over() {
					t.Errorf("step %s: on page %d, %s", st.ID, at.page, at.state.Plan.Steps[i].Status)
				}
			}
		}
		if m, _ = press(m, tc.forward); m.tape.place != m.tape.rec.Len() {
			t.Errorf("after the last, %s leads to %d of %d", tc.forward, m.tape.place, m.tape.rec.Len())
		}
		m, _ = press(m, "G")
		for i := len(places) - 1; i >= 0; i-- {
			if places[i] == m.tape.rec.Len() {
				continue
			}
			if m, _ = press(m, tc.back); m.tape.place != places[i] {
				t.Fatalf("%s leads to %d, want %d", tc.back, m.tape.place, places[i])
			}
		}
		if m, _ = press(m, tc.back); m.tape.place != 0 || m.page != -1 {
			t.Errorf("before the first, %s leads to %d, page %d", tc.back, m.tape.place, m.page)
		}
	}
}

// Nothing can be done to servers that ran once.
func TestKeysOfARecording(t *testing.T) {
	m := replayed(t, view.Size{W: 80, H: 24})
	m, _ = press(m, "]", "]", "]", "]")
	for _, k := range []string{"enter", "f", "r", "y", "x", "K", "D", "b", "s"} {
		r, cmd := press(m, k)
		if cmd != nil || r.asking != nil || !strings.Contains(r.View(), "this is a recording: nothing can be done to its servers") {
			t.Errorf("%s does something, or does not say why not:\n%s", k, r.View())
		}
	}
	for _, k := range []string{"q", "ctrl+c"} {
		_, cmd := press(m, k)
		if cmd == nil {
			t.Fatalf("%s does not leave", k)
		}
		if _, ok := cmd().(tea.QuitMsg); !ok {
			t.Errorf("%s does not leave", k)
		}
	}
	r, _ := press(m, "z", "/", "route", "enter", "down", "?", "?")
	if r.focus != logPanel || !r.zoomed || r.filter.Text != "route" || r.selected != "B" {
		t.Errorf("the screen's keys do not work: %+v", r.filter)
	}
}

// A recording of nothing can be looked at, too, and so can one that is cut off.
func TestShortRecordings(t *testing.T) {
	_, log := recorded(t)
	lines := strings.SplitAfter(log, "\n")
	for _, n := range []int{1, 2, 3, 5, 30, len(lines) / 2} {
		synctest.Test(t, func(t *testing.T) {
			m := replayOf(t, strings.Join(lines[:n], "")+`{"seq":`, view.Size{W: 80, H: 24})
			m = play(m, m.tape.next(), never)
			if !strings.Contains(m.View(), "the recording ends here") {
				t.Errorf("%d lines: it does not say that it is cut off:\n%s", n, m.View())
			}
			for _, k := range []string{" ", "left", "right", "[", "]", "g", "G", "+", "-"} {
				m, _ = press(m, k)
				if got := strings.Split(m.View(), "\n"); len(got) != 24 || !strings.Contains(got[0], "REPLAY") {
					t.Errorf("%d lines, %q:\n%s", n, k, m.View())
				}
			}
		})
	}
}

func TestGoldenReplays(t *testing.T) {
	for _, size := range []view.Size{{W: 60, H: 16}, {W: 80, H: 24}, {W: 120, H: 36}, {W: 200, H: 60}} {
		m := replayed(t, size)
		golden(t, fmt.Sprintf("replay-0-begin-%dx%d", size.W, size.H), m.View())
		m, _ = press(m, "]", "]", "]", "]", "right", "right", "+", "+")
		golden(t, fmt.Sprintf("replay-1-stop-a-%dx%d", size.W, size.H), m.View())
		m, _ = press(m, "]")
		golden(t, fmt.Sprintf("replay-2-stopped-a-%dx%d", size.W, size.H), m.View())
		m, _ = press(m, "G")
		golden(t, fmt.Sprintf("replay-3-end-%dx%d", size.W, size.H), m.View())
	}
	m := replayed(t, view.Size{W: 80, H: 24})
	m, _ = press(m, "?")
	golden(t, "replay-help-80x24", m.View())
}

// At every size the screen is filled exactly, wherever in the recording one is.
func TestEveryReplayIsExactlyAsLargeAsTheTerminal(t *testing.T) {
	m := replayed(t, view.Size{})
	for i := range m.tape.rec.Moments {
		m, _ = press(m, "right")
		for w := 1 + i%17; w <= 220; w += 29 {
			m.size = view.Size{W: w, H: 1 + (i*7+w)%66}
			lines := strings.Split(m.View(), "\n")
			if len(lines) != m.size.H {
				t.Fatalf("at %dx%d: %d lines", w, m.size.H, len(lines))
			}
			for at, l := range lines {
				if n := ansi.StringWidth(l); n != w {
					t.Fatalf("at %dx%d: line %d has %d cells: %q", w, m.size.H, at, n, l)
				}
			}
		}
		m.size = view.Size{W: 80, H: 24}
	}
}
