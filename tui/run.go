package tui

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	Keep       bool // the servers outlive the program
	Clipboard  Clipboard
	Offer      *Offer            // where the last rehearsal stopped; nil if nowhere
	Resumed    bool              // it goes on from there already
	Walked     map[string]Walked // the chapters that were walked to their end on this machine, by name
}

// Offer is where a rehearsal stopped, and how it was begun.
type Offer = view.Offer

// Clipboard is the file that what is copied is written to, and its name for
// people.
type Clipboard struct{ Path, Name string }

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
		tea.WithFilter(clipboard(o.Out, o.Clipboard)),
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

// clipboard writes what is to be copied to the terminal (OSC 52) and to the file. The
// sequence draws nothing, so it does not matter between which frames it comes.
func clipboard(out io.Writer, file Clipboard) func(tea.Model, tea.Msg) tea.Msg {
	return func(_ tea.Model, msg tea.Msg) tea.Msg {
		text, ok := msg.(clipboardMsg)
		if !ok {
			return msg
		}
		_, _ = io.WriteString(out, "\x1b]52;c;"+base64.StdEncoding.EncodeToString([]byte(text))+"\x07")
		if err := file.write(string(text)); err != nil {
			return copiedMsg("copied, if this terminal has a clipboard; not to a file: " + err.Error())
		}
		return copiedMsg("copied: terminal's clipboard, if any, and " + file.Name)
	}
}

// write makes this the content of the file, which is for its owner alone.
func (c Clipboard) write(text string) error {
	if err := os.MkdirAll(filepath.Dir(c.Path), 0o755); err != nil {
		return err
	}
	next := fmt.Sprintf("%s.%d", c.Path, os.Getpid())
	if err := os.WriteFile(next, []byte(text+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(next, c.Path)
}
