package view

import (
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/tui/theme"
)

// LogFilter chooses lines of the log.
type LogFilter struct {
	Node string // or an application; empty for all
	Text string // contained in the line, without regard to case
}

// NextLog is whose log comes after the one that is shown: the selected server's,
// each application's, and that of all.
func NextLog(s rehearsal.State, shown, selected string) string {
	logs := []string{"", selected}
	for _, a := range s.World.Applications {
		logs = append(logs, a.Name)
	}
	at := slices.Index(logs, shown)
	if at < 0 {
		at = 1 // a server that was selected before
	}
	return logs[(at+1)%len(logs)]
}

func (f LogFilter) match(l cluster.LogLine) bool {
	return (f.Node == "" || l.Node == f.Node) &&
		(f.Text == "" || strings.Contains(strings.ToLower(l.Text), strings.ToLower(f.Text)))
}

// entry is a line and how often it was repeated in a row.
type entry struct {
	cluster.LogLine
	times int
}

// varying is what differs between repetitions of a line.
var varying = regexp.MustCompile(`\(attempt \d+\)|:\d{4,5} - [cr]id:\d+|^.* (?:Client|Router) (Ping Timer)`)

// Log shows the newest lines that the filter lets through, back lines up from
// the end. A line that repeats the one before is counted, not shown.
func Log(t theme.Theme, s rehearsal.State, f LogFilter, back int, size Size) []string {
	var entries []entry
	last := ""
	for _, l := range newest(s, f) {
		key := l.Node + string(l.Level) + varying.ReplaceAllString(l.Text, "$1")
		if n := len(entries); n > 0 && key == last {
			entries[n-1].times++
			continue
		}
		if len(entries) == back+size.H {
			break
		}
		entries, last = append(entries, entry{l, 1}), key
	}
	back = max(0, min(back, len(entries)-size.H))
	entries = entries[back:]
	var out []string
	for i := min(len(entries), size.H) - 1; i >= 0; i-- {
		out = append(out, logLine(t, entries[i], size.W))
	}
	if len(out) == 0 {
		out = append(out, t.Dim.Render("nothing yet"))
		if f.Text != "" {
			out[0] = t.Dim.Render("no line has " + clean(f.Text))
		}
	}
	return out
}

// jumble is how many lines may come between one and another that was written
// earlier: the servers' logs are read one after the other.
const jumble = 256

// newest gives the lines that the filter lets through from the newest one back,
// by the times that the servers wrote.
func newest(s rehearsal.State, f LogFilter) iter.Seq2[int, cluster.LogLine] {
	return func(yield func(int, cluster.LogLine) bool) {
		var window []cluster.LogLine
		n := 0
		flush := func(keep int) bool {
			slices.SortStableFunc(window, func(a, b cluster.LogLine) int { return b.At.Compare(a.At) })
			for len(window) > keep {
				if !yield(n, window[0]) {
					return false
				}
				window, n = window[1:], n+1
			}
			return true
		}
		for l := range s.Lines.Backward() {
			if f.match(l) {
				window = append(window, l)
			}
			if len(window) >= 2*jumble && !flush(jumble) {
				return
			}
		}
		flush(0)
	}
}

func logLine(t theme.Theme, e entry, w int) string {
	style, level := t.Text, string(e.Level)
	switch e.Level {
	case cluster.LevelDebug, cluster.LevelTrace:
		style = t.Dim
	case cluster.LevelWarn:
		style = t.Warn
	case cluster.LevelError, cluster.LevelFatal:
		style = t.Bad
	case cluster.LevelInfo, cluster.LevelOther:
	}
	if e.Topic == cluster.TopicExpected || e.Topic == cluster.TopicRouteRefused {
		style = t.Warn
		if e.Level == cluster.LevelDebug {
			style = t.Dim
		}
	}
	line := t.Dim.Render(e.At.Format("15:04:05.000")) + " " + t.Node(e.Node).Render(e.Node) + " " + style.Render(pad(level, 3)) + " " + style.Render(clean(e.Text))
	if e.times > 1 {
		return between(cut(line, w-7), t.Dim.Render(fmt.Sprintf(" ×%d", e.times)), w)
	}
	return cut(line, w)
}
