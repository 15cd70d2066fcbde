// Package theme holds the colours of the screen as tokens: a name for what is
// meant, not for how it looks. Colour only repeats what a word or a glyph says.
package theme

import (
	"github.com/charmbracelet/lipgloss"
)

// Theme is a set of styles for one terminal. Make one with New.
type Theme struct {
	Text    lipgloss.Style // what is read
	Strong  lipgloss.Style // what is read first
	Dim     lipgloss.Style // what may be passed over
	Quote   lipgloss.Style // the tutorial's own words
	Command lipgloss.Style // what can be typed
	Key     lipgloss.Style // a key to press
	Step    lipgloss.Style // the one loud thing: the step
	Good    lipgloss.Style
	Warn    lipgloss.Style
	Bad     lipgloss.Style
	Border  lipgloss.Style
	Focus   lipgloss.Style // the border of the focused panel
	Bar     lipgloss.Style // a question that waits for an answer

	nodes []lipgloss.Style
}

// shade is a colour for dark and for light backgrounds, of the 256 and of the
// 16 that every terminal has.
func shade(dark, light, dark16, light16 string) lipgloss.TerminalColor {
	return lipgloss.CompleteAdaptiveColor{
		Dark:  lipgloss.CompleteColor{TrueColor: dark, ANSI256: dark, ANSI: dark16},
		Light: lipgloss.CompleteColor{TrueColor: light, ANSI256: light, ANSI: light16},
	}
}

// New makes the theme for a renderer, whose colour profile and background have
// been decided (see Detect).
func New(r *lipgloss.Renderer) Theme {
	return build(r, func(c lipgloss.TerminalColor) lipgloss.Style { return r.NewStyle().Foreground(c) })
}

// Plain makes the theme without a colour.
func Plain(r *lipgloss.Renderer) Theme {
	t := build(r, func(lipgloss.TerminalColor) lipgloss.Style { return r.NewStyle() })
	t.Focus = t.Focus.Bold(true)
	return t
}

func build(r *lipgloss.Renderer, fg func(lipgloss.TerminalColor) lipgloss.Style) Theme {
	accent := shade("81", "25", "14", "4")
	t := Theme{
		Text:    r.NewStyle(),
		Strong:  r.NewStyle().Bold(true),
		Dim:     fg(shade("245", "243", "7", "8")),
		Quote:   fg(shade("180", "94", "3", "0")).Italic(true),
		Command: fg(shade("153", "24", "14", "4")),
		Key:     fg(accent).Bold(true),
		Step:    fg(accent).Bold(true),
		Good:    fg(shade("114", "28", "10", "2")),
		Warn:    fg(shade("215", "130", "11", "5")),
		Bad:     fg(shade("203", "160", "9", "1")).Bold(true),
		Border:  fg(shade("239", "250", "8", "7")),
		Focus:   fg(accent),
		Bar:     r.NewStyle().Bold(true).Reverse(true),
	}
	for _, c := range []lipgloss.TerminalColor{
		shade("75", "26", "12", "4"), shade("177", "128", "13", "5"), shade("79", "29", "14", "6"),
		shade("209", "166", "11", "3"), shade("185", "100", "11", "3"), shade("147", "61", "12", "4"),
		shade("211", "161", "13", "5"), shade("150", "64", "10", "2"), shade("117", "31", "14", "6"), shade("223", "137", "7", "8"),
	} {
		t.nodes = append(t.nodes, fg(c).Bold(true))
	}
	return t
}

// Node is the hue of a node, the same everywhere on the screen.
func (t Theme) Node(name string) lipgloss.Style {
	if name == "" || name[0] < 'A' || name[0] > 'Z' || len(t.nodes) == 0 {
		return t.Text
	}
	return t.nodes[int(name[0]-'A')%len(t.nodes)]
}
