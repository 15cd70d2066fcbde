package tui

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/muesli/termenv"

	"nats-roll/glossary"
	"nats-roll/tui/view"
	"nats-roll/upgrade"
)

// t opens the text where the step's passage can be seen, marked; and it scrolls
// from the first line to the last one.
func TestTheTextOpensAtThePassage(t *testing.T) {
	ms := walked(t)
	for moment, words := range map[string]string{
		"2-ready-start-a":   "You will see the server started",
		"2-ready-stop-b":    "We move on to upgrade 'B'. Notice",
		"3-ended-stop-a":    "We invoke our admin powers",
		"2-ready-restart-a": "and restart 'A':",
	} {
		for _, size := range []view.Size{{W: 60, H: 16}, {W: 80, H: 24}, {W: 120, H: 36}} {
			m, _ := press(screen(ms[moment], termenv.Ascii, true, size), "t")
			found := false
			for l := range strings.Lines(m.View()) {
				found = found || strings.Contains(l, "▌") && strings.Contains(l, words[:12])
			}
			if !found {
				t.Errorf("%s at %dx%d: no line marked with %q:\n%s", moment, size.W, size.H, words, m.View())
			}
		}
	}
	m, _ := press(screen(ms["2-ready-stop-b"], termenv.Ascii, true, view.Size{W: 80, H: 24}), "t", "home")
	if !strings.Contains(m.View(), "The basic strategy for upgrading a cluster") {
		t.Errorf("not at the beginning:\n%s", m.View())
	}
	m, _ = press(m, "end", "pgdown", "down")
	if !strings.Contains(m.View(), "do a rolling restart.") {
		t.Errorf("not at the end:\n%s", m.View())
	}
	before := m
	if m, _ = press(m, "esc"); m.View() == before.View() || m.over != nil {
		t.Error("esc does not close it")
	}
	m, _ = press(screen(ms["2-ready-stop-a"], termenv.Ascii, true, view.Size{W: 80, H: 24}), "t")
	golden(t, "text-80x24", m.View())
}

// What lies above everything else takes every key but those that quit: none of
// them does something that cannot be seen.
func TestNothingIsDoneUnderAnOverlay(t *testing.T) {
	for _, o := range overlays {
		for _, k := range []string{"enter", "x", "K", "D", "b", "s", "f", "r", "up", "tab", "z", "/"} {
			if _, own := o.keys[k]; own {
				continue
			}
			m := screen(walked(t)["2-ready-stop-a"], termenv.Ascii, true, view.Size{W: 80, H: 24})
			rec := &recorder{}
			m.control, m.over = rec, o
			was := m.page
			m, _ = press(m, k)
			if len(rec.did) > 0 || m.page != was || m.asking != nil || m.typing || m.zoomed {
				t.Errorf("%s: %q did %v", o.title, k, rec.did)
			}
		}
	}
}

// c lists what was done, and is open at the newest.
func TestTheListIsOpenAtTheNewest(t *testing.T) {
	m, _ := press(screen(walked(t)["3-ended-stop-b"], termenv.Ascii, true, view.Size{W: 80, H: 24}), "c")
	if v := m.View(); !strings.Contains(v, "plan  Stop B") || !strings.Contains(v, "$ kill -INT 1002") {
		t.Errorf("the last thing is not to be seen:\n%s", v)
	}
	golden(t, "commands-80x24", m.View())
	m, _ = press(screen(walked(t)["1-intro"], termenv.Ascii, true, view.Size{W: 80, H: 24}), "c", "home")
	if v := m.View(); !strings.Contains(v, "before the first step") {
		t.Errorf("the slots were filled, and it is not told:\n%s", v)
	}
}

// C lists the chapters and the steps, and asks before it ends a rehearsal.
func TestTheTableOfContents(t *testing.T) {
	size := view.Size{W: 80, H: 24}
	open := func(refuses error) (Model, *recorder) {
		m := screen(walked(t)["2-ready-stop-a"], termenv.Ascii, true, size)
		rec := &recorder{refuses: refuses}
		m.control = rec
		m.walked = map[string]Walked{"downgrade": {At: m.now, Took: 252 * time.Second}}
		m, _ = press(m, "C")
		return m, rec
	}
	m, rec := open(nil)
	for _, want := range []string{"▌ ▸ ○ rolling       ~ 5 minutes", "    ✓ downgrade     4 min 12 s", "  ✓  4  Start C, the temporary server", "  ▸  5  Stop A"} {
		if !strings.Contains(m.View(), want) {
			t.Errorf("it does not say %q:\n%s", want, m.View())
		}
	}
	if down, _ := press(m, "pgdown"); !strings.Contains(down.View(), "  ○  6  Replace A's binary") {
		t.Errorf("further down:\n%s", down.View())
	}
	seed, _ := press(m, "down", "down")
	if v := strings.Join(strings.Fields(strings.ReplaceAll(seed.View(), "│", "")), " "); !strings.Contains(v, upgrade.Chapters[2].About) {
		t.Errorf("what is picked is not told in full:\n%s", seed.View())
	}
	last := upgrade.Chapters[len(upgrade.Chapters)-1].Name
	for range upgrade.Chapters {
		m, _ = press(m, "down")
	}
	if l := lineWith(m.View(), "▌"); !strings.Contains(l, last) {
		t.Errorf("the last chapter is not chosen: %s", l)
	}
	m, _ = press(m, "enter", "n")
	if len(rec.did) > 0 || m.over == nil {
		t.Errorf("did %v", rec.did)
	}
	_, cmd := press(m, "enter", "y")
	if strings.Join(rec.did, " ") != "begin "+last || cmd == nil {
		t.Errorf("did %v", rec.did)
	} else if _, ok := cmd().(tea.QuitMsg); !ok {
		t.Error("the screen does not end")
	}
	m, _ = open(errors.New("not with these flags"))
	if m, cmd = press(m, "down", "enter", "y"); cmd != nil || m.message != "not with these flags" {
		t.Errorf("said %q", m.message)
	}
	r, _ := press(replayed(t, size), "C", "enter")
	if v := r.View(); strings.Contains(v, "○ downgrade") || !strings.Contains(v, "this is a recording") {
		t.Errorf("a recording offers chapters:\n%s", v)
	}
}

func lineWith(s, text string) string {
	for l := range strings.Lines(s) {
		if strings.Contains(l, text) {
			return l
		}
	}
	return ""
}

// g explains the words of the screen below it first; every word of our own screens
// that is in capitals, or a page of monitoring, is explained.
func TestTheWordsOfTheScreenAreExplained(t *testing.T) {
	size := view.Size{W: 80, H: 24}
	m, _ := press(screen(walked(t)["2-ready-stop-a"], termenv.Ascii, true, size), "g")
	lines, _ := m.over.page(m, 76)
	all := strings.Join(lines, "\n")
	on, others, _ := strings.Cut(all, "All others")
	for _, w := range []string{"SIGINT", "client", "server", "rolling upgrade"} {
		if !strings.Contains(on, "\n"+w+"\n") {
			t.Errorf("%s is on the screen, and not explained first", w)
		}
		if strings.Contains(on, "\n"+w+"\n") == strings.Contains(others, "\n"+w+"\n") {
			t.Errorf("%s stands in both parts, or in none", w)
		}
	}
	capital := regexp.MustCompile(`(?:^|[\s(“$])([A-Z]{2,}[A-Z0-9_]*)\b|(?:^|\s)(/[a-z]+z)\b`)
	for name, mo := range walked(t) {
		for _, size := range []view.Size{{W: 120, H: 36}, {W: 200, H: 60}} {
			for _, w := range capital.FindAllStringSubmatch(view.Plain(screen(mo, termenv.Ascii, true, size).View()), -1) {
				word := w[1] + w[2]
				if there, _ := glossary.In(word); len(there) == 0 && word != "ID" && !strings.HasPrefix(word, "ID") {
					t.Errorf("%s at %dx%d: nobody explains %q", name, size.W, size.H, word)
				}
			}
		}
	}
}

// h goes through what a step has of help, to be seen in full, on the smallest
// screens with z; and Enter does the step at every level.
func TestLevelsOfHelp(t *testing.T) {
	for _, size := range []view.Size{{W: 60, H: 16}, {W: 80, H: 24}, {W: 120, H: 36}} {
		for name, mo := range walked(t) {
			if !strings.HasPrefix(name, "2-ready-") {
				continue
			}
			m := screen(mo, termenv.Ascii, true, size)
			m.zoomed = size.H < 24
			rec := &recorder{}
			m.control = rec
			st, _ := m.shown()
			plain := m.View()
			m, _ = press(m, "h")
			if v := m.View(); !strings.Contains(v, "Hint  ") || !strings.Contains(v, lastWord(st.Hint)) {
				t.Errorf("%s at %dx%d: no hint:\n%s", name, size.W, size.H, v)
			}
			if size.W == 80 {
				golden(t, "help-1-"+st.ID+"-80x24", m.View())
			}
			m, _ = press(m, "h")
			if st.Command != "" {
				if v := m.View(); !strings.Contains(v, "In another terminal") || !strings.Contains(v, lastWord(st.See)) {
					t.Errorf("%s at %dx%d: not how to do it:\n%s", name, size.W, size.H, v)
				}
				if size.W == 80 {
					golden(t, "help-2-"+st.ID+"-80x24", m.View())
				}
				m, _ = press(m, "h")
			}
			if m.View() != plain {
				t.Errorf("%s: not as before:\n%s", name, m.View())
			}
			_, _ = press(m, "h", "enter")
			if strings.Join(rec.did, " ") != "go "+st.ID {
				t.Errorf("%s: Enter did %v", name, rec.did)
			}
		}
	}
	m, _ := press(screen(walked(t)["3-ended-stop-a"], termenv.Ascii, true, view.Size{W: 80, H: 24}), "h")
	if m.level() != view.NoHelp || m.message != "stop A is done: what was seen stands here" {
		t.Errorf("help with what is done: %q", m.message)
	}
}

func lastWord(s string) string {
	words := strings.Fields(s)
	return words[len(words)-1]
}
