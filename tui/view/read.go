package view

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"nats-roll/tui/theme"
	"nats-roll/upgrade"
)

// Text is the whole tutorial. What is quoted is marked, in the margin, too; at is
// the first marked line, -1 without one.
func Text(t theme.Theme, quote string, w int) (lines []string, at int) {
	p, _ := upgrade.Find(quote)
	at = -1
	for i, b := range upgrade.Text {
		if i > 0 {
			lines = append(lines, "")
		}
		var spans []upgrade.Span
		for _, s := range p.Spans {
			if s.Block == i {
				spans = append(spans, s)
			}
		}
		style := t.Text
		switch b.Kind {
		case upgrade.Heading:
			style = t.Step
		case upgrade.Listing:
			style = t.Command
		case upgrade.Paragraph:
		}
		for _, l := range marked(style, t.Quote, b.Text, spans, w-2) {
			if l.marked && at < 0 {
				at = len(lines)
			}
			margin := "  "
			if l.marked {
				margin = t.Key.Render("▌ ")
			}
			lines = append(lines, margin+l.text)
		}
	}
	return lines, at
}

type row struct {
	text   string
	marked bool
}

// marked wraps a text to lines of w cells, with another style for the words of
// some spans.
func marked(plain, mark lipgloss.Style, text string, spans []upgrade.Span, w int) []row {
	var out []row
	for from := range strings.SplitSeq(text, "\n") {
		base := strings.Index(text, from)
		rest := base
		for _, l := range strings.Split(ansi.Wrap(from, w, ""), "\n") {
			// Wrapping leaves out the space that it breaks at.
			i := strings.Index(text[rest:], l)
			if i < 0 {
				i = 0
			}
			start := rest + i
			rest = start + len(l)
			out = append(out, styled(plain, mark, text, start, min(rest, len(text)), spans))
		}
	}
	return out
}

// styled is the part of a text from one byte to another.
func styled(plain, mark lipgloss.Style, text string, from, to int, spans []upgrade.Span) row {
	var b strings.Builder
	out := row{}
	put := func(style lipgloss.Style, s string) {
		if s != "" {
			b.WriteString(style.Render(s))
		}
	}
	at := from
	for _, s := range spans {
		lo, hi := max(at, s.From), min(to, s.To)
		if lo >= hi {
			continue
		}
		put(plain, text[at:lo])
		put(mark, text[lo:hi])
		at, out.marked = hi, true
	}
	put(plain, text[at:max(at, to)])
	out.text = b.String()
	return out
}
