package tui

import (
	"fmt"
	"slices"
	"strings"

	"nats-roll/tui/view"
)

// Below this, nothing can be drawn that is worth reading.
const (
	minWidth  = 60
	minHeight = 16
)

func tooSmall(s view.Size) bool { return s.W < minWidth || s.H < minHeight }

// From here on, panels stand side by side.
const (
	wideWidth  = 110
	wideHeight = 30
)

// View draws the screen, exactly as many lines as it has.
func (m Model) View() string {
	if m.size.W == 0 {
		return ""
	}
	var lines []string
	switch {
	case tooSmall(m.size):
		note := fmt.Sprintf("nats-roll needs %d×%d cells, this is %d×%d. Keys are off but Ctrl+C.", minWidth, minHeight, m.size.W, m.size.H)
		if m.asking != nil {
			note = m.asking.text + " y/n"
		}
		return strings.Join(view.Fit(view.Wrap(note, m.size.W), m.size), "\n")
	case m.over != nil:
		lines = m.overlayPage()
	case m.zoomed:
		lines = m.zoomPage()
	case m.size.W >= wideWidth && m.size.H >= wideHeight:
		lines = m.widePage()
	default:
		lines = m.narrowPage()
	}
	above := append([]string{m.header()}, view.Fit(lines, m.body())...)
	return strings.Join(view.Fit(slices.Concat(above, m.tapeLines(), m.footer()), m.size), "\n")
}

// body is the room between the header and what is at the bottom.
func (m Model) body() view.Size {
	return view.Size{W: m.size.W, H: m.size.H - 1 - len(m.tapeLines()) - len(m.footer())}
}

// widePage is for 110 columns and more: the step at the left, the cluster at the
// right, time below.
func (m Model) widePage() []string {
	b := m.body()
	traffic := 5
	log := max(6, b.H/4)
	if b.H >= 50 {
		traffic, log = 8, b.H/3
	}
	top := b.H - traffic - log
	left := b.W * 52 / 100
	right := b.W - left
	nodes := len(m.state.World.Servers)
	// Each row of a server can have a remark below it.
	servers := max(3+1, nodes+m.remarks()+3)
	routes := max(3, nodes+1+2)
	if nodes == 0 {
		servers, routes = 4, 3
	}
	clients := top - servers - routes
	if clients < 6 { // the mesh in words then
		routes = min(3, max(0, top-servers))
		clients = max(0, top-servers-routes)
	}
	column := append(m.servers(view.Size{W: right, H: servers}), m.routes(view.Size{W: right, H: routes})...)
	column = append(column, m.clients(view.Size{W: right, H: clients})...)
	lines := view.Beside(m.step(view.Size{W: left, H: top}), view.Fit(column, view.Size{W: right, H: top}))
	lines = append(lines, m.traffic(view.Size{W: b.W, H: traffic})...)
	return append(lines, m.log(view.Size{W: b.W, H: log})...)
}

// narrowPage is for small screens: step and servers stay, the rest is a line
// each and a few lines of log.
func (m Model) narrowPage() []string {
	b := m.body()
	rows := min(max(1, len(m.state.World.Servers)), max(3, b.H/4))
	log := 2
	if b.H >= 28 {
		log = b.H/3 - 2
	}
	step := b.H - rows - 1 - 2 - log
	lines := m.step(view.Size{W: b.W, H: step})
	lines = append(lines, m.serverLines(view.Size{W: b.W, H: rows + 1})...)
	lines = append(lines, " "+view.ClientLine(m.theme, m.state.World, m.state.Plan.Predicted(), b.W-2), " "+m.theme.Dim.Render("Traffic  ")+m.trafficLine())
	if m.filter != (view.LogFilter{}) || m.back > 0 { // or nobody knows why so few lines are there
		lines = append(lines, " "+m.theme.Dim.Render("Log  ")+m.logWhat()+"  "+m.logAside())
		log--
	}
	for _, l := range view.Log(m.theme, m.state, m.filter, m.back, view.Size{W: b.W - 2, H: log}) {
		lines = append(lines, " "+l)
	}
	return lines
}

func (m Model) trafficLine() string {
	title := view.TrafficTitle(m.theme, m.state, m.now)
	if title == "" {
		return m.theme.Dim.Render("none yet")
	}
	return title
}

func (m Model) remarks() int {
	n := 0
	for _, s := range m.state.World.Servers {
		if view.Remarked(m.theme, s) {
			n++
		}
	}
	return n
}

// zoomPage gives the focused panel everything. It has no sides, so that what is
// copied with the mouse has none.
func (m Model) zoomPage() []string {
	b := m.body()
	size := view.Size{W: b.W, H: b.H - 1}
	if m.focus == stepPanel {
		size.H = view.Endless
	}
	title, aside, lines := m.content(m.focus, size)
	if over := len(lines) - (b.H - 1); over > 0 && m.focus == stepPanel {
		down := min(m.down, over)
		aside += m.theme.Dim.Render(fmt.Sprintf("  lines %d to %d of %d: pgup pgdn", down+1, down+b.H-1, len(lines)))
		lines = lines[down : down+b.H-1]
	}
	return append([]string{title + "  " + aside}, lines...)
}

// content is a panel's title, aside and lines.
func (m Model) content(p panel, size view.Size) (title, aside string, lines []string) {
	t := m.theme
	switch p {
	case serversPanel:
		return t.Strong.Render("Servers"), "", view.Servers(t, m.state.World, m.now, m.selected, size)
	case routesPanel:
		return t.Strong.Render("Routes"), "", view.Routes(t, m.state.World, size)
	case clientsPanel:
		n := len(m.state.World.Fleet.Clients)
		if s := len(m.state.World.Strangers()); s > 0 {
			n += s
			aside = t.Strong.Render(fmt.Sprintf("%d of them yours", s)) + "  "
		}
		if which := view.ClientRange(m.state.World, m.state.Plan.Predicted(), m.rows, size); which != "" {
			aside += t.Dim.Render(which)
		}
		return t.Strong.Render(fmt.Sprintf("Clients  %d", n)), aside, view.Clients(t, m.state.World, m.state.Plan.Predicted(), m.now, m.rows, size)
	case trafficPanel:
		title = t.Strong.Render("Traffic")
		if size.W >= 100 {
			title += "  " + t.Dim.Render(view.TrafficLegend(m.state, m.now, size.W))
		}
		return title, view.TrafficTitle(t, m.state, m.now), view.Traffic(t, m.state, m.now, size)
	case logPanel:
		return t.Strong.Render("Log") + "  " + m.logWhat(), m.logAside(), view.Log(t, m.state, m.filter, m.back, size)
	case stepPanel, panels:
	}
	return m.stepContent(size)
}

func (m Model) stepContent(size view.Size) (title, aside string, lines []string) {
	t := m.theme
	steps := m.state.Plan.Steps
	prompt := func(live string) string {
		if m.recorded() {
			return view.Outlook(t, m.state, m.page)
		}
		return live
	}
	switch st, ok := m.shown(); {
	case ok:
		next := ""
		if n := m.nextPage(); n < len(steps) {
			next = steps[n].Title
		}
		if m.recorded() {
			st.Shell = "" // nobody can type it there now
		}
		title, aside = view.StepTitle(t, m.page+1, st, m.now)
		live := view.Prompt(t, st, m.level(), next)
		if m.page > m.state.Plan.Current {
			live = view.Ahead(t)
		}
		return title, aside, view.Step(t, st, m.level(), prompt(live), size)
	case m.page < 0:
		know := view.Live
		if m.recorded() {
			know = view.Past
		}
		return t.Step.Render("Welcome"), "", view.Intro(t, m.state, m.offer, know, prompt(view.IntroPrompt(t, m.state, m.offers())), size)
	default:
		return t.Step.Render("What it came to"), "", view.Summary(t, m.state, prompt(view.SummaryPrompt(t)), size)
	}
}

func (m Model) framed(p panel, size view.Size) []string {
	title, aside, lines := m.content(p, view.Inner(size))
	return view.Panel(m.theme, title, aside, m.focus == p, lines, size)
}

func (m Model) step(s view.Size) []string    { return m.framed(stepPanel, s) }
func (m Model) servers(s view.Size) []string { return m.framed(serversPanel, s) }
func (m Model) routes(s view.Size) []string  { return m.framed(routesPanel, s) }
func (m Model) clients(s view.Size) []string { return m.framed(clientsPanel, s) }
func (m Model) traffic(s view.Size) []string { return m.framed(trafficPanel, s) }
func (m Model) log(s view.Size) []string     { return m.framed(logPanel, s) }

// serverLines is the servers' table without a frame, each with its peers.
func (m Model) serverLines(size view.Size) []string {
	inner := size.W - 2
	servers := m.state.World.Servers
	first := 0
	for i, s := range servers {
		if s.Node.Name == m.selected && i >= size.H-1 {
			first = i - (size.H - 2)
		}
	}
	lines := []string{" " + view.ServerHead(m.theme, len(servers)-(size.H-1), inner)}
	for _, s := range servers[first:min(len(servers), first+size.H-1)] {
		lines = append(lines, " "+view.ServerLine(m.theme, m.state.World, s, m.now, s.Node.Name == m.selected, inner))
	}
	return view.Fit(lines, size)
}

func (m Model) logWhat() string {
	what := "of all"
	if m.filter.Node != "" {
		what = "of " + m.filter.Node
	}
	if m.filter.Text != "" {
		what += ", with “" + m.filter.Text + "”"
	}
	return m.theme.Dim.Render(what)
}

func (m Model) logAside() string {
	if m.back > 0 {
		way := "G follows"
		if m.recorded() { // where G is the end
			way = "pgdn leads down"
		}
		return m.theme.Warn.Render(fmt.Sprintf("%d lines up; %s", m.back, way))
	}
	switch {
	case m.state.Skipped > 0 && m.recorded():
		return m.theme.Dim.Render(fmt.Sprintf("%d were left out", m.state.Skipped))
	case m.state.Skipped > 0:
		return m.theme.Dim.Render(fmt.Sprintf("%d more in the files", m.state.Skipped))
	}
	return ""
}

func (m Model) header() string {
	elapsed := ""
	if b := m.state.Began; !b.IsZero() {
		end := m.now
		if !m.state.Plan.Ended.IsZero() {
			end = m.state.Plan.Ended
		}
		elapsed = view.Clock(end.Sub(b))
	}
	return view.Header(m.theme, m.state, m.page, elapsed, m.recorded(), m.size.W)
}

// mostFoot is how many lines the footer takes at most, for what is long.
const mostFoot = 3

// footer is a question, a message, or the keys that do something now: a line, or
// more if a question or a message is long.
func (m Model) footer() []string {
	t := m.theme
	switch {
	case m.asking != nil:
		lines := m.foot(m.asking.text, m.size.W-answers)
		for i, l := range lines {
			lines[i] = t.Bar.Render(" " + l + " ")
		}
		lines[len(lines)-1] += "  " + t.Key.Render("y") + " yes   " + t.Key.Render("n") + " no"
		return lines
	case m.typing:
		return []string{" " + t.Key.Render("filter the log: ") + m.filter.Text + t.Key.Render("▏") + t.Dim.Render("  ⏎ keep   esc clear")}
	case m.message != "":
		return m.told(m.message)
	}
	if n := len(m.state.Notes); n > 0 && !m.recorded() && m.now.Sub(m.state.Notes[n-1].At) < noteTime {
		return m.told(view.Clean(m.state.Notes[n-1].Text))
	}
	if m.over != nil {
		return []string{view.Keys(m.overlayKeys(), m.size.W)}
	}
	var parts []string
	for _, c := range m.commands() {
		h := c.binding.Help()
		if !c.foot || h.Key == "" {
			continue
		}
		parts = append(parts, t.Key.Render(h.Key)+" "+t.Dim.Render(c.short))
	}
	return []string{view.Keys(parts, m.size.W)}
}

// told is a message in the footer.
func (m Model) told(text string) []string {
	lines := m.foot(text, m.size.W-2)
	for i, l := range lines {
		lines[i] = " " + m.theme.Warn.Render(l)
	}
	return lines
}

// foot breaks a text for the footer.
func (m Model) foot(text string, w int) []string {
	lines := view.Wrap(text, max(w, 1))
	return lines[:min(len(lines), mostFoot)]
}

// noteTime is how long a note stays in the footer, in seconds of the clock.
const noteTime = 8e9
