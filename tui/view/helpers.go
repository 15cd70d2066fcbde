package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"nats-roll/cluster"
	"nats-roll/tui/theme"
)

// Clock tells a duration as a stopwatch does.
func Clock(d time.Duration) string { return clock(d) }

// Wrap breaks a text at words, as plain lines of at most w cells.
func Wrap(text string, w int) []string {
	if w <= 0 {
		return nil
	}
	return strings.Split(ansi.Wrap(text, w, ""), "\n")
}

// Clean takes control characters out of what comes from outside.
func Clean(s string) string { return clean(s) }

// Remarked says that a server has a line of its own below its row.
func Remarked(t theme.Theme, s cluster.Server) bool { return remark(t, s) != "" }

// ServerHead is the head of the rows that ServerLine makes; hidden is how many
// of them there is no room for.
func ServerHead(t theme.Theme, hidden, w int) string {
	head := cut(t.Dim.Render(pad("  node", 9)+pad("state", 19)+pad("runs", 9)+pad("on disk", 9)+"clients  routes"), w)
	if hidden > 0 {
		return between(head, t.Warn.Render(fmt.Sprintf("  %d more: ↑ ↓", hidden)), w)
	}
	return head
}

// Keys joins as many of the footer's entries as fit, whole ones only; the last
// two, help and quit, always stay.
func Keys(parts []string, w int) string {
	const gap = "  "
	line := ""
	tail := ""
	if n := len(parts); n >= 2 {
		tail = parts[n-2] + gap + parts[n-1]
		parts = parts[:n-2]
	}
	for _, p := range parts {
		if ansi.StringWidth(line)+ansi.StringWidth(p)+ansi.StringWidth(tail)+2*len(gap)+1 > w {
			break
		}
		line += p + gap
	}
	return cut(" "+line+tail, w)
}
