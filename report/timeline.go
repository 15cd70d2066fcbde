package report

import (
	"time"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
)

// Timeline is the traffic over time, in intervals of equal length, and the
// moments at which servers were stopped and started. Between two looks at the
// counters the messages are spread evenly; a message counts as lost when its
// gap was noticed.
type Timeline struct {
	FromMS     float64  `json:"from_ms"`  // of the first interval, since the rehearsal began
	WidthMS    float64  `json:"width_ms"` // of one interval
	Delivered  []uint64 `json:"delivered"`
	Lost       []uint64 `json:"lost"`
	Duplicated []uint64 `json:"duplicated"`
	Marks      []Mark   `json:"marks"`
}

// Mark is a moment at which a server was started or asked to stop, or ended by
// itself.
type Mark struct {
	AtMS float64            `json:"at_ms"` // since the rehearsal began
	Node string             `json:"node"`
	What rehearsal.MarkKind `json:"what"`
	How  cluster.Stop       `json:"how,omitempty"` // it was asked to stop
}

// intervals is about how many a timeline has.
const intervals = 120

// widths are the lengths that an interval may have.
var widths = []time.Duration{
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
	10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour,
}

// longest bounds what is drawn, of a log whose clock leapt.
const longest = 100 * 365 * 24 * time.Hour

func widthOf(whole time.Duration) time.Duration {
	for _, w := range widths {
		if whole <= intervals*w {
			return w
		}
	}
	return min(whole, longest) / intervals
}

func timeline(s rehearsal.State) Timeline {
	began, ended := began(s), ended(s)
	t := Timeline{Delivered: []uint64{}, Lost: []uint64{}, Duplicated: []uint64{}, Marks: []Mark{}}
	for _, m := range s.Marks {
		if !m.At.Before(began) && !m.At.After(ended) {
			t.Marks = append(t.Marks, Mark{AtMS: ms(m.At.Sub(began)), Node: m.Node, What: m.What, How: m.Stop})
		}
	}
	if s.Traffic.Len() < 2 {
		return t
	}
	from, width := wall(s.Traffic.At(0).At), widthOf(ended.Sub(began))
	t.FromMS, t.WidthMS = ms(from.Sub(began)), ms(width)
	before := s.Traffic.At(0)
	for now := range s.Traffic.All() {
		if now.At.After(ended) {
			break
		}
		if now.At.Before(before.At) { // the clock was set back
			now.At = before.At
		}
		for n := min(int(now.At.Sub(from)/width), intervals+1) + 1; len(t.Delivered) < n; {
			t.Delivered, t.Lost, t.Duplicated = append(t.Delivered, 0), append(t.Lost, 0), append(t.Duplicated, 0)
		}
		// A message that comes late after all is no longer lost, and was not
		// delivered backwards.
		now.Received, now.Lost, now.Duplicated = max(now.Received, before.Received), max(now.Lost, before.Lost), max(now.Duplicated, before.Duplicated)
		last := len(t.Delivered) - 1
		t.Lost[last] += now.Lost - before.Lost
		t.Duplicated[last] += now.Duplicated - before.Duplicated
		t.deliver(from, width, before, now)
		before = now
	}
	return t
}

// deliver spreads what came between two looks over the intervals between them.
func (t Timeline) deliver(from time.Time, width time.Duration, before, now rehearsal.Sample) {
	span, came := now.At.Sub(wall(before.At)), now.Received-before.Received
	if span <= 0 {
		t.Delivered[len(t.Delivered)-1] += came
		return
	}
	told := uint64(0)
	for i := max(0, min(int(before.At.Sub(from)/width), len(t.Delivered)-1)); i < len(t.Delivered); i++ {
		sum := came
		if until := from.Add(time.Duration(i+1) * width).Sub(before.At); until < span {
			sum = uint64(float64(came) * float64(until) / float64(span))
		}
		t.Delivered[i] += sum - told
		told = sum
	}
}
