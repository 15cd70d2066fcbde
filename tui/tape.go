package tui

import (
	"fmt"
	"sort"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"nats-roll/rehearsal"
	"nats-roll/tui/view"
	"nats-roll/upgrade"
)

// tape is a recording and where one is in it. It moves by ticks, whose times are
// told to it: nothing here asks a clock. The zero tape is none: then the screen
// shows a rehearsal that goes on.
type tape struct {
	rec     *rehearsal.Recording
	place   int
	at      time.Time // on the recording's clock
	playing bool
	speed   int       // a power of two
	wall    time.Time // of the last tick of this play
	play    int       // ticks of an earlier play are late
}

// The slowest and the fastest, as powers of two: a quarter and 64.
const (
	slowest = -2
	fastest = 6
)

type playMsg struct {
	play int
	at   time.Time
}

func (m Model) recorded() bool { return m.tape.rec != nil }

// stretch is how long a time of the recording lasts, and shrink the other way round.
func (t tape) stretch(d time.Duration) time.Duration {
	if t.speed < 0 {
		return d << -t.speed
	}
	return d >> t.speed
}

func (t tape) shrink(d time.Duration) time.Duration {
	if t.speed < 0 {
		return d >> -t.speed
	}
	return d << t.speed
}

func (t tape) end() time.Time { return t.rec.Time(t.rec.Len()) }

func (t tape) atEnd() bool { return t.place == t.rec.Len() && !t.at.Before(t.end()) }

// ticked moves on by the time since the last tick.
func (t tape) ticked(now time.Time) tape {
	if !t.wall.IsZero() {
		t.at = t.at.Add(t.shrink(now.Sub(t.wall)))
	}
	t.wall = now
	t.place = t.rec.Place(t.at)
	if t.place == t.rec.Len() {
		t.at, t.playing = t.end(), false
	}
	return t
}

// next is when something is to be drawn anew: with the next record, or when the
// clocks on the screen go on.
func (t tape) next() tea.Cmd {
	if !t.playing {
		return nil
	}
	next := t.at.Truncate(time.Second).Add(time.Second)
	if rec := t.rec.Time(t.place + 1); rec.Before(next) {
		next = rec
	}
	play := t.play
	return tea.Tick(max(frame, t.stretch(next.Sub(t.at))), func(now time.Time) tea.Msg { return playMsg{play, now} })
}

// again begins a play at this place.
func (t tape) again() tape {
	t.play++
	t.wall = time.Time{}
	return t
}

// to goes to a place and stays there.
func (t tape) to(place int) tape {
	t.place = max(0, min(place, t.rec.Len()))
	t.at = t.rec.Time(t.place)
	t.playing = false
	return t
}

// shows is the screen at this place of the tape.
func (m Model) shows(t tape) Model {
	m.tape = t
	m = m.observed(t.rec.State(t.place), t.at)
	if page := lastPage(m.state.Plan); page != m.page {
		m.page, m.down = page, 0
	}
	return m
}

// lastPage is the step that is under way, or was last: a recording does not say
// which page was read.
func lastPage(p upgrade.Progress) int {
	if p.Outcome == upgrade.OutcomeVerified {
		return len(p.Steps)
	}
	page := -1
	for i, st := range p.Steps {
		if st.Status != upgrade.Pending && st.Status != upgrade.Ready || !st.Began.IsZero() {
			page = i
		}
	}
	return page
}

func (m Model) played(msg playMsg) (tea.Model, tea.Cmd) {
	if msg.play != m.tape.play || !m.tape.playing {
		return m, nil
	}
	m = m.shows(m.tape.ticked(msg.at))
	return m, m.tape.next()
}

func pause(m Model) (tea.Model, tea.Cmd) {
	t := m.tape
	switch {
	case t.playing:
		t.playing = false
	case t.atEnd():
		t = t.to(0)
		t.playing = true
	default:
		t.playing = true
	}
	m = m.shows(t.again())
	return m, m.tape.next()
}

func faster(by int) func(Model) (tea.Model, tea.Cmd) {
	return func(m Model) (tea.Model, tea.Cmd) {
		m.tape.speed = max(slowest, min(m.tape.speed+by, fastest))
		m.tape = m.tape.again()
		return m, m.tape.next()
	}
}

// step goes to the next moment, or back to the one before.
func step(by int) func(Model) (tea.Model, tea.Cmd) {
	return jump(by, func(rehearsal.Moment) bool { return true })
}

// planStep goes to where the next step had ended, or the one before.
func planStep(by int) func(Model) (tea.Model, tea.Cmd) {
	return jump(by, func(m rehearsal.Moment) bool {
		switch m.Event.(type) {
		case upgrade.StepEnded, upgrade.StepUndone:
			return true
		}
		return false
	})
}

// jump goes to the next moment of a kind, or to the one before; where there is none,
// to the end or the beginning.
func jump(by int, of func(rehearsal.Moment) bool) func(Model) (tea.Model, tea.Cmd) {
	return func(m Model) (tea.Model, tea.Cmd) {
		place := 0
		if by > 0 {
			place = m.tape.rec.Len()
		}
		for _, moment := range m.tape.rec.Moments {
			switch {
			case !of(moment):
			case by < 0 && moment.Place < m.tape.place:
				place = moment.Place
			case by > 0 && moment.Place > m.tape.place:
				place = min(place, moment.Place)
			}
		}
		return m.shows(m.tape.to(place)), nil
	}
}

func first(m Model) (tea.Model, tea.Cmd) { return m.shows(m.tape.to(0)), nil }
func last(m Model) (tea.Model, tea.Cmd)  { return m.shows(m.tape.to(m.tape.rec.Len())), nil }

func leave(m Model) (tea.Model, tea.Cmd) { return m, tea.Quit }

func playOff(m Model) string {
	if m.tape.rec.Len() == 0 {
		return "nothing was recorded"
	}
	return ""
}

// tapeLines is where one is in the recording, below everything else.
func (m Model) tapeLines() []string {
	if !m.recorded() {
		return nil
	}
	return view.TapeLines(m.theme, m.position(), m.size.W, m.size.H < shortHeight)
}

// shortHeight is where the second line begins to be worth its place.
const shortHeight = 20

func (m Model) position() view.Tape {
	t := m.tape
	h := t.rec.Header
	p := view.Tape{
		Began: t.rec.Time(0), At: t.at, Ended: t.end(), Marks: t.rec.Marks,
		State: "paused", Speed: fmt.Sprintf("×%d", 1<<max(0, t.speed)),
		Source: fmt.Sprintf("%s, nats-roll %s", h.Began.Format("2006-01-02 15:04"), view.Clean(h.Tool)),
	}
	if m.size.W >= wideWidth {
		p.Source = "recorded " + p.Source
	}
	switch {
	case t.playing:
		p.State = "playing"
	case t.atEnd():
		p.State = "the end"
	}
	switch t.speed {
	case -1:
		p.Speed = "×½"
	case -2:
		p.Speed = "×¼"
	}
	after := sort.Search(len(t.rec.Moments), func(i int) bool { return t.rec.Moments[i].Place > t.place })
	switch {
	case t.atEnd() && m.state.Plan.Outcome == "":
		p.Happened = "the recording ends here"
	case after > 0:
		p.Happened = view.Happened(t.rec.Moments[after-1].Event, t.rec.Outline)
	}
	return p
}
