// Package tui is the screen: the only tea.Model. It keeps size, focus, overlay,
// scroll, the page that is read, and the newest State; nothing about servers.
// Keys with consequences become calls to Control, which does not wait. A recording
// is shown by the same screen; only what moves it on is another, see tape.
package tui

import (
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/tui/theme"
	"nats-roll/tui/view"
	"nats-roll/upgrade"
)

// Source gives states; rehearsal.Lab does.
type Source interface {
	State() (rehearsal.State, <-chan struct{})
}

// Control is where keys with consequences go. None of its methods waits.
type Control interface {
	Go(step string)    // do the current step, or what it lacks, or try it again
	Force(step string) // go on although something does not hold
	Back(step string)  // bring the old server of the step's node back
	// Of these, step is the current one, or empty at the end.
	Undo(step string)   // take it back if it has acted, or else the one before it
	Again(step string)  // and do that once more
	To(step, to string) // take steps back, or do them, until to is current
	// GoOn goes on where the last rehearsal stopped; false: once the screen has ended.
	GoOn() (here bool)
	Stop(node string, how cluster.Stop)
	Replace(node string) // put the new build into the slot
	Start(node string)
	Script() // write what was done as a shell script, and note where
	// Begin has this rehearsal followed by a chapter once the screen has ended, or
	// says why that cannot be.
	Begin(chapter string) error
}

// panel is a place that can be focused.
type panel int

const (
	stepPanel panel = iota
	serversPanel
	routesPanel
	clientsPanel
	trafficPanel
	logPanel
	panels
)

// question waits for y or n, and is no until then.
type question struct {
	text string
	yes  func(m Model) (tea.Model, tea.Cmd)
}

// Model is the state of the screen.
type Model struct {
	source  Source
	control Control
	theme   theme.Theme
	stop    cluster.Stop
	keep    bool
	tape    tape
	walked  map[string]Walked
	offer   *Offer

	state    rehearsal.State
	now      time.Time
	size     view.Size
	page     int       // the step that is read; -1 is the introduction, len(steps) the summary
	follows  bool      // the page is that of the current step, until another one is turned to
	help     view.Help // with the step on this page
	helped   int
	selected string
	focus    panel
	zoomed   bool
	over     *overlay // what lies above everything else, if anything
	top      int      // lines down in it
	pick     int      // the row that is chosen in it
	words    words    // that it explains
	asking   *question
	typing   bool // a filter is being typed
	filter   view.LogFilter
	back     int // lines up from the log's end
	rows     int // down the list of clients
	down     int // lines down a step that is zoomed
	message  string
	refused  func(Model) string // what says so, if the message is why a key does nothing
	quitting bool
	seen     bool // the first frame has been drawn: keys before it were meant for something else
}

type (
	stateMsg rehearsal.State
	clockMsg time.Time
	seenMsg  struct{}
)

// frame is the least time between two states that are drawn.
const frame = 33 * time.Millisecond

// Init begins to wait for states and for the clock, or to play a recording.
func (m Model) Init() tea.Cmd {
	if m.recorded() {
		return tea.Batch(m.tape.next(), firstFrame())
	}
	return tea.Batch(m.next(time.Time{}), tick(), firstFrame())
}

// firstFrame tells when a first frame is on the screen at the latest. What was
// typed before, while the program was being compiled perhaps, was not meant for
// it.
func firstFrame() tea.Cmd {
	return tea.Tick(2*time.Second/frames, func(time.Time) tea.Msg { return seenMsg{} })
}

// next waits for a state that is newer than the one on screen. A first change
// after quiet is passed on at once, a burst as one.
func (m Model) next(last time.Time) tea.Cmd {
	seq := m.state.Seq
	return func() tea.Msg {
		for {
			s, changed := m.source.State()
			if s.Seq > seq {
				if wait := frame - time.Since(last); wait > 0 {
					time.Sleep(wait)
					s, _ = m.source.State()
				}
				return stateMsg(s)
			}
			<-changed
		}
	}
}

// tick drives the clocks on screen, at each whole second, and nothing else.
func tick() tea.Cmd {
	return tea.Every(time.Second, func(t time.Time) tea.Msg { return clockMsg(t) })
}

// Update takes one message.
func (m Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.size = view.Size{W: msg.Width, H: msg.Height}
	case stateMsg:
		m = m.observed(rehearsal.State(msg), time.Now())
		return m, m.next(m.now)
	case clockMsg:
		m.now = time.Time(msg)
		return m, tick()
	case playMsg:
		return m.played(msg)
	case copiedMsg:
		m.message, m.refused = string(msg), nil
	case seenMsg:
		m.seen = true
	case tea.KeyMsg:
		return m.keyed(msg)
	}
	return m, nil
}

// observed takes a state and the time at which it is looked at.
func (m Model) observed(s rehearsal.State, now time.Time) Model {
	m.state, m.now = s, now
	if m.follows && len(s.Plan.Steps) > 0 {
		m.page = s.Plan.Current
	}
	if _, ok := s.World.Server(m.selected); !ok && len(s.World.Servers) > 0 {
		m.selected = s.World.Servers[0].Node.Name
	}
	if m.refused != nil && m.refused(m) != m.message { // that is over
		m.message, m.refused = "", nil
	}
	return m
}

// keyed takes what was typed. Keys do nothing before anything is drawn or while
// nothing can be, and a paste is not typing. Keys that come in one read are one message for the
// library; each of them counts here.
func (m Model) keyed(k tea.KeyMsg) (tea.Model, tea.Cmd) {
	if k.Paste || !m.seen || tooSmall(m.size) && m.asking == nil && k.Type != tea.KeyCtrlC {
		return m, nil
	}
	if k.Type != tea.KeyRunes || len(k.Runes) < 2 {
		return m.pressed(k)
	}
	var cmds []tea.Cmd
	for _, r := range k.Runes {
		next, cmd := m.pressed(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}, Alt: k.Alt})
		m = next.(Model)
		cmds = append(cmds, cmd)
	}
	return m, tea.Batch(cmds...)
}

// pressed takes one key: what waits for an answer first, then the table.
func (m Model) pressed(k tea.KeyMsg) (tea.Model, tea.Cmd) {
	m.message, m.refused = "", nil
	switch {
	case m.asking != nil:
		return m.answered(k)
	case m.over != nil && k.Type != tea.KeyCtrlC && k.String() != "q":
		return m.overlaid(k)
	case m.typing:
		return m.typed(k), nil
	}
	for _, c := range m.commands() {
		if !key.Matches(k, c.binding) {
			continue
		}
		if why := c.off(m); why != "" {
			m.message, m.refused = why, c.off
			return m, nil
		}
		return c.do(m)
	}
	return m, nil
}

// answered takes the answer to a question: only y is yes. Ctrl+C twice quits.
func (m Model) answered(k tea.KeyMsg) (tea.Model, tea.Cmd) {
	q := m.asking
	m.asking = nil
	if s := k.String(); s == "y" || s == "Y" || s == "ctrl+c" && m.quitting {
		return q.yes(m)
	}
	m.quitting, m.message = false, "no: nothing was done"
	return m, nil
}

func (m Model) typed(k tea.KeyMsg) Model {
	switch k.Type {
	case tea.KeyEnter:
		m.typing = false
	case tea.KeyEsc, tea.KeyCtrlC:
		m.typing, m.filter.Text = false, ""
	case tea.KeyBackspace:
		if r := []rune(m.filter.Text); len(r) > 0 {
			m.filter.Text = string(r[:len(r)-1])
		}
	case tea.KeyRunes, tea.KeySpace:
		m.filter.Text += string(k.Runes)
	}
	m.back = 0
	return m
}

// current is the step that the plan is at.
func (m Model) current() (upgrade.StepProgress, bool) { return m.state.Plan.Step() }

// shown is the step on the page that is read.
func (m Model) shown() (upgrade.StepProgress, bool) {
	if m.page < 0 || m.page >= len(m.state.Plan.Steps) {
		return upgrade.StepProgress{}, false
	}
	return m.state.Plan.Steps[m.page], true
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
