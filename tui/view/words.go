package view

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"nats-roll/glossary"
	"nats-roll/tui/theme"
)

// Words explains words: first those that are on the screen.
func Words(t theme.Theme, there, others []glossary.Term, w int) []string {
	out := []string{t.Dim.Render("On this screen, in the order in which they stand there")}
	out = append(out, explained(t, there, w)...)
	out = append(out, "", t.Dim.Render("All others"))
	return append(out, explained(t, others, w)...)
}

func explained(t theme.Theme, terms []glossary.Term, w int) []string {
	var out []string
	for _, term := range terms {
		out = append(out, "", cut(t.Strong.Render(term.Name), w))
		out = append(out, wrap(t.Text, term.Text, w)...)
		out = append(out, wrap(t.Dim, strings.TrimPrefix(term.Source, "https://"), w)...)
	}
	return out
}

// Plain is the text of a screen without colours and frames.
func Plain(screen string) string {
	return strings.Map(func(r rune) rune {
		if r >= '─' && r <= '╿' { // the lines of boxes
			return ' '
		}
		return r
	}, ansi.Strip(screen))
}
