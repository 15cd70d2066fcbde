package rehearsal

import (
	"io"
	"sort"
	"time"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// Recording is an event log that can be looked at from any place in it. A place is
// a number of records: those that have happened. It is not for several goroutines.
type Recording struct {
	Header  Header
	Outline upgrade.Outline // zero if it never came to a plan
	Moments []Moment
	Marks   []Mark

	records []Record
	kept    []State // after 0, stride, 2*stride, … records, as far as they were needed
	place   int     // that was looked at last, and
	state   State   // the state there
}

// Moment is an event that somebody may want to go to: a step, a stop, a start, an
// exit, a note.
type Moment struct {
	Place int // of it and all before it
	Record
}

// At least so many records lie between two states that are kept, and no more states
// than that are kept: with ten thousand clients each is four megabytes.
const (
	leastStride = 256
	mostKept    = 32
)

// ReadRecording reads a whole event log; see ReadJournal.
func ReadRecording(from io.Reader) (*Recording, error) {
	r := &Recording{kept: []State{{}}}
	var last time.Time
	var err error
	r.Header, err = ReadJournal(from, func(rec Record) {
		if rec.At.Before(last) { // the machine's clock was set back meanwhile
			rec.At = last
		}
		last = rec.At
		r.records = append(r.records, rec)
		if m, ok := markOf(rec.At, rec.Event); ok {
			r.Marks = append(r.Marks, m)
		}
		switch e := rec.Event.(type) {
		case upgrade.Planned:
			r.Outline = e.Outline
		case upgrade.StepBegan, upgrade.StepStuck, upgrade.StepReturns, upgrade.StepUndoing, upgrade.StepUndone, upgrade.StepEnded, upgrade.Finished,
			cluster.Started, cluster.StopAsked, cluster.Exited, cluster.ApplicationStarted, cluster.ApplicationExited, Note:
			r.Moments = append(r.Moments, Moment{len(r.records), rec})
		}
	})
	return r, err
}

// Len is the number of records, and so the place at the end.
func (r *Recording) Len() int { return len(r.records) }

// Time is when the newest of so many records happened; of none, when it began.
func (r *Recording) Time(place int) time.Time {
	switch {
	case len(r.records) == 0:
		return r.Header.Began
	case place == 0:
		return r.records[0].At
	}
	return r.records[place-1].At
}

// Place is how many records had happened by then.
func (r *Recording) Place(at time.Time) int {
	return sort.Search(len(r.records), func(i int) bool { return r.records[i].At.After(at) })
}

// State folds the first records: from the place that was looked at last, or from
// the nearest state that was kept on the way.
func (r *Recording) State(place int) State {
	stride := max(leastStride, len(r.records)/mostKept+1)
	i := min(place/stride, len(r.kept)-1)
	at, s := i*stride, r.kept[i]
	if r.place > at && r.place <= place {
		at, s = r.place, r.state
	}
	for ; at < place; at++ {
		if at == len(r.kept)*stride {
			r.kept = append(r.kept, s)
		}
		s = s.Apply(r.records[at].At, r.records[at].Event)
	}
	r.place, r.state = place, s
	return s
}

// Watch shows every record, with the state after it.
func (r *Recording) Watch(w Watcher) {
	for i, rec := range r.records {
		w(rec, r.State(i+1))
	}
}
