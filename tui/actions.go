package tui

import (
	"cmp"
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"nats-roll/cluster"
	"nats-roll/tui/view"
	"nats-roll/upgrade"
)

// enter does the step that is read if it is the current one, and turns the page
// otherwise. From an old page it goes to the current one and acts on nothing.
func enter(m Model) (tea.Model, tea.Cmd) {
	m.follows = false
	p := m.state.Plan
	if st, ok := m.shown(); ok && m.page == p.Current && !st.Status.Over() {
		m.control.Go(st.ID)
		return m, nil
	}
	if a := p.Outline.Advice; m.page < 0 && p.Current == 0 && len(a.Blocking()) > 0 {
		return m.ask(fmt.Sprintf("%s Rehearse it all the same?", a.Blocking()[0].Text), func(m Model) (tea.Model, tea.Cmd) {
			m.page = m.nextPage()
			return m, nil
		})
	}
	m.page, m.down = m.nextPage(), 0
	return m, nil
}

// nextPage is where Enter leads from a page on which there is nothing to do: the
// next one, or the current one if that is further on, or is not reached yet.
func (m Model) nextPage() int {
	if p := m.state.Plan; m.page >= 0 && m.page != p.Current && m.page != p.Current-1 {
		return p.Current
	}
	return m.page + 1
}

func force(m Model) (tea.Model, tea.Cmd) {
	st, _ := m.current()
	return m.ask(fmt.Sprintf("Go on although “%s” is not what it should be?", st.Title), func(m Model) (tea.Model, tea.Cmd) {
		m.control.Force(st.ID)
		return m, nil
	})
}

// back brings the old server of the current step's node back.
func back(m Model) (tea.Model, tea.Cmd) {
	st, _ := m.current()
	text := fmt.Sprintf("Put %s back into %s and start it?", m.state.Plan.Outline.From.Of(st.Node), st.Node)
	return m.ask(text, func(m Model) (tea.Model, tea.Cmd) {
		m.control.Back(st.ID)
		return m, nil
	})
}

// undo takes the last step back; with again, to do it once more.
func undo(again bool) func(Model) (tea.Model, tea.Cmd) {
	return func(m Model) (tea.Model, tea.Cmd) {
		p := m.state.Plan
		step := m.currentID()
		if again {
			title := lowerFirst(p.Steps[p.Last()].Title)
			return m.askLeading(p.Last(), func(string) string { return "Take back and do again: " + title + "?" }, func() { m.control.Again(step) })
		}
		return m.askLeading(p.Last(), takesBack, func() { m.control.Undo(step) })
	}
}

// goHere leads the plan to the step that is read.
func goHere(m Model) (tea.Model, tea.Cmd) {
	p, step, to := m.state.Plan, m.currentID(), m.page
	do := func() { m.control.To(step, p.Steps[to].ID) }
	if to <= p.Last() {
		return m.askLeading(to, takesBack, do)
	}
	var titles []string
	order := ""
	for i, st := range p.Steps[p.Current:to] {
		titles = append(titles, lowerFirst(st.Title))
		if next := p.Steps[p.Current+i+1]; next.Turn != "" && (next.Turn != st.Turn || next.Node != st.Node) { // a turn begins
			order = " Who leads comes last: turns can change places."
		}
	}
	text := "Do it without stopping: " + titles[0] + "?"
	if n := len(titles); n > 1 && order != "" {
		goal := p.Steps[to].Title
		text = m.fitting(
			fmt.Sprintf("Do what comes before “%s” without stopping, now %d steps?", goal, n)+order,
			fmt.Sprintf("Do what comes before “%s”? Turns can change places.", goal))
	} else if n > 1 {
		text = m.fitting(
			fmt.Sprintf("Do %d steps without stopping: %s?", n, strings.Join(titles, ", ")),
			fmt.Sprintf("Do %d steps without stopping, up to “%s”?", n, titles[n-1]))
	}
	return m.ask(text, func(m Model) (tea.Model, tea.Cmd) {
		do()
		m.follows, m.down = true, 0
		return m, nil
	})
}

// goOn goes on where the last rehearsal stopped.
func goOn(m Model) (tea.Model, tea.Cmd) {
	if !m.control.GoOn() {
		return m, tea.Quit
	}
	m.follows, m.down = true, 0
	return m, nil
}

func takesBack(what string) string { return "Take back " + what + "?" }

// askLeading asks whether the steps down to this one shall be taken back.
func (m Model) askLeading(to int, asks func(what string) string, do func()) (tea.Model, tea.Cmd) {
	steps, _ := m.state.Plan.Reversal(to)
	var titles []string
	loses := ""
	for _, st := range steps {
		titles = append(titles, lowerFirst(st.Title))
		if st.Loses != "" {
			loses = " " + strings.ToUpper(st.Loses[:1]) + st.Loses[1:] + "."
		}
	}
	last := titles[len(titles)-1]
	what, short := last, last
	if n := len(titles); n > 1 {
		what, short = fmt.Sprintf("%d steps: %s", n, strings.Join(titles, ", ")), fmt.Sprintf("%d steps, down to “%s”", n, last)
	}
	return m.ask(m.fitting(asks(what)+loses, asks(short)+loses), func(m Model) (tea.Model, tea.Cmd) {
		do()
		m.follows, m.down = true, 0
		return m, nil
	})
}

// answers is the room for the keys that answer a question, and the edges.
const answers = 20

// fitting is a question in full if there is room for it in two lines.
func (m Model) fitting(full, short string) string {
	if len(m.foot(full, m.size.W-answers)) > 2 {
		return short
	}
	return full
}

// currentID is the step that the plan is at; empty at the end.
func (m Model) currentID() string {
	st, _ := m.current()
	return st.ID
}

func leaf(by int) func(Model) (tea.Model, tea.Cmd) {
	return func(m Model) (tea.Model, tea.Cmd) {
		// What lies ahead can be read; what it came to, when it has.
		last := max(m.state.Plan.Current, len(m.state.Plan.Steps)-1)
		if len(m.state.Plan.Steps) == 0 {
			last = -1
		}
		m.page, m.down, m.follows = max(-1, min(m.page+by, last)), 0, false
		return m, nil
	}
}

// moreHelp shows more help with the step, and none after the most.
func moreHelp(m Model) (tea.Model, tea.Cmd) {
	st, _ := m.shown()
	m.help, m.helped, m.down = m.level().Next(st), m.page, 0
	return m, nil
}

// level is how much help is shown with the step that is read.
func (m Model) level() view.Help {
	if st, ok := m.shown(); !ok || m.helped != m.page || st.Status.Over() {
		return view.NoHelp
	}
	return m.help
}

// copyCommand hands the command to the terminal's clipboard, and to a file: whether
// the terminal has a clipboard, and lets programs write to it, it does not say.
func copyCommand(m Model) (tea.Model, tea.Cmd) {
	st, _ := m.shown()
	text := cmp.Or(st.Shell, st.Command)
	return m, func() tea.Msg { return clipboardMsg(text) }
}

// clipboardMsg is what is to be copied; run.go's filter does it, between frames.
type clipboardMsg string

// copiedMsg says where it was copied to.
type copiedMsg string

func choose(by int) func(Model) (tea.Model, tea.Cmd) {
	return func(m Model) (tea.Model, tea.Cmd) {
		servers := m.state.World.Servers
		for i, s := range servers {
			if s.Node.Name == m.selected {
				m.selected = servers[max(0, min(i+by, len(servers)-1))].Node.Name
				break
			}
		}
		return m, nil
	}
}

// stop ends the selected server. Where that is not what the current step does,
// it asks first.
func stop(how cluster.Stop) func(Model) (tea.Model, tea.Cmd) {
	return func(m Model) (tea.Model, tea.Cmd) {
		way := how
		if way == "" {
			way = m.stop
		}
		node := m.selected
		do := func(m Model) (tea.Model, tea.Cmd) {
			m.control.Stop(node, way)
			return m, nil
		}
		if st, ok := m.current(); ok && m.page == m.state.Plan.Current && st.ID == "stop-"+lowerFirst(node) && st.Status == upgrade.Ready {
			return do(m)
		}
		return m.ask(fmt.Sprintf("Send %s to %s now? It is not what the plan does next.", way.Signal(), node), do)
	}
}

func replace(m Model) (tea.Model, tea.Cmd) {
	m.control.Replace(m.selected)
	return m, nil
}

func start(m Model) (tea.Model, tea.Cmd) {
	m.control.Start(m.selected)
	return m, nil
}

func focus(by panel) func(Model) (tea.Model, tea.Cmd) {
	return func(m Model) (tea.Model, tea.Cmd) {
		m.focus = (m.focus + panels + by) % panels
		return m, nil
	}
}

func zoom(m Model) (tea.Model, tea.Cmd) {
	m.zoomed, m.down = !m.zoomed, 0
	return m, nil
}

func scroll(by int) func(Model) (tea.Model, tea.Cmd) {
	return func(m Model) (tea.Model, tea.Cmd) {
		if m.focus == stepPanel && m.zoomed {
			room := m.body().H - 1
			_, _, lines := m.content(stepPanel, view.Size{W: m.size.W, H: view.Endless})
			m.down = max(0, min(m.down-by*max(1, room-2), len(lines)-room)) // two lines are seen again
			return m, nil
		}
		lines := by * max(1, m.size.H/3)
		if m.focus == clientsPanel {
			m.rows = max(0, min(m.rows-lines, len(m.state.World.Fleet.Clients)))
			return m, nil
		}
		m.back = max(0, min(m.back+lines, m.state.Lines.Len()))
		return m, nil
	}
}

func follow(m Model) (tea.Model, tea.Cmd) {
	m.back, m.rows, m.down = 0, 0, 0
	return m, nil
}

func logNode(m Model) (tea.Model, tea.Cmd) {
	m.back, m.filter.Node = 0, view.NextLog(m.state, m.filter.Node, m.selected)
	return m, nil
}

func filter(m Model) (tea.Model, tea.Cmd) {
	m.typing, m.focus = true, logPanel
	return m, nil
}

func escape(m Model) (tea.Model, tea.Cmd) {
	switch {
	case m.zoomed:
		m.zoomed = false
	default:
		m.filter.Text, m.filter.Node = "", ""
	}
	return m, nil
}

// quit asks, if anything would be stopped by it.
func quit(m Model) (tea.Model, tea.Cmd) {
	alive, guests := 0, []string(nil)
	for _, s := range m.state.World.Servers {
		switch {
		case !s.Process.Alive():
		case s.Process.Guest:
			guests = append(guests, s.Node.Name)
		default:
			alive++
		}
	}
	if alive == 0 && len(guests) == 0 {
		return m, tea.Quit
	}
	m.quitting = true
	servers := fmt.Sprintf("%d servers", alive)
	if alive == 1 {
		servers = "the server"
	}
	text := "Stop " + servers + " and quit?"
	goes := upgrade.List(guests) + ", started by hand, goes on"
	if len(guests) > 1 {
		goes = upgrade.List(guests) + ", started by hand, go on"
	}
	switch {
	case m.keep:
		text = "Leave " + servers + " running and quit?"
	case alive == 0:
		text = "Quit? " + goes + "."
	case len(guests) > 0:
		text += " " + goes + "."
	}
	return m.ask(text, func(m Model) (tea.Model, tea.Cmd) { return m, tea.Quit })
}

func (m Model) ask(text string, yes func(Model) (tea.Model, tea.Cmd)) (tea.Model, tea.Cmd) {
	m.asking = &question{text: text, yes: yes}
	return m, nil
}
