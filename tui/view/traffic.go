package view

import (
	"fmt"
	"strings"
	"time"

	"nats-roll/rehearsal"
	"nats-roll/tui/theme"
)

// rateWindow is the time that the rate in the title is taken over.
const rateWindow = time.Second

// TrafficTitle sums the traffic up in a line.
func TrafficTitle(t theme.Theme, s rehearsal.State, now time.Time) string {
	f := s.World.Fleet
	if len(f.Clients) == 0 {
		return ""
	}
	lost := t.Dim.Render("lost 0")
	if f.Lost > 0 {
		lost = t.Warn.Render("lost " + count(f.Lost))
	}
	return fmt.Sprintf("%s delivered/s  %s  %s", count(rate(s, now)), lost, t.Dim.Render("duplicated "+count(f.Duplicated)))
}

// rate is the number of messages delivered in the last second.
func rate(s rehearsal.State, now time.Time) int {
	if s.World.Fleet.Settled {
		return 0
	}
	var newest, oldest rehearsal.Sample
	for p := range s.Traffic.Backward() {
		if newest.At.IsZero() {
			newest = p
		}
		oldest = p
		if now.Sub(p.At) > rateWindow {
			break
		}
	}
	d := newest.At.Sub(oldest.At)
	if d <= 0 || now.Sub(newest.At) > 2*rateWindow {
		return 0
	}
	return int(float64(newest.Received-oldest.Received) / d.Seconds())
}

var levels = []rune(" ▁▂▃▄▅▆▇█")

// Traffic draws the delivered messages over time, the newest at the right end,
// a cell for each step, and under it which server was started (↑) or stopped
// (↓) when. Lost messages have their own line.
func Traffic(t theme.Theme, s rehearsal.State, now time.Time, size Size) []string {
	if len(s.World.Fleet.Clients) == 0 {
		return []string{t.Dim.Render("no messages yet")}
	}
	const cell = 500 * time.Millisecond
	w := size.W
	// The right edge stands still between two cells, so that nothing flickers.
	edge := now.Truncate(cell).Add(cell)
	got, lost := buckets(s, edge, cell, w)
	top := uint64(1)
	for _, n := range got {
		top = max(top, n)
	}
	rows := max(1, size.H-2)
	if size.H < 2 {
		rows = 1
	}
	var out []string
	for r := rows - 1; r >= 0; r-- {
		var b strings.Builder
		for _, n := range got {
			eighths := int(n * uint64(rows*8) / top)
			b.WriteRune(levels[max(0, min(8, eighths-r*8))])
		}
		out = append(out, t.Command.Render(b.String()))
	}
	if size.H >= 2 {
		out = append(out, marks(t, s, edge, cell, w))
	}
	if size.H >= 3 {
		out = append(out, losses(t, lost))
	}
	return out[:min(len(out), size.H)]
}

// buckets sorts the samples into cells by time.
func buckets(s rehearsal.State, edge time.Time, cell time.Duration, w int) (got, lost []uint64) {
	got, lost = make([]uint64, w), make([]uint64, w)
	var later *rehearsal.Sample
	for p := range s.Traffic.Backward() {
		if later != nil {
			i := w - 1 - int(edge.Sub(later.At)/cell)
			if i < 0 {
				break
			}
			if i < w {
				got[i] += later.Received - min(p.Received, later.Received)
				lost[i] += later.Lost - min(p.Lost, later.Lost)
			}
		}
		later = &p
	}
	return got, lost
}

// marks writes which server was started or stopped at its place in time. Marks
// that would overlap stand beside each other.
func marks(t theme.Theme, s rehearsal.State, edge time.Time, cell time.Duration, w int) string {
	line := strings.Builder{}
	at := 0
	for _, m := range s.Marks {
		i := w - 1 - int(edge.Sub(m.At)/cell)
		if i < 0 || i >= w {
			continue
		}
		i = max(min(i, w-2), at)
		if i+2 > w {
			break
		}
		line.WriteString(strings.Repeat(" ", i-at))
		glyph := "↑"
		switch m.What {
		case rehearsal.MarkStopped:
			glyph = "↓"
		case rehearsal.MarkDied:
			glyph = "✗"
		case rehearsal.MarkStarted:
		}
		line.WriteString(t.Node(m.Node).Render(glyph + m.Node))
		at = i + 2
	}
	return line.String()
}

// losses marks the cells in which a message was found to be lost.
func losses(t theme.Theme, lost []uint64) string {
	var b strings.Builder
	some := false
	for _, n := range lost {
		if n > 0 {
			b.WriteString("×")
			some = true
		} else {
			b.WriteByte(' ')
		}
	}
	if !some {
		return t.Dim.Render("↑ started  ↓ stopped  × messages lost")
	}
	return t.Warn.Render(b.String())
}
