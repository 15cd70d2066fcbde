// Package view draws the panels of the screen. Every panel is a pure function
// of a theme, a state, a time and a size: no clock, no environment, nothing of
// its neighbours. It returns lines that are at most as wide as asked; Panel and
// Fit make them exactly so.
package view

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
)

// Size is a place on the screen, in cells.
type Size struct{ W, H int }

// clean takes control characters out of what comes from outside.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, ansi.Strip(s))
}

// cut shortens to w cells, with an ellipsis for what is missing.
func cut(s string, w int) string {
	if w <= 0 {
		return ""
	}
	return ansi.Truncate(s, w, "…")
}

// pad fills up to w cells on the right, and cuts what is longer.
func pad(s string, w int) string {
	n := ansi.StringWidth(s)
	if n > w {
		s = cut(s, w)
		n = ansi.StringWidth(s)
	}
	return s + strings.Repeat(" ", max(0, w-n))
}

// right puts s at the right end of w cells.
func right(s string, w int) string {
	return strings.Repeat(" ", max(0, w-ansi.StringWidth(s))) + cut(s, w)
}

// between puts one text at the left end and one at the right end of w cells;
// the left one gives way.
func between(l, r string, w int) string {
	rw := ansi.StringWidth(r)
	if rw >= w {
		return cut(r, w)
	}
	return pad(l, w-rw) + r
}

// wrap breaks a text at words into lines of at most w cells, each styled.
func wrap(style lipgloss.Style, text string, w int) []string {
	if w <= 0 || text == "" {
		return nil
	}
	points := ""
	if slices.ContainsFunc(strings.Fields(text), func(word string) bool { return ansi.StringWidth(word) > w }) {
		points = "," // a list without spaces
	}
	lines := strings.Split(ansi.Wrap(text, w, points), "\n")
	for i, l := range lines {
		lines[i] = style.Render(strings.TrimRight(l, " "))
	}
	return lines
}

// hang wraps a text behind a first word of its own; later lines are indented by
// as much.
func hang(first string, style lipgloss.Style, text string, w int) []string {
	n := ansi.StringWidth(first)
	lines := wrap(style, text, w-n)
	for i := range lines {
		if i == 0 {
			lines[i] = first + lines[i]
		} else {
			lines[i] = strings.Repeat(" ", n) + lines[i]
		}
	}
	if len(lines) == 0 {
		return []string{first}
	}
	return lines
}

// command wraps command lines, a prompt before each. Lines of a text that a command
// reads, up to EOF, have the other prompt of a shell.
func command(style lipgloss.Style, prompt, text string, w int) []string {
	var out []string
	within := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if within {
			out = append(out, hang(style.Render("> "), style, line, w)...)
			within = line != "EOF"
			continue
		}
		within = strings.HasSuffix(line, "<<'EOF'")
		out = append(out, commandLine(style, prompt, line, w)...)
	}
	return out
}

// briefLines is how much a brief command shows at most.
const briefLines = 4

// briefCommand is the same with the number of lines instead of a file's text, and
// without the end of what is long all the same.
func briefCommand(style lipgloss.Style, prompt, text string, w int) []string {
	var out []string
	n := -1 // lines of the file, where there is one
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case n < 0:
			out = append(out, commandLine(style, prompt, line, w)...)
			if strings.HasSuffix(line, "<<'EOF'") {
				n = 0
			}
		case line == "EOF":
			out = append(out, cut(style.Render(fmt.Sprintf("%s… the file's %d lines", strings.Repeat(" ", len(prompt)), n)), w))
			n = -1
		default:
			n++
		}
	}
	if left := len(out) - briefLines + 1; left > 1 {
		out = append(out[:briefLines-1], cut(style.Render(fmt.Sprintf("%s… %d lines more; y copies all of it", strings.Repeat(" ", len(prompt)), left)), w))
	}
	return out
}

// commandLine wraps one so that what is copied still works: lines end in a
// backslash, and are broken between words.
func commandLine(style lipgloss.Style, prompt, text string, w int) []string {
	words := strings.Fields(text)
	var lines []string
	line := prompt
	n := len(prompt)
	for i, word := range words {
		sep := " "
		if n == len(prompt) {
			sep = ""
		}
		room := w
		if i < len(words)-1 {
			room -= 2 // for the backslash
		}
		// What no line has room for is broken anyway, and may begin on this one.
		long := len(prompt)+2+ansi.StringWidth(word) > room && ansi.StringWidth(line) < room/2
		if sep != "" && !long && ansi.StringWidth(line)+1+ansi.StringWidth(word) > room {
			lines = append(lines, line+" \\")
			line, sep = strings.Repeat(" ", len(prompt)+2), ""
		}
		// A word that is longer than a line goes on in the first column: a
		// backslash joins it without a gap.
		for ansi.StringWidth(line+sep+word) > max(room, 8) {
			n := max(1, w-1-ansi.StringWidth(line+sep))
			head := joint(ansi.Truncate(word, n, ""))
			lines = append(lines, line+sep+head+"\\")
			line, sep, word = "", "", strings.TrimPrefix(word, head)
		}
		line += sep + word
		n = -1
	}
	lines = append(lines, line)
	for i, l := range lines {
		lines[i] = style.Render(l)
	}
	return lines
}

// joint is as much of the beginning of a word as ends after a part of a list, or of a
// path; all of it where there is neither.
func joint(head string) string {
	if i := strings.LastIndex(head, ","); i >= 0 {
		return head[:i+1]
	}
	for i := len(head) - 1; i > 0; i-- {
		if head[i] == '/' && head[i-1] != '/' && head[i-1] != ':' {
			return head[:i+1]
		}
	}
	return head
}

// clock tells a duration as a stopwatch does: 0:42, 12:03, 1:02:03.
func clock(d time.Duration) string {
	s := int(max(0, d).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// count writes a number with thin groups: 12,345.
func count[T ~int | ~int64 | ~uint64](n T) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Fit makes lines exactly size: cut or filled in both directions.
func Fit(lines []string, size Size) []string {
	out := make([]string, size.H)
	for i := range out {
		if i < len(lines) {
			out[i] = pad(lines[i], size.W)
		} else {
			out[i] = strings.Repeat(" ", size.W)
		}
	}
	return out
}
