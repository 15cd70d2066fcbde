package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// chart is the timeline as geometry: what was delivered, below it what was lost
// and duplicated, then each server's processes and the steps, all on one time
// axis. Colours and words are the template's.
type chart struct {
	Width, Height float64
	Left, Right   float64 // of the time axis
	Top, Base     float64 // of the area
	Area, Line    string  // paths
	Sent          *tick   // what was sent a second to all subscribers
	Rates         []tick
	Seconds       []tick
	Lines         []bar // through everything, at stops and starts
	Captions      []caption
	Loss          float64 // the line that the bars stand on
	Bars          []bar
	Axis          float64 // the line below all
	Rows          []row
	Steps         []bar
	StepsAt       float64
}

type tick struct {
	At   float64
	Text string
}

type bar struct {
	X, Y, W, H float64
	Class      string
	Text       string
	Title      string
}

// caption is the words at a line.
type caption struct {
	X, Y  float64
	End   bool // the words end at the line
	Class string
	Text  string
}

// row is a server: its name, and its processes one after the other.
type row struct {
	Y    float64
	Name string
	Bars []bar
}

const (
	chartWidth  = 960
	chartLeft   = 72
	chartRight  = 944
	laneHeight  = 16
	areaHeight  = 150
	lossHeight  = 54
	rowHeight   = 22
	letterWidth = 6.6 // of the words in the chart, about
)

// canvas turns times into places.
type canvas struct {
	*chart
	r     Report
	scale float64 // units a millisecond
}

func (c canvas) x(ms float64) float64 { return round(c.Left + ms*c.scale) }

func round(v float64) float64 { return math.Round(v*10) / 10 }

// draw lays the timeline out; nil if there is no time to show.
func (r Report) draw() *chart {
	if r.TookMS <= 0 {
		return nil
	}
	c := canvas{&chart{Width: chartWidth, Left: chartLeft, Right: chartRight}, r, (chartRight - chartLeft) / r.TookMS}
	lanes := c.captioned()
	c.Top = 8 + laneHeight*float64(lanes)
	c.Base = c.Top + areaHeight
	c.Loss = c.Base + lossHeight
	c.traffic()
	c.losses()
	y := c.Loss + 14
	for _, n := range r.Nodes {
		c.Rows = append(c.Rows, c.row(n, y))
		y += rowHeight
	}
	c.StepsAt = y + 4
	c.steps()
	c.Axis = c.StepsAt + rowHeight
	c.seconds()
	c.Height = c.Axis + 26
	return c.chart
}

// captioned sets the words of stops and starts over the area, as many lanes high as
// they need, and draws their lines. The first starts need no words: nothing
// runs before.
func (c canvas) captioned() (lanes int) {
	var ends []float64 // of each lane
	again := map[string]bool{}
	for _, m := range c.r.Timeline.Marks {
		x, class := c.x(m.AtMS), "stop"
		words := m.Node + " " + string(m.What)
		switch {
		case m.What == rehearsal.MarkStarted:
			class = "start"
		case m.What == rehearsal.MarkDied:
			class = "died"
		case m.How != "":
			words = fmt.Sprintf("%s %s", m.Node, stopWords[m.How])
		}
		first := m.What == rehearsal.MarkStarted && !again[m.Node]
		again[m.Node] = true
		if first {
			continue
		}
		c.Lines = append(c.Lines, bar{X: x, Class: class, Title: fmt.Sprintf("%s at %s", words, took(m.AtMS))})
		f := caption{X: x + 4, Class: class, Text: words}
		width := letterWidth*float64(len(words)) + 8
		from := x
		if x+width > c.Right {
			f.X, f.End, from = x-4, true, x-width
		}
		lane := 0
		for lane < len(ends) && ends[lane] > from {
			lane++
		}
		if lane == len(ends) {
			ends = append(ends, 0)
		}
		ends[lane] = from + width
		f.Y = 16 + laneHeight*float64(lane)
		c.Captions = append(c.Captions, f)
	}
	return max(1, len(ends))
}

var stopWords = map[cluster.Stop]string{
	cluster.StopInt: "stopped", cluster.StopTerm: "stopped (SIGTERM)", cluster.StopLameDuck: "lame duck", cluster.StopKill: "killed",
}

// traffic draws what was delivered a second.
func (c canvas) traffic() {
	t := c.r.Timeline
	rates := make([]float64, len(t.Delivered))
	sent := float64(c.r.Probe.Rate * c.r.Probe.Listeners)
	most := sent
	for i, n := range t.Delivered {
		rates[i] = float64(n) * 1000 / t.length(i, c.r.TookMS)
		most = max(most, rates[i])
	}
	step := pleasant(most / 2.5)
	scale := areaHeight / (step * math.Ceil(most*1.02/step))
	if most == 0 {
		step, scale = 1, areaHeight
	}
	y := func(rate float64) float64 { return round(c.Base - rate*scale) }
	for rate := 0.0; y(rate) >= c.Top; rate += step {
		c.Rates = append(c.Rates, tick{y(rate), number(uint64(rate))})
	}
	if sent > 0 {
		c.Sent = &tick{y(sent), fmt.Sprintf("sent: %s a second", number(uint64(sent)))}
	}
	var line strings.Builder
	for i, rate := range rates {
		from := t.FromMS + float64(i)*t.WidthMS
		move := "V"
		if i == 0 {
			move = fmt.Sprintf("M%g ", c.x(from))
		}
		fmt.Fprintf(&line, "%s%gH%g", move, y(rate), c.x(from+t.length(i, c.r.TookMS)))
	}
	if c.Line = line.String(); c.Line != "" {
		c.Area = fmt.Sprintf("%sV%gH%gZ", c.Line, c.Base, c.x(t.FromMS))
	}
}

// length is how long an interval is, in milliseconds: the last one ends with the
// rehearsal.
func (t Timeline) length(i int, took float64) float64 {
	return max(1, min(t.WidthMS, took-t.FromMS-float64(i)*t.WidthMS))
}

// losses draws the bars of what was lost and what came twice.
func (c canvas) losses() {
	t, most := c.r.Timeline, uint64(0)
	for i := range t.Lost {
		most = max(most, t.Lost[i], t.Duplicated[i])
	}
	if most == 0 {
		return
	}
	const room = lossHeight - 24 // over it stands the number
	stand := func(i int, n uint64, class, what string, part float64) {
		if n == 0 {
			return
		}
		from := t.FromMS + float64(i)*t.WidthMS
		wide := (c.x(from+t.length(i, c.r.TookMS)) - c.x(from)) / 2
		h := max(2, round(room*float64(n)/float64(most)))
		c.Bars = append(c.Bars, bar{
			X: c.x(from) + part*wide, Y: c.Loss - h, W: max(1, round(wide-0.5)), H: h, Class: class, Text: number(n),
			Title: fmt.Sprintf("%s %s, noticed from %s to %s", number(n), what, took(from), took(from+t.WidthMS)),
		})
	}
	for i := range t.Lost {
		stand(i, t.Lost[i], "lost", "lost", 0)
		stand(i, t.Duplicated[i], "twice", "came twice", 1)
	}
	thin(c.Bars)
}

// thin leaves the numbers at the highest bars and takes off those that would
// stand in one of them.
func thin(bars []bar) {
	byHeight := make([]*bar, len(bars))
	for i := range bars {
		byHeight[i] = &bars[i]
	}
	slices.SortStableFunc(byHeight, func(a, b *bar) int { return cmp.Compare(b.H, a.H) })
	for i, b := range byHeight {
		half := letterWidth * float64(len(b.Text)) / 2
		if slices.ContainsFunc(byHeight[:i], func(o *bar) bool {
			return o.Text != "" && math.Abs(o.middle()-b.middle()) < half+letterWidth*float64(len(o.Text))/2+2
		}) {
			b.Text = ""
		}
	}
}

func (b bar) middle() float64 { return b.X + b.W/2 }

// row draws a server's processes.
func (c canvas) row(n Node, y float64) row {
	out := row{Y: y, Name: n.Name}
	for i, p := range n.Runs {
		end := c.r.TookMS
		if p.EndedMS != nil {
			end = *p.EndedMS
		}
		if p.BeganMS >= c.r.TookMS {
			break
		}
		b := bar{X: c.x(p.BeganMS), Y: y + 3, H: rowHeight - 6, Class: "old", Text: string(p.Version), Title: fmt.Sprintf("%s: %s, pid %d", n.Name, p.Version, p.PID)}
		b.W = max(1, round(c.x(end)-b.X))
		if c.r.upgraded(n, i) {
			b.Class = "new"
		}
		if p.Died {
			b.Class += " dead"
			b.Title += ", " + p.End
		}
		if b.W < letterWidth*float64(len(b.Text))+4 {
			b.Text = ""
		}
		out.Bars = append(out.Bars, b)
	}
	return out
}

// upgraded says that the i-th process of a node is of the build that it was to
// end with. Where both are one version, that is every process but the first.
func (r Report) upgraded(n Node, i int) bool {
	from, to := r.Builds["from"].Of(n.Name).Version, r.Builds["to"].Of(n.Name).Version
	if from == to {
		return i > 0 || !n.Permanent
	}
	return n.Runs[i].Version == to
}

// steps draws when each step was under way; numbers stand where there is room.
func (c canvas) steps() {
	for i, s := range c.r.Steps {
		if s.BeganMS == nil {
			continue
		}
		b := bar{X: c.x(*s.BeganMS), Y: c.StepsAt, H: rowHeight - 6, Class: "step", Text: fmt.Sprint(i + 1), Title: fmt.Sprintf("%d. %s: %s", i+1, s.Title, took(s.TookMS))}
		b.W = max(1.5, round(c.x(*s.BeganMS+s.TookMS)-b.X-0.5))
		if s.Outcome != upgrade.Verified {
			b.Class = "step bad"
		}
		if b.W < letterWidth*float64(len(b.Text))+2 {
			b.Text = ""
		}
		c.Steps = append(c.Steps, b)
	}
}

// seconds marks the time axis.
func (c canvas) seconds() {
	step := pleasant(c.r.TookMS / 8)
	for at := 0.0; at <= c.r.TookMS; at += step {
		c.Seconds = append(c.Seconds, tick{c.x(at), fmt.Sprintf("%g s", round(at/100)/10)})
	}
}

// pleasant rounds up to 1, 2 or 5 times a power of ten.
func pleasant(v float64) float64 {
	if v <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 5} {
		if v <= f*power {
			return f * power
		}
	}
	return 10 * power
}
