package view

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"nats-roll/tui/theme"
)

// Panel frames lines: a title in the upper border, an aside at its right end.
// The result is exactly size.
func Panel(t theme.Theme, title, aside string, focused bool, lines []string, size Size) []string {
	if size.H < 2 || size.W < 4 {
		return Fit(nil, size)
	}
	line := t.Border
	if focused {
		line = t.Focus
	}
	inner := size.W - 2
	head := ""
	if title != "" {
		room := inner - 4
		if r := room - ansi.StringWidth(aside) - 3; r >= inner/2 { // how it went is not in the title
			room = r
		}
		head = line.Render("─ ") + cut(title, room) + " "
	}
	tail := ""
	if aside != "" && ansi.StringWidth(head)+ansi.StringWidth(aside)+4 <= inner {
		tail = " " + aside + line.Render(" ─")
	}
	fill := max(0, inner-ansi.StringWidth(head)-ansi.StringWidth(tail))
	out := make([]string, 0, size.H)
	out = append(out, line.Render("╭")+head+line.Render(strings.Repeat("─", fill))+tail+line.Render("╮"))
	side := line.Render("│")
	for _, l := range Fit(lines, Size{inner - 2, size.H - 2}) {
		out = append(out, side+" "+l+" "+side)
	}
	return append(out, line.Render("╰"+strings.Repeat("─", inner)+"╯"))
}

// Inner is the room that Panel leaves for lines.
func Inner(s Size) Size { return Size{max(0, s.W-4), max(0, s.H-2)} }

// Beside joins blocks of lines of equal height side by side.
func Beside(blocks ...[]string) []string {
	var out []string
	for i := range blocks[0] {
		var b strings.Builder
		for _, block := range blocks {
			b.WriteString(block[i])
		}
		out = append(out, b.String())
	}
	return out
}

// part is some lines that belong together. Where there is no room for all, the
// parts with the highest rank give way first, from their ends.
type part struct {
	rank  int  // 0 always stays
	gap   bool // an empty line before it, where there is room
	whole bool // of no use when it is cut
	text  bool // sentences, which end in an ellipsis where they are cut
	keep  int  // so many lines stay, whatever the rank
	lines []string
	brief []string // the same in fewer lines, from briefly on
}

// briefly is the rank from which on parts are said briefly before others give way.
const briefly = 4

// first is the part with its first n lines.
func (p part) first(n int) part {
	if n >= len(p.lines) {
		return p
	}
	p.lines = slices.Clone(p.lines[:n])
	if p.text && n > 0 {
		p.lines[n-1] = trailing(p.lines[n-1])
	}
	return p
}

// trailing puts an ellipsis in the place of a line's last words.
func trailing(line string) string {
	plain := ansi.Strip(line)
	all := ansi.StringWidth(plain)
	for i := strings.LastIndex(plain, " "); i > 0; i = strings.LastIndex(plain[:i], " ") {
		if n := ansi.StringWidth(plain[:i]) + len(" ."); n < all {
			return ansi.Truncate(line, n, " …")
		}
	}
	return line
}

// arrange puts parts into h lines: first gaps go, from the last one, then the part with the
// highest rank, the last of several, gives up lines, and so on. more says that
// something was left out.
func arrange(parts []part, h int) (lines []string, more bool) {
	kept := slices.Clone(parts)
	for {
		with, without := height(kept)
		if without <= h {
			if more {
				restore(kept, parts, h-without)
				with, without = height(kept)
			}
			return join(kept, min(with, h)-without), more
		}
		worst := -1
		for i, p := range kept {
			if len(p.lines) > p.keep && p.rank > 0 && (worst < 0 || p.rank >= kept[worst].rank) {
				worst = i
			}
		}
		if worst < 0 || kept[worst].rank < briefly {
			if i := slices.IndexFunc(kept, func(p part) bool { return len(p.brief) > 0 && len(p.brief) < len(p.lines) }); i >= 0 {
				kept[i].lines, kept[i].brief, more = kept[i].brief, nil, true
				continue
			}
		}
		if worst < 0 {
			lines = join(kept, 0)
			return lines[:min(len(lines), max(0, h))], true
		}
		more = true
		p := &kept[worst]
		// One line of several is a heading with nothing below it.
		if left := max(p.keep, len(p.lines)-(without-h)); left > 1 && !p.whole {
			*p = p.first(left)
		} else {
			*p = p.first(p.keep)
		}
	}
}

// restore puts back what gave way to something that was left out in the end, because
// it was to be seen as a whole or not at all: those that matter most first.
func restore(kept, parts []part, room int) {
	for room > 1 {
		best := -1
		for i, p := range parts {
			fits := len(p.lines) <= room || !p.whole
			if len(kept[i].lines) == 0 && len(p.lines) > 0 && fits && (best < 0 || p.rank < parts[best].rank) {
				best = i
			}
		}
		if best < 0 {
			return
		}
		kept[best] = parts[best].first(room)
		room -= len(kept[best].lines)
	}
}

func height(parts []part) (with, without int) {
	for i, p := range parts {
		if len(p.lines) == 0 {
			continue
		}
		if p.gap && i > 0 {
			with++
		}
		with += len(p.lines)
		without += len(p.lines)
	}
	return with, without
}

// join puts parts together, with so many of their gaps, the first ones.
func join(parts []part, gaps int) []string {
	var out []string
	for _, p := range parts {
		if len(p.lines) == 0 {
			continue
		}
		if p.gap && gaps > 0 && len(out) > 0 {
			out = append(out, "")
			gaps--
		}
		out = append(out, p.lines...)
	}
	return out
}
