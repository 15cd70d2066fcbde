package tui

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/tui/view"
	"nats-roll/upgrade"
)

// overlays are all there are.
var overlays = []*overlay{&keysOverlay, &textOverlay, &commandsOverlay, &contentsOverlay, &wordsOverlay}

func names(ms map[string]moment) []string {
	var out []string
	for n := range ms {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func TestEveryScreenIsExactlyAsLargeAsTheTerminal(t *testing.T) {
	ms := walked(t)
	if len(ms) < 25 {
		t.Fatalf("only %d moments: %v", len(ms), names(ms))
	}
	for i, name := range names(ms) {
		m := ms[name]
		// Every moment takes other sizes, so that all take most.
		for w := 1 + i%23; w <= 220; w += 23 {
			for h := 1 + i%13; h <= 70; h += 13 {
				for mode := range 4 {
					s := screen(m, termenv.ANSI256, true, view.Size{W: w, H: h})
					switch mode {
					case 1:
						s.over, s.top = overlays[(w+h)%len(overlays)], h%7
					case 2:
						s.zoomed, s.focus = true, panel((w+h)%int(panels))
					case 3:
						if (w+h)%4 != 0 {
							continue
						}
						s.filter.Text, s.typing = "route", true
					}
					lines := strings.Split(s.View(), "\n")
					if len(lines) != h {
						t.Fatalf("%s at %dx%d mode %d: %d lines", name, w, h, mode, len(lines))
					}
					for at, l := range lines {
						if n := ansi.StringWidth(l); n != w {
							t.Fatalf("%s at %dx%d mode %d: line %d has %d cells: %q", name, w, h, mode, at, n, ansi.Strip(l))
						}
					}
				}
			}
		}
	}
}

func TestGoldenScreens(t *testing.T) {
	ms := walked(t)
	for _, name := range []string{"0-welcome", "1-intro", "2-ready-start-a", "3-ended-start-a", "2-ready-stop-a", "3-ended-stop-a", "2-ready-replace-a", "3-ended-stop-b", "4-blocked-stop-a", "9-summary"} {
		m, ok := ms[name]
		if !ok {
			t.Fatalf("no moment %s in %v", name, names(ms))
		}
		for _, size := range []view.Size{{W: 60, H: 16}, {W: 80, H: 24}, {W: 120, H: 36}, {W: 200, H: 60}} {
			s := screen(m, termenv.Ascii, true, size)
			golden(t, fmt.Sprintf("%s-%dx%d", name, size.W, size.H), s.View())
		}
	}
	s := screen(ms["2-ready-stop-a"], termenv.Ascii, true, view.Size{W: 80, H: 24})
	s.over = &keysOverlay
	golden(t, "help-80x24", s.View())
}

func TestNoColourMeansNone(t *testing.T) {
	for name, m := range walked(t) {
		if v := screen(m, termenv.Ascii, true, view.Size{W: 120, H: 36}).View(); strings.Contains(v, "\x1b") {
			t.Errorf("%s has escape sequences without colours", name)
		}
	}
}

// The words are the same in all colours, so colour is never needed.
func TestColourOnlyRepeats(t *testing.T) {
	for name, m := range walked(t) {
		size := view.Size{W: 120, H: 36}
		plain := screen(m, termenv.Ascii, true, size).View()
		for _, p := range []termenv.Profile{termenv.ANSI, termenv.ANSI256, termenv.TrueColor} {
			for _, dark := range []bool{true, false} {
				if got := ansi.Strip(screen(m, p, dark, size).View()); got != plain {
					t.Fatalf("%s reads differently with profile %v, dark %t", name, p, dark)
				}
				for _, o := range overlays {
					if name != "2-ready-stop-a" {
						break
					}
					grey, colour := screen(m, termenv.Ascii, true, size), screen(m, p, dark, size)
					grey.over, colour.over = o, o
					if ansi.Strip(colour.View()) != grey.View() {
						t.Fatalf("%s: %s reads differently with profile %v, dark %t", name, o.title, p, dark)
					}
				}
			}
		}
	}
}

// What comes from outside cannot speak to the terminal.
func TestOutsideTextIsClean(t *testing.T) {
	m := walked(t)["2-ready-stop-a"]
	evil := "evil\x1b]0;owned\x07\x1b[2J\r\n"
	at := m.At
	m.State = m.Apply(at, cluster.Logged{Lines: []cluster.LogLine{{Node: "A", At: at, Level: cluster.LevelInfo, Text: evil}}})
	a, _ := m.World.Server("A")
	answer := a.Answer
	answer.Clients = append(slices.Clone(answer.Clients), cluster.Connection{CID: 99, Name: evil, Lang: evil, Version: evil})
	m.State = m.Apply(at, cluster.Answered{Answer: answer})
	m.State = m.Apply(at, rehearsal.Note{Text: evil})
	v := screen(m, termenv.Ascii, true, view.Size{W: 200, H: 60}).View()
	if strings.ContainsAny(v, "\x1b\x07\r") || !strings.Contains(v, "evil") {
		t.Errorf("not clean, or not shown:\n%q", v)
	}
	if !regexp.MustCompile(`evil.* A .*yours`).MatchString(v) {
		t.Error("the stranger is not told from ours")
	}
}

// recorder is a Control that remembers.
type recorder struct {
	did     []string
	refuses error // to begin another chapter
}

func (r *recorder) note(format string, a ...any)       { r.did = append(r.did, fmt.Sprintf(format, a...)) }
func (r *recorder) Go(step string)                     { r.note("go %s", step) }
func (r *recorder) Force(step string)                  { r.note("force %s", step) }
func (r *recorder) Back(step string)                   { r.note("back %s", step) }
func (r *recorder) Undo(step string)                   { r.note("undo %s", step) }
func (r *recorder) Again(step string)                  { r.note("again %s", step) }
func (r *recorder) To(step, to string)                 { r.note("to %s from %s", to, step) }
func (r *recorder) GoOn() bool                         { r.note("go on"); return true }
func (r *recorder) Stop(node string, how cluster.Stop) { r.note("%s %s", how, node) }
func (r *recorder) Replace(node string)                { r.note("replace %s", node) }
func (r *recorder) Start(node string)                  { r.note("start %s", node) }
func (r *recorder) Script()                            { r.note("script") }

func (r *recorder) Begin(chapter string) error {
	r.note("begin %s", chapter)
	return r.refuses
}

func press(m Model, keys ...string) (Model, tea.Cmd) {
	var cmd tea.Cmd
	for _, k := range keys {
		var next tea.Model
		next, cmd = m.Update(keyOf(k))
		m = next.(Model)
	}
	return m, cmd
}

func keyOf(k string) tea.KeyMsg {
	for _, typ := range []tea.KeyType{tea.KeyEnter, tea.KeyEsc, tea.KeyUp, tea.KeyDown, tea.KeyLeft, tea.KeyRight, tea.KeyTab, tea.KeyCtrlC, tea.KeyPgUp, tea.KeyPgDown, tea.KeyHome, tea.KeyEnd, tea.KeyBackspace} {
		if typ.String() == k {
			return tea.KeyMsg{Type: typ}
		}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)}
}

func TestKeys(t *testing.T) {
	ms := walked(t)
	for _, tc := range []struct {
		name, moment, keys, did, message string
	}{
		{"enter does the step", "2-ready-stop-a", "enter", "go stop-a", ""},
		{"enter mends a blocked step", "4-blocked-stop-a", "enter", "go stop-a", ""},
		{"enter turns the page of a step that is over", "3-ended-stop-a", "enter", "", ""},
		{"and does the next then", "3-ended-stop-a", "enter enter", "go replace-a", ""},
		{"enter acts on nothing from an old page", "2-ready-replace-a", "left left enter", "", ""},
		{"x stops what the step stops", "2-ready-stop-a", "x", "int A", ""},
		{"x asks before it stops another", "2-ready-stop-a", "down x", "", ""},
		{"and no is the default", "2-ready-stop-a", "down x enter", "", "no: nothing was done"},
		{"r takes back", "2-ready-stop-a", "r y", "back stop-a", ""},
		{"r has to have something to take back", "2-ready-start-c", "r", "", "nothing to roll back: that is for the steps that upgrade a server"},
		{"u takes the step before back", "2-ready-replace-a", "u y", "undo replace-a", ""},
		{"and asks before", "2-ready-replace-a", "u", "", ""},
		{"u takes the step itself back at its end", "3-ended-stop-a", "u y", "undo replace-a", ""},
		{"a does it again", "2-ready-replace-a", "a y", "again replace-a", ""},
		{"J goes back to the page that is read", "2-ready-replace-a", "left left J y", "to start-c from replace-a", ""},
		{"J goes on to the page that is read", "2-ready-replace-a", "right right J y", "to stop-b from replace-a", ""},
		{"J from here leads nowhere", "2-ready-replace-a", "J", "", "the plan is here"},
		{"from the end, too", "9-summary", "u y", "undo ", ""},
		{"enter does nothing on a page that lies ahead", "2-ready-replace-a", "right right enter", "", ""},
		{"with the keys open, another key closes them and does nothing", "2-ready-stop-a", "? enter", "", ""},
		{"w writes what was done", "2-ready-stop-a", "c w", "script", ""},
		{"y is yes", "2-ready-stop-a", "down x y", "int B", ""},
		{"K asks elsewhere, too", "2-ready-start-c", "K y", "kill A", ""},
		{"D is lame duck", "2-ready-start-c", "D y", "ldm A", ""},
		{"b replaces", "2-ready-stop-a", "b", "replace A", ""},
		{"b says when it is done", "2-ready-restart-a", "b", "", "the file of A is 2.15.2 already"},
		{"b leaves the temporary one", "2-ready-stop-a", "down down b", "", "C is temporary and has the new binary already"},
		{"s starts", "2-ready-restart-a", "s", "start A", ""},
		{"s says when it runs", "2-ready-stop-a", "s", "", "A runs already"},
		{"x says when it does not", "2-ready-restart-a", "x", "", "A does not run"},
		{"f needs something stuck", "2-ready-stop-a", "f", "", "nothing to force: no step is stuck"},
		{"f asks", "4-blocked-stop-a", "f", "", ""},
		{"f goes on", "4-blocked-stop-a", "f y", "force stop-a", ""},
		{"enter waits for binaries", "0-welcome", "enter", "", "wait: the servers' binaries are not ready yet"},
		{"keys typed into a filter do nothing else", "2-ready-stop-a", "/ x b s q", "", ""},
		{"nothing left at the end", "9-summary", "enter", "", "this is the end of the plan; q quits, and the server keys still work"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := screen(ms[tc.moment], termenv.Ascii, true, view.Size{W: 80, H: 24})
			rec := &recorder{}
			m.control = rec
			m, cmd := press(m, strings.Fields(tc.keys)...)
			if got := strings.Join(rec.did, ", "); got != tc.did || m.message != tc.message {
				t.Errorf("%s: did %q, said %q; want %q, %q", tc.keys, got, m.message, tc.did, tc.message)
			}
			if cmd != nil {
				t.Error("a command, and no reason for one")
			}
		})
	}
}

// A question, a message or a note that is longer than a line is seen whole, and the screen
// has as many lines as before.
func TestLongWordsAreSeenWhole(t *testing.T) {
	long := "where you are cannot be remembered, since /home/somebody/.local/state/nats-roll/place.json is a folder: remove it"
	ms := walked(t)
	for _, size := range []view.Size{{W: 60, H: 16}, {W: 80, H: 24}, {W: 120, H: 36}} {
		for what, change := range map[string]func(Model) (Model, string){
			"a message": func(m Model) (Model, string) { m.message = long; return m, long },
			"a note": func(m Model) (Model, string) {
				m.state = m.state.Apply(m.now, rehearsal.Note{Text: long})
				return m, long
			},
			"a question": func(m Model) (Model, string) {
				next, _ := press(m, "left", "left", "left", "left", "left", "J")
				return next, next.asking.text
			},
			"a question over a page": func(m Model) (Model, string) {
				next, _ := press(m, "C", "up", "enter")
				return next, next.asking.text
			},
		} {
			m, want := change(screen(ms["2-ready-replace-b"], termenv.Ascii, true, size))
			lines := strings.Split(m.View(), "\n")
			bare := strings.NewReplacer(" ", "", "\n", "")
			foot := strings.Join(strings.Fields(strings.Join(lines[size.H-3:], " ")), " ")
			if !strings.Contains(bare.Replace(foot), bare.Replace(want)) {
				t.Errorf("%s at %dx%d: want %q, got\n%s", what, size.W, size.H, want, strings.Join(lines, "\n"))
			}
			if m.asking != nil && !strings.HasSuffix(foot, "y yes n no") {
				t.Errorf("%s at %dx%d lacks its answers: %s", what, size.W, size.H, foot)
			}
			if len(lines) != size.H {
				t.Errorf("%s at %dx%d: %d lines", what, size.W, size.H, len(lines))
			}
		}
	}
}

// Why a key does nothing is told as long as that is so.
func TestWhyAKeyDoesNothingGoesWithTheReason(t *testing.T) {
	ms := walked(t)
	m := screen(ms["0-welcome"], termenv.Ascii, true, view.Size{W: 80, H: 24})
	m.control = &recorder{}
	if m, _ = press(m, "enter"); !strings.Contains(m.View(), "binaries are not ready yet") {
		t.Fatalf("it is not told:\n%s", m.View())
	}
	if m = m.observed(m.state, m.now.Add(time.Second)); !strings.Contains(m.View(), "binaries are not ready yet") {
		t.Errorf("it is not told any more:\n%s", m.View())
	}
	if m = m.observed(ms["1-intro"].State, m.now); strings.Contains(m.View(), "binaries are not ready yet") {
		t.Errorf("it is still told:\n%s", m.View())
	}
}

// Who goes on to a step in a round whose order is not known yet is told so.
func TestAnOrderThatCanChangeIsNotPromised(t *testing.T) {
	m := walked(t)["1-intro"]
	m.Plan.Steps = slices.Clone(m.Plan.Steps)
	for i := range m.Plan.Steps {
		if m.Plan.Steps[i].Node != "C" {
			m.Plan.Steps[i].Turn = "upgrade"
		}
	}
	m.page = len(m.Plan.Steps) - 1
	for size, want := range map[view.Size]string{
		{W: 60, H: 16}:  "Turns can change places",
		{W: 200, H: 60}: "Who leads comes last: turns can change places",
	} {
		sc, _ := press(screen(m, termenv.Ascii, true, size), "J")
		if !strings.Contains(sc.asking.text, want) || strings.Contains(sc.asking.text, "stop A") {
			t.Errorf("%+v: %q", size, sc.asking.text)
		}
	}
}

func TestQuitting(t *testing.T) {
	ms := walked(t)
	size := view.Size{W: 80, H: 24}
	quits := func(m Model, keys ...string) bool {
		_, cmd := press(m, keys...)
		if cmd == nil {
			return false
		}
		_, ok := cmd().(tea.QuitMsg)
		return ok
	}
	running, idle := screen(ms["2-ready-stop-a"], termenv.Ascii, true, size), screen(ms["1-intro"], termenv.Ascii, true, size)
	for _, tc := range []struct {
		m    Model
		keys string
		want bool
	}{
		{idle, "q", true},
		{running, "q", false},
		{running, "q n", false},
		{running, "q y", true},
		{running, "qy", true},
		{running, "qn", false},
		{running, "ctrl+c", false},
		{running, "ctrl+c ctrl+c", true},
		{running, "x ctrl+c", false},
		{running, "esc esc esc", false},
		{idle, "esc", false},
	} {
		if got := quits(tc.m, strings.Fields(tc.keys)...); got != tc.want {
			t.Errorf("%s: quits %t", tc.keys, got)
		}
	}
}

func TestNothingReactsBeforeItCanBeSeen(t *testing.T) {
	m := walked(t)["2-ready-stop-a"]
	for name, s := range map[string]view.Size{"too small": {W: 59, H: 30}, "no size": {}} {
		rec := &recorder{}
		sc := screen(m, termenv.Ascii, true, s)
		sc.control = rec
		_, _ = press(sc, "enter", "K", "y", "b", "q")
		if len(rec.did) > 0 {
			t.Errorf("%s: did %v", name, rec.did)
		}
	}
	rec := &recorder{}
	sc := screen(m, termenv.Ascii, true, view.Size{W: 80, H: 24})
	sc.control = rec
	_, _ = sc.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("b"), Paste: true})
	if len(rec.did) > 0 {
		t.Errorf("a paste did %v", rec.did)
	}
	sc.seen = false
	if _, _ = press(sc, "enter", "b"); len(rec.did) > 0 {
		t.Errorf("before the first frame, keys did %v", rec.did)
	}
	next, _ := sc.Update(seenMsg{})
	if _, _ = press(next.(Model), "enter"); len(rec.did) != 1 {
		t.Errorf("after the first frame, Enter did %v", rec.did)
	}
}

// Where the last rehearsal stopped is said on the introduction, whatever its size,
// and gone on from by one key, until the first step was done.
func TestGoOn(t *testing.T) {
	ms := walked(t)
	offer := &Offer{Number: 7, Of: 12, Title: "Start A again", Flags: "--stop term"}
	for _, size := range []view.Size{{W: 60, H: 16}, {W: 80, H: 24}, {W: 200, H: 60}} {
		m := screen(ms["1-intro"], termenv.Ascii, true, size)
		rec := &recorder{}
		m.control, m.offer = rec, offer
		shown := strings.Join(strings.Fields(strings.ReplaceAll(m.View(), "│", " ")), " ")
		for _, want := range []string{"Last time, with --stop term, you got to step 7 of 12, Start A again.", "o go on"} {
			if !strings.Contains(shown, want) {
				t.Errorf("%dx%d does not say %q:\n%s", size.W, size.H, want, m.View())
			}
		}
		m, _ = press(m, "o")
		if m = m.observed(ms["2-ready-stop-a"].State, m.now); fmt.Sprint(rec.did) != "[go on]" || m.page != 4 {
			t.Errorf("did %v, page %d", rec.did, m.page)
		}
		if m, _ = press(m, "o"); len(rec.did) != 1 || !strings.Contains(m.message, "has begun") {
			t.Errorf("in the middle it did %v and said %q", rec.did, m.message)
		}
	}
	m, _ := press(screen(ms["1-intro"], termenv.Ascii, true, view.Size{W: 80, H: 24}), "o")
	if m.message != "there is nothing to go on with" {
		t.Error(m.message)
	}
}

// Every key says what it does, and no two share a key.
func TestTheKeyTable(t *testing.T) {
	for name, m := range map[string]Model{
		"rehearsal": screen(moment{page: -1}, termenv.Ascii, true, view.Size{}),
		"recording": replayed(t, view.Size{}),
	} {
		seen := map[string]bool{}
		for _, c := range m.commands() {
			for _, k := range c.binding.Keys() {
				if seen[k] {
					t.Errorf("%s: %q is bound twice", name, k)
				}
				seen[k] = true
			}
			if h := c.binding.Help(); h.Key != "" && (h.Desc == "" || c.group == "" || c.short == "") {
				t.Errorf("%s: %q does not say what it does", name, h.Key)
			}
		}
		for _, size := range []view.Size{{W: 60, H: 16}, {W: 80, H: 24}, {W: 120, H: 36}} {
			m.size, m.over, m.top = size, &keysOverlay, 0
			shown := m.View()
			m, _ = press(m, "end")
			shown += m.View()
			for _, k := range table(m.commands()) {
				if !strings.Contains(shown, k.Keys+"  "+k.Does) && (size.H >= 36 || !strings.Contains(shown, k.Keys+"  "+k.Short)) {
					t.Errorf("%s: at %dx%d, help does not say %s  %s:\n%s", name, size.W, size.H, k.Keys, k.Does, shown)
				}
			}
		}
	}
}

// crowd is a state with so many clients, spread and with something to tell.
func crowd(b *testing.B, n int) (rehearsal.State, cluster.FleetChanged) {
	b.Helper()
	top, err := cluster.NewTopology(2, true, 0)
	if err != nil {
		b.Fatal(err)
	}
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s := rehearsal.State{}.Apply(at, upgrade.Planned{Outline: upgrade.Rolling(upgrade.Spec{Topology: top, From: cluster.Builds{Build: from}, To: cluster.Builds{Build: to}, Stop: cluster.StopInt}).Outline()})
	for i, node := range top.Nodes {
		s = s.Apply(at, cluster.Started{Node: node.Name, Process: cluster.Process{PID: 100 + i, Build: to, Started: at}})
		s = s.Apply(at, cluster.Answered{Answer: cluster.Answer{Node: node.Name, ServerID: node.Name, Version: "2.15.2", Began: at, Connections: n / 3}})
	}
	e := cluster.FleetChanged{At: at, Totals: cluster.Totals{Rate: 100, Published: 100, Tally: cluster.Tally{Received: uint64(100 * n)}}}
	for i := range n {
		e.Changed = append(e.Changed, cluster.Client{ID: i, Name: fmt.Sprintf("nats-roll: sub %d", i), Status: cluster.ClientConnected, Node: top.Nodes[i%3].Name, Lost: uint64(i % 5)})
	}
	s = s.Apply(at, e)
	e.Changed = e.Changed[:min(n, 200)] // what changes between two frames
	return s, e
}

// One fold and one View, with few and with many clients.
func BenchmarkFoldAndView(b *testing.B) {
	for _, n := range []int{10, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, e := crowd(b, n)
			m := screen(moment{s, 0}, termenv.ANSI256, true, view.Size{W: 120, H: 36})
			for b.Loop() {
				m.state = m.state.Apply(m.now, e)
				if len(m.View()) == 0 {
					b.Fatal("nothing drawn")
				}
			}
		})
	}
}

// From a key to the frame that answers it.
func BenchmarkKeyToFrame(b *testing.B) {
	s, _ := crowd(b, 1000)
	m := screen(moment{s, 0}, termenv.ANSI256, true, view.Size{W: 120, H: 36})
	down, up := keyOf("down"), keyOf("up")
	for i := 0; b.Loop(); i++ {
		k := down
		if i%2 == 1 {
			k = up
		}
		next, _ := m.Update(k)
		m = next.(Model)
		if len(m.View()) == 0 {
			b.Fatal("nothing drawn")
		}
	}
}

// The question at the end counts what is ended, and names what is not.
func TestWhomQuittingEnds(t *testing.T) {
	for want, guests := range map[string]string{
		"Stop 3 servers and quit?":                                   "",
		"Stop 2 servers and quit? B, started by hand, goes on.":      "B",
		"Stop the server and quit? B and C, started by hand, go on.": "BC",
		"Quit? A, B and C, started by hand, go on.":                  "ABC",
	} {
		m := screen(walked(t)["2-ready-stop-a"], termenv.Ascii, true, view.Size{W: 80, H: 24})
		m.state.World.Servers = slices.Clone(m.state.World.Servers)
		for i := range m.state.World.Servers {
			m.state.World.Servers[i].Process.Guest = strings.Contains(guests, m.state.World.Servers[i].Node.Name)
		}
		if m, _ := press(m, "q"); !strings.Contains(m.View(), want) {
			t.Errorf("%s: want %q in\n%s", guests, want, m.View())
		}
	}
}
