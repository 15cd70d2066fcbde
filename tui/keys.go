package tui

import (
	"fmt"
	"slices"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"nats-roll/cluster"
	"nats-roll/tui/view"
	"nats-roll/upgrade"
)

// command is one thing a key can do: what the footer and the help say, when it
// is off and why, and what it does.
type command struct {
	binding key.Binding
	group   string
	short   string                             // what it does in a word or two, for small screens
	foot    bool                               // shown in the footer, in those words
	acts    bool                               // it does something to servers, or to the plan
	off     func(m Model) string               // why it does nothing now; empty when it does
	do      func(m Model) (tea.Model, tea.Cmd) // only called when it is on
}

// KeyHelp is a key as the documentation lists it.
type KeyHelp struct{ Group, Keys, Does, Short string }

func bind(keys, shown, does string, more ...string) key.Binding {
	return key.NewBinding(key.WithKeys(append([]string{keys}, more...)...), key.WithHelp(shown, does))
}

const (
	groupPlan    = "The plan"
	groupServers = "The selected server"
	groupScreen  = "The screen"
	groupTape    = "A recording"
)

// The tables of keys: dispatch, footer, help and the list in the documentation read
// them. A recording has keys of its own, and those of commands that it leaves free;
// replay is both. (They are filled in init, since entries use the model and the model
// uses the tables.)
var commands, tapeCommands, replay []command

func init() {
	commands = []command{
		{binding: bind("enter", "⏎", "do the step, or turn to the next"), group: groupPlan, short: "do, or next", acts: true, off: enterOff, do: enter},
		{binding: bind("f", "f", "go on although a check does not hold"), group: groupPlan, short: "force", acts: true, off: forceOff, do: force},
		{binding: bind("r", "r", "put the old binary back and start it"), group: groupPlan, short: "roll back", acts: true, off: backOff, do: back},
		{binding: bind("u", "u", "take the last step back"), group: groupPlan, short: "take back", acts: true, off: undoOff, do: undo(false)},
		{binding: bind("a", "a", "take it back and do it again"), group: groupPlan, short: "do again", acts: true, off: undoOff, do: undo(true)},
		{binding: bind("J", "J", "go to the step that is read, back or on"), group: groupPlan, short: "go here", acts: true, off: goOff, do: goHere},
		{binding: bind("o", "o", "go on where you stopped the last time"), group: groupPlan, short: "go on", acts: true, off: goOnOff, do: goOn},
		{binding: bind("left", "← →", "leaf back and forward", "["), group: groupPlan, short: "leaf", off: always, do: leaf(-1)},
		{binding: bind("right", "", "", "]"), off: always, do: leaf(+1)},
		{binding: bind("h", "h", "a hint; once more, how to do it yourself"), group: groupPlan, short: "help with it", acts: true, off: helpOff, do: moreHelp},
		{binding: bind("y", "y", "copy the command"), group: groupPlan, short: "copy the command", acts: true, off: copyOff, do: copyCommand},

		{binding: bind("up", "↑ ↓", "select it", "k"), group: groupServers, short: "server", foot: true, off: always, do: choose(-1)},
		{binding: bind("down", "", "", "j"), off: always, do: choose(+1)},
		{binding: bind("x", "x", "stop it"), group: groupServers, short: "stop", foot: true, acts: true, off: stopOff, do: stop("")},
		{binding: bind("K", "K", "kill it (SIGKILL)"), group: groupServers, short: "kill", foot: true, acts: true, off: stopOff, do: stop(cluster.StopKill)},
		{binding: bind("D", "D", "lame duck mode (SIGUSR2)"), group: groupServers, short: "lame duck", acts: true, off: stopOff, do: stop(cluster.StopLameDuck)},
		{binding: bind("b", "b", "replace its binary"), group: groupServers, short: "replace", foot: true, acts: true, off: replaceOff, do: replace},
		{binding: bind("s", "s", "start it"), group: groupServers, short: "start", foot: true, acts: true, off: startOff, do: start},

		{binding: bind("tab", "tab", "focus the next panel, back with shift"), group: groupScreen, short: "next panel", off: always, do: focus(+1)},
		{binding: bind("shift+tab", "", ""), off: always, do: focus(-1)},
		{binding: bind("z", "z", "give the focused panel the whole screen"), group: groupScreen, short: "zoom", foot: true, off: always, do: zoom},
		{binding: bind("pgup", "pgup pgdn", "scroll the log, or what is focused or zoomed", "ctrl+u"), group: groupScreen, short: "scroll", off: always, do: scroll(+1)},
		{binding: bind("pgdown", "", "", "ctrl+d"), off: always, do: scroll(-1)},
		{binding: bind("G", "G", "follow the log again", "end"), group: groupScreen, short: "follow the log", off: always, do: follow},
		{binding: bind("l", "l", "log of the server, an application, or all"), group: groupScreen, short: "one log, or all", off: always, do: logNode},
		{binding: bind("/", "/", "filter the log"), group: groupScreen, short: "filter", foot: true, off: always, do: filter},
		{binding: bind("t", "t", "read the text, at the passage of the step"), group: groupScreen, short: "the text", off: always, do: opens(&textOverlay)},
		{binding: bind("g", "g", "explain the words on this screen"), group: groupScreen, short: "words", off: always, do: openWords},
		{binding: bind("c", "c", "list everything that was done"), group: groupScreen, short: "what was done", off: always, do: opens(&commandsOverlay)},
		{binding: bind("C", "C", "list chapters and steps, begin another"), group: groupScreen, short: "chapters", off: always, do: openContents},
		{binding: bind("?", "?", "every key"), group: groupScreen, short: "keys", foot: true, off: always, do: opens(&keysOverlay)},
		{binding: bind("esc", "esc", "close what is open; it never quits"), group: groupScreen, short: "close", off: always, do: escape},
		{binding: bind("q", "q", "stop the servers and quit", "ctrl+c"), group: groupScreen, short: "quit", foot: true, off: always, do: quit},
	}
	tapeCommands = []command{
		{binding: bind(" ", "space", "pause, or play on"), group: groupTape, short: "play/pause", foot: true, off: playOff, do: pause},
		{binding: bind("left", "← →", "one event back or forward"), group: groupTape, short: "event", foot: true, off: playOff, do: step(-1)},
		{binding: bind("right", "", ""), off: playOff, do: step(+1)},
		{binding: bind("[", "[ ]", "to the end of the step before, or the next"), group: groupTape, short: "step", foot: true, off: playOff, do: planStep(-1)},
		{binding: bind("]", "", ""), off: playOff, do: planStep(+1)},
		{binding: bind("+", "+ −", "faster, slower: ×64 to ×¼; also > <", "=", ">", "."), group: groupTape, short: "speed", foot: true, off: always, do: faster(+1)},
		{binding: bind("-", "", "", "_", "<", ","), off: always, do: faster(-1)},
		{binding: bind("g", "g G", "to the beginning, to the end", "home"), group: groupTape, short: "begin, end", off: playOff, do: first},
		{binding: bind("G", "", "", "end"), off: playOff, do: last},
		{binding: bind("C", "C", "list the steps"), group: groupScreen, short: "steps", off: always, do: openContents},
		{binding: bind("w", "w", "explain the words on this screen"), group: groupScreen, short: "words", off: always, do: openWords},
		{binding: bind("q", "q", "leave the recording", "ctrl+c"), group: groupScreen, short: "leave", foot: true, off: always, do: leave},
	}
	replay = overlaid(tapeCommands, commands)
}

// overlaid is one table before another: keys that the first has are gone from the
// second, and of what acts on servers only the refusal stays. What ends it stays last.
func overlaid(first, second []command) []command {
	end := len(first) - 1
	out := slices.Clone(first[:end])
	for _, c := range second {
		if slices.ContainsFunc(first, func(f command) bool { return overlap(f.binding.Keys(), c.binding.Keys()) }) {
			continue
		}
		if c.acts {
			c = command{binding: bind(c.binding.Keys()[0], "", ""), off: isRecording}
		}
		out = append(out, c)
	}
	return append(out, first[end])
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(k string) bool { return slices.Contains(b, k) })
}

func isRecording(Model) string {
	return "this is a recording: nothing can be done to its servers; ? lists the keys"
}

// commands is the table of keys that is in force.
func (m Model) commands() []command {
	if m.recorded() {
		return replay
	}
	return commands
}

// KeyTable lists every key for the documentation: of a rehearsal, and those that a
// recording has of its own.
func KeyTable() []KeyHelp { return append(table(commands), table(tapeCommands)...) }

func table(of []command) []KeyHelp {
	var out []KeyHelp
	for _, c := range of {
		if h := c.binding.Help(); h.Key != "" {
			out = append(out, KeyHelp{c.group, h.Key, h.Desc, c.short})
		}
	}
	return out
}

func always(Model) string { return "" }

// notReady says why there is no plan yet, or why there will be none.
func notReady(m Model) string {
	if view.Hopeless(m.state) {
		return "this cannot begin: a nats-server that was asked for is not to be had"
	}
	return "wait: the servers' binaries are not ready yet"
}

func enterOff(m Model) string {
	if m.page < 0 && len(m.state.Plan.Steps) == 0 {
		return notReady(m)
	}
	if m.state.Plan.Outcome == upgrade.OutcomeFailed && m.page < len(m.state.Plan.Steps) && m.page <= m.state.Plan.Current {
		return "the plan has ended: " + m.state.Plan.Reason
	}
	if st, ok := m.current(); ok && m.page == m.state.Plan.Current {
		switch st.Status {
		case upgrade.Acting, upgrade.Checking, upgrade.Returning, upgrade.Undoing:
			return underWay(st) + m.fallen(st.Node)
		case upgrade.Pending:
			return "wait: the slots are being filled"
		}
	}
	if m.page >= len(m.state.Plan.Steps) && len(m.state.Plan.Steps) > 0 {
		return "this is the end of the plan; q quits, and the server keys still work"
	}
	return ""
}

// underWay says what a step is in the middle of.
func underWay(st upgrade.StepProgress) string {
	switch {
	case st.Status == upgrade.Returning:
		return fmt.Sprintf("wait: %s goes back to what it was", st.Node)
	case st.Reversed:
		return "wait: " + lowerFirst(st.Title) + " is being taken back"
	}
	return "wait: " + lowerFirst(st.Title) + " is under way"
}

// fallen names a server that ended without being asked, other than the one that a step
// works on, and the keys that start it.
func (m Model) fallen(but string) string {
	for _, s := range m.state.World.Servers {
		if e := s.Process.Exit; e != nil && !e.Asked && s.Node.Name != but {
			return fmt.Sprintf("; %s is down: select it with ↑ ↓, and s starts it", s.Node.Name)
		}
	}
	return ""
}

func helpOff(m Model) string {
	st, ok := m.shown()
	switch {
	case !ok:
		return "there is help with each step; g explains the words, ? lists the keys"
	case st.Status.Over():
		return lowerFirst(st.Title) + " is done: what was seen stands here"
	case view.NoHelp.Next(st) == view.NoHelp:
		return "there is no more to say about it"
	}
	return ""
}

func forceOff(m Model) string {
	if st, ok := m.current(); ok && (st.Status == upgrade.Stuck || st.Status == upgrade.Blocked) {
		return ""
	}
	return "nothing to force: no step is stuck"
}

func backOff(m Model) string {
	st, ok := m.current()
	switch {
	case !ok || len(st.Back) == 0:
		return "nothing to roll back: that is for the steps that upgrade a server"
	case busy(st), st.Reversed:
		return underWay(st)
	}
	return ""
}

// busy says that a step cannot be interrupted now.
func busy(st upgrade.StepProgress) bool {
	switch st.Status {
	case upgrade.Acting, upgrade.Returning, upgrade.Undoing, upgrade.Pending:
		return true
	default:
		return false
	}
}

// leadOff says why the plan cannot be led elsewhere.
func leadOff(m Model) string {
	p := m.state.Plan
	st, ok := m.current()
	switch {
	case len(p.Steps) == 0:
		return "there is no plan yet"
	case ok && p.Outcome != "":
		return "the plan has ended: " + p.Reason
	case ok && st.Reversed:
		return lowerFirst(st.Title) + " is being taken back; ⏎ tries again"
	case ok && busy(st) && st.Status != upgrade.Pending: // that will take the word
		return underWay(st)
	}
	return ""
}

func undoOff(m Model) string {
	if why := leadOff(m); why != "" {
		return why
	}
	last := m.state.Plan.Last()
	if last < 0 {
		return "nothing was done yet that could be taken back"
	}
	return finalOff(m, last)
}

func finalOff(m Model, to int) string {
	if _, final := m.state.Plan.Reversal(to); final != nil {
		return fmt.Sprintf("%s cannot be taken back: %s", lowerFirst(final.Title), final.NoUndo)
	}
	return ""
}

func goOnOff(m Model) string {
	switch {
	case m.offer == nil:
		return "there is nothing to go on with"
	case len(m.state.Plan.Steps) == 0:
		return notReady(m)
	case !m.offers():
		return "this rehearsal has begun; what you did the last time is behind you"
	}
	return ""
}

// offers says that the person can go on where they stopped the last time.
func (m Model) offers() bool {
	st, ok := m.current()
	waits := st.Status == upgrade.Pending || st.Status == upgrade.Blocked || st.Status == upgrade.Ready // nothing was done
	return m.offer != nil && ok && m.state.Plan.Current == 0 && waits && len(m.state.Plan.Taken) == 0
}

func goOff(m Model) string {
	if why := leadOff(m); why != "" {
		return why
	}
	switch p := m.state.Plan; {
	case m.page < 0 || m.page >= len(p.Steps):
		return "leaf to a step with ← →, and J goes there"
	case m.page == p.Current && m.page > p.Last():
		return "the plan is here"
	case m.page <= p.Last():
		return finalOff(m, m.page)
	}
	return ""
}

func copyOff(m Model) string {
	if st, ok := m.shown(); !ok || st.Command == "" {
		return "there is no command here to copy"
	}
	return ""
}

func (m Model) selectedServer() cluster.Server {
	s, _ := m.state.World.Server(m.selected)
	return s
}

func stopOff(m Model) string {
	s := m.selectedServer()
	switch {
	case s.Node.Name == "":
		return "there is no server yet"
	case !s.Process.Alive():
		return s.Node.Name + " does not run"
	}
	return ""
}

func startOff(m Model) string {
	s := m.selectedServer()
	switch {
	case s.Node.Name == "":
		return "there is no server yet"
	case s.Process.Alive():
		return s.Node.Name + " runs already"
	case s.Disk.Zero():
		return s.Node.Name + " has no binary"
	}
	return ""
}

func replaceOff(m Model) string {
	s := m.selectedServer()
	to, from := m.state.Plan.Outline.To.Of(s.Node.Name), m.state.Plan.Outline.From.Of(s.Node.Name)
	switch {
	case s.Node.Name == "" || to.Zero():
		return "there is no server yet"
	case !s.Node.Permanent:
		return s.Node.Name + " is temporary and has the new binary already"
	case s.Disk.Same(to) && !from.Same(to):
		return fmt.Sprintf("the file of %s is %s already", s.Node.Name, to)
	}
	return ""
}
