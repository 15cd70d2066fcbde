package view

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"nats-roll/rehearsal"
	"nats-roll/tui/theme"
	"nats-roll/upgrade"
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
	out := []string{count(rate(s, now)) + " delivered/s", lost, t.Dim.Render("duplicated " + count(f.Duplicated))}
	if n := f.Requests.Unanswered(); n > 0 {
		out = append(out, t.Warn.Render("unanswered "+count(n)))
	}
	switch standing := f.Stored.Standing(f.At); {
	case standing >= time.Second:
		out = append(out, t.Bad.Render("nothing stored for "+clock(standing)))
	case f.Stored.StallMax > 0:
		out = append(out, t.Warn.Render("stalled "+upgrade.Round(f.Stored.StallMax)))
	}
	return strings.Join(out, "  ")
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
	w := size.W
	edge := edgeOf(now)
	got, worst := buckets(s, edge, w)
	waits(worst, s.Plan, edge)
	top := scale(got)
	dearest := ""
	if size.H >= 5 {
		dearest = Costliest(t, s.Plan, w)
	}
	if dearest != "" {
		size.H--
	}
	rows := max(1, size.H-2)
	if size.H < 2 {
		rows = 1
	}
	var out []string
	for r := rows - 1; r >= 0; r-- {
		var b strings.Builder
		for _, n := range got {
			eighths := int(n*float64(rows*8)/top + 0.5)
			level := levels[max(0, min(8, eighths-r*8))]
			if r == rows-1 && n > top {
				level = beyond
			}
			b.WriteRune(level)
		}
		out = append(out, t.Command.Render(b.String()))
	}
	if size.H >= 2 {
		out = append(out, marks(t, s, edge, w))
	}
	if size.H >= 3 {
		out = append(out, line(t, worst))
	}
	out = out[:min(len(out), size.H)]
	if dearest != "" {
		out = append(out, dearest)
	}
	return out
}

// cell is the time that a cell stands for.
const cell = 500 * time.Millisecond

// edgeOf is the right end. It stands still between two cells, and lies so far back that
// the newest cell is complete: nothing flickers.
func edgeOf(now time.Time) time.Time { return now.Add(-settling).Truncate(cell) }

// beyond is drawn at the top of what is higher than the scale.
const beyond = '▲'

// scale is what a full cell stands for: the most that a cell has, unless that is far
// beyond nearly all others. What piled up before a server that stood still, or a
// client's buffer, comes at once, and all else would be flat beside it.
func scale(cells []float64) float64 {
	sorted := slices.DeleteFunc(slices.Clone(cells), func(n float64) bool { return n == 0 })
	if len(sorted) == 0 {
		return 1
	}
	slices.Sort(sorted)
	most, usual := sorted[len(sorted)-1], sorted[len(sorted)*9/10]
	if most > 3*usual {
		most = 3 * usual / 2
	}
	return max(1, most)
}

// harm is the worst that was found in a cell.
type harm int

const (
	nothing harm = iota
	waited       // a request without an answer, or a stall
	twice
	lost
)

// waits marks the cells in which a request came to nothing or a message to a
// stream stalled, by what caused it.
func waits(cells []harm, p upgrade.Progress, edge time.Time) {
	start := edge.Add(-cell * time.Duration(len(cells)))
	for _, st := range p.Steps {
		for _, c := range st.Bill.Costs {
			if i := int(c.At.Sub(start) / cell); !c.At.Before(start) && i < len(cells) {
				cells[i] = max(cells[i], waited)
			}
		}
	}
}

// Costliest names the steps that cost the clients most, in a line.
func Costliest(t theme.Theme, p upgrade.Progress, w int) string {
	var steps []upgrade.StepProgress
	for _, st := range p.Steps {
		if price(st) > 0 {
			steps = append(steps, st)
		}
	}
	if len(steps) == 0 {
		return ""
	}
	slices.SortStableFunc(steps, func(a, b upgrade.StepProgress) int { return cmp.Compare(price(b), price(a)) })
	var out []string
	for _, st := range steps {
		out = append(out, t.Strong.Render(st.Title)+" "+st.Harm())
	}
	return cut(t.Dim.Render("costliest  ")+strings.Join(out, t.Dim.Render(" · ")), w)
}

// price weighs what a step cost: messages and requests that came to nothing, and
// a tenth of a second of a stall as one of these.
func price(st upgrade.StepProgress) int {
	return int(st.Impact.Lost+st.Impact.Duplicated) + st.Bill.Unanswered + int(st.Bill.Longest/(100*time.Millisecond))
}

// settling is how long the newest word on the traffic may take to come.
const settling = 300 * time.Millisecond

// buckets sorts what was delivered between two samples into the cells of that
// time, evenly; what was lost or came twice into the cell in which that was found.
func buckets(s rehearsal.State, edge time.Time, w int) (got []float64, found []harm) {
	got, found = make([]float64, w), make([]harm, w)
	start := edge.Add(-cell * time.Duration(w))
	var later *rehearsal.Sample
	for p := range s.Traffic.Backward() {
		if later != nil {
			if !later.At.After(start) {
				break
			}
			spread(got, start, p.At, later.At, float64(later.Received-min(p.Received, later.Received)))
			if i := min(int(later.At.Sub(start)/cell), w-1); i >= 0 {
				switch {
				case later.Lost > p.Lost:
					found[i] = lost
				case later.Duplicated > p.Duplicated:
					found[i] = max(found[i], twice)
				}
			}
		}
		later = &p
	}
	return got, found
}

// spread adds n to the cells between two times, to each its share.
func spread(cells []float64, start time.Time, from, to time.Time, n float64) {
	all := to.Sub(from)
	if all <= 0 || n == 0 {
		return
	}
	for at := from; at.Before(to); {
		i := int(at.Sub(start) / cell)
		if at.Before(start) {
			at = start
			continue
		}
		next := start.Add(cell * time.Duration(i+1))
		if next.After(to) {
			next = to
		}
		if i >= len(cells) {
			return
		}
		cells[i] += n * float64(next.Sub(at)) / float64(all)
		at = next
	}
}

// marks writes which server was started or stopped at its place in time. Marks
// that would overlap stand beside each other.
func marks(t theme.Theme, s rehearsal.State, edge time.Time, w int) string {
	line := strings.Builder{}
	at := 0
	for _, m := range s.Marks {
		i := w - 1 - int(edge.Sub(m.At)/cell)
		if i < 0 {
			continue
		}
		i = max(min(i, w-2), at)
		if i+2 > w {
			break
		}
		line.WriteString(strings.Repeat(" ", i-at))
		line.WriteString(t.Node(m.Node).Render(markGlyph(m.What) + m.Node))
		at = i + 2
	}
	return line.String()
}

func markGlyph(k rehearsal.MarkKind) string {
	switch k {
	case rehearsal.MarkStopped:
		return "↓"
	case rehearsal.MarkDied:
		return "✗"
	case rehearsal.MarkStarted:
	}
	return "↑"
}

// line shows the worst of each cell.
func line(t theme.Theme, cells []harm) string {
	var b strings.Builder
	for _, h := range cells {
		b.WriteRune([]rune(" !=×")[h])
	}
	return t.Warn.Render(b.String())
}

// TrafficLegend says what the marks below the bars mean, and one that is above them, as
// far as there are such.
func TrafficLegend(s rehearsal.State, now time.Time, w int) string {
	legend := "↑ started  ↓ stopping  ✗ died  × lost"
	if s.World.Fleet.Duplicated > 0 {
		legend += "  = twice"
	}
	if slices.ContainsFunc(s.Plan.Steps, func(st upgrade.StepProgress) bool { return len(st.Bill.Costs) > 0 }) {
		legend += "  ! waited"
	}
	got, _ := buckets(s, edgeOf(now), w)
	if top := scale(got); slices.ContainsFunc(got, func(n float64) bool { return n > top }) {
		legend += "  " + string(beyond) + " far more"
	}
	return legend
}
