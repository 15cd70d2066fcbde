package tui

import (
	"fmt"
	"slices"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"nats-roll/glossary"
	"nats-roll/tui/view"
	"nats-roll/upgrade"
)

// overlay is a page that lies above everything else until it is closed. It
// scrolls, and changes nothing by itself.
type overlay struct {
	title string
	// page is what it says, in lines of at most that width, and which of them is
	// to be seen first; -1 for the first one.
	page func(m Model, w int) (lines []string, at int)
	// keys that do something in it besides scrolling and closing it, and how the
	// footer tells them.
	keys map[string]func(Model) (tea.Model, tea.Cmd)
	foot []string // key, word, key, word
}

// opens is a key's action: it opens an overlay, and closes it when it is open.
func opens(o *overlay) func(Model) (tea.Model, tea.Cmd) {
	return func(m Model) (tea.Model, tea.Cmd) {
		m.over, m.top, m.pick = o, 0, 0
		if _, at := o.page(m, m.overlaySize().W); at > 0 {
			m.top = max(0, at-m.overlaySize().H/3)
		}
		return m, nil
	}
}

func (m Model) overlaySize() view.Size { return view.Inner(m.body()) }

// overlaid takes a key while an overlay is open. What is no key of it closes it:
// whatever else the key does, it does where that can be seen.
func (m Model) overlaid(k tea.KeyMsg) (tea.Model, tea.Cmd) {
	if do, ok := m.over.keys[k.String()]; ok {
		return do(m)
	}
	lines, _ := m.over.page(m, m.overlaySize().W)
	end := max(0, len(lines)-m.overlaySize().H)
	switch page := max(1, m.overlaySize().H-2); k.String() {
	case "up", "k":
		m.top--
	case "down", "j":
		m.top++
	case "pgup", "u", "ctrl+u":
		m.top -= page
	case "pgdown", "d", "ctrl+d", " ":
		m.top += page
	case "home":
		m.top = 0
	case "end":
		m.top = end
	default:
		m.over = nil
		return m, nil
	}
	m.top = max(0, min(m.top, end))
	return m, nil
}

// overlayPage draws the overlay that is open.
func (m Model) overlayPage() []string {
	t := m.theme
	size := m.overlaySize()
	lines, _ := m.over.page(m, size.W)
	aside := ""
	if over := len(lines) - size.H; over > 0 {
		top := min(m.top, over)
		aside = t.Dim.Render(fmt.Sprintf("lines %d to %d of %d", top+1, top+size.H, len(lines)))
		lines = lines[top : top+size.H]
	}
	return view.Panel(t, t.Step.Render(m.over.title), aside, true, lines, m.body())
}

// overlayKeys are what the footer tells while an overlay is open.
func (m Model) overlayKeys() []string {
	told := m.over.foot
	if m.recorded() {
		told = nil // nothing of it can be done to a recording
	}
	if len(told) == 0 || told[0] != "↑ ↓" {
		told = append(slices.Clone(told), "↑ ↓", "line")
	}
	told = append(slices.Clone(told), "pgup pgdn", "page", "esc", "close", "q", "quit")
	var parts []string
	for i := 0; i < len(told); i += 2 {
		parts = append(parts, m.theme.Key.Render(told[i])+" "+m.theme.Dim.Render(told[i+1]))
	}
	return parts
}

// The overlays. (They are filled in init, since pages use the model and the model
// uses the overlays.)
var keysOverlay, textOverlay, commandsOverlay, contentsOverlay, wordsOverlay overlay

func init() {
	keysOverlay = overlay{title: "Every key", page: keysPage}
	commandsOverlay = overlay{
		title: "What was done", page: commandsPage,
		keys: map[string]func(Model) (tea.Model, tea.Cmd){"w": writeScript}, foot: []string{"w", "write a shell script"},
	}
	contentsOverlay = overlay{
		title: "Chapters", page: contentsPage, foot: []string{"↑ ↓", "choose", "⏎", "begin it"},
		keys: map[string]func(Model) (tea.Model, tea.Cmd){
			"up": pick(-1), "k": pick(-1), "down": pick(+1), "j": pick(+1), "enter": beginChapter,
		},
	}
	wordsOverlay = overlay{title: "Words", page: wordsPage}
	textOverlay = overlay{title: "The text, “Upgrading a Cluster”", page: textPage}
}

// textPage is the tutorial, with the passage of the step that is read.
func textPage(m Model, w int) (lines []string, at int) {
	st, _ := m.shown()
	return view.Text(m.theme, st.Quote, w)
}

// commandsPage lists what was done, and is open at the newest.
func commandsPage(m Model, w int) (lines []string, at int) {
	return view.Commands(m.theme, m.state, w)
}

// writeScript has what was done written as a shell script.
func writeScript(m Model) (tea.Model, tea.Cmd) {
	if m.recorded() {
		m.message = "a recording: nats-roll report FILE -o x.sh writes it"
		return m, nil
	}
	m.control.Script()
	return m, nil
}

// contentsPage lists the chapters, and the steps of the one that is walked.
func contentsPage(m Model, w int) (lines []string, at int) {
	if m.recorded() {
		return view.Steps(m.theme, m.state, w), -1
	}
	return append(append(view.Chapters(m.theme, m.state, m.walked, m.pick, w), ""), view.Steps(m.theme, m.state, w)...), -1
}

// words are those that were on the screen when somebody asked for them, and all
// others.
type words struct{ there, others []glossary.Term }

// openWords opens the glossary. What it says stays while it is read.
func openWords(m Model) (tea.Model, tea.Cmd) {
	m.words.there, m.words.others = glossary.In(view.Plain(m.View()))
	return opens(&wordsOverlay)(m)
}

// wordsPage explains the words that were on the screen, and then all others.
func wordsPage(m Model, w int) (lines []string, at int) {
	return view.Words(m.theme, m.words.there, m.words.others, w), -1
}

// pick goes up or down the chapters.
func pick(by int) func(Model) (tea.Model, tea.Cmd) {
	return func(m Model) (tea.Model, tea.Cmd) {
		if m.recorded() {
			m.top = max(0, m.top+by)
			return m, nil
		}
		m.pick = max(0, min(m.pick+by, len(upgrade.Chapters)-1))
		if room := m.overlaySize().H; m.pick+2 > m.top+room || m.pick+1 < m.top { // a heading stands above
			m.top = max(0, m.pick+3-room)
		}
		return m, nil
	}
}

// openContents opens the table of contents at the chapter that is walked.
func openContents(m Model) (tea.Model, tea.Cmd) {
	next, cmd := opens(&contentsOverlay)(m)
	m = next.(Model)
	m.pick = max(0, slices.IndexFunc(upgrade.Chapters, func(c upgrade.Chapter) bool { return c.Name == m.state.Plan.Outline.Chapter }))
	return m, cmd
}

// beginChapter ends this rehearsal and begins the chapter that is chosen.
func beginChapter(m Model) (tea.Model, tea.Cmd) {
	if m.recorded() {
		m.message = isRecording(m)
		return m, nil
	}
	name := upgrade.Chapters[m.pick].Name
	return m.ask(fmt.Sprintf("End this rehearsal and begin “%s”?", name), func(m Model) (tea.Model, tea.Cmd) {
		if err := m.control.Begin(name); err != nil {
			m.message = err.Error()
			return m, nil
		}
		return m, tea.Quit
	})
}

// keysPage lists every key: a group beside each row where it is wide enough, short
// words in two columns where it is not.
func keysPage(m Model, w int) (lines []string, at int) {
	t := m.theme
	keys := table(m.commands())
	group, widest := "", 0
	for _, k := range keys {
		name := ""
		if k.Group != group {
			if group, name = k.Group, k.Group; len(lines) > 0 && m.overlaySize().H >= len(keys)+3 {
				lines = append(lines, "")
			}
		}
		line := fmt.Sprintf("%s  %s  %s", t.Strong.Render(fmt.Sprintf("%-19s", name)), t.Key.Render(fmt.Sprintf("%9s", k.Keys)), k.Does)
		lines, widest = append(lines, line), max(widest, ansi.StringWidth(line))
	}
	if widest <= w {
		return lines, -1
	}
	lines = nil
	half := (len(keys) + 1) / 2
	for i := range half {
		row := ""
		for _, j := range []int{i, i + half} {
			if j < len(keys) {
				row += fmt.Sprintf("%s  %-16s ", t.Key.Render(fmt.Sprintf("%9s", keys[j].Keys)), keys[j].Short)
			}
		}
		lines = append(lines, row)
	}
	return lines, -1
}
