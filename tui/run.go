package tui

import (
	"context"
	"io"
	"os"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"golang.org/x/term"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/tui/theme"
	"nats-roll/tui/view"
)

// Options says what to show and whom to ask.
type Options struct {
	Recording  *rehearsal.Recording // shown instead of what Source gives; then there is no Control
	Source     Source
	Control    Control
	In         io.Reader
	Out        *os.File
	Stop       cluster.Stop // the way that x stops a server
	Background theme.Background
	Keep       bool              // the servers outlive the program
	Offer      *Offer            // where the last rehearsal stopped; nil if nowhere
	Resumed    bool              // it goes on from there already
	Walked     map[string]Walked // the chapters that were walked to their end on this machine, by name
}

// Offer is where a rehearsal stopped, and how it was begun.
type Offer = view.Offer

// Walked is how a chapter was last walked to its end.
type Walked = view.Walked

// frames is how often a second the terminal is looked at for something new to
// draw. More costs idle time, less makes the first frame late.
const frames = 60

// Run shows the screen until the person quits or the context ends.
func Run(ctx context.Context, o Options) error {
	m := New(o, theme.Detect(o.Out, os.Getenv, o.Background))
	if w, h, err := term.GetSize(int(o.Out.Fd())); err == nil {
		m.size = view.Size{W: w, H: h} // the first frame needs no answer of the terminal
	}
	p := tea.NewProgram(m,
		tea.WithContext(ctx), tea.WithoutSignalHandler(), tea.WithAltScreen(),
		tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithFPS(frames),
		tea.WithFilter(clipboard(o.Out)),
	)
	if _, err := p.Run(); ctx.Err() == nil {
		return err
	}
	return nil // ended from outside, which is the caller's to tell
}

// New makes the model with a theme. A recording is played at once.
func New(o Options, t theme.Theme) Model {
	if o.Recording != nil {
		return Model{theme: t, page: -1}.shows(tape{rec: o.Recording, playing: true, at: o.Recording.Time(0)})
	}
	s, _ := o.Source.State()
	return Model{source: o.Source, control: o.Control, theme: t, stop: o.Stop, keep: o.Keep, walked: o.Walked, state: s, now: time.Now(), page: -1, offer: o.Offer, follows: o.Resumed}
}

// clipboard writes what is to be copied to the terminal itself. The sequence
// draws nothing, so it does not matter between which frames it comes.
func clipboard(out io.Writer) func(tea.Model, tea.Msg) tea.Msg {
	return func(_ tea.Model, msg tea.Msg) tea.Msg {
		if seq, ok := msg.(clipboardMsg); ok {
			_, _ = io.WriteString(out, string(seq))
			return nil
		}
		return msg
	}
}
