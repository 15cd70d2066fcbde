package rehearsal

import (
	"fmt"
	"slices"
	"time"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// How much of the past a State keeps. The slots' files and the event log keep
// all of it.
const (
	keepLines   = 5000
	keepSamples = 2400
	keepMarks   = 200
	keepNotes   = 100
)

// State is everything a screen, a report or a verdict is drawn from. It is a
// fold over events and is never changed: Apply returns a new one.
type State struct {
	Seq    uint64 // of the last event
	At     time.Time
	Began  time.Time
	World  cluster.Observation
	Plan   upgrade.Progress
	Builds []Want // what was asked for, and how getting it stands
	Lines  Tail[cluster.LogLine]
	// Skipped counts log lines that came faster than they are shown.
	Skipped int
	Traffic Tail[Sample]
	Marks   []Mark
	Notes   []Note
	Lives   []Life
	Limits  []Limit // what it may cost
	Deeds   []Deed  // everything that was done, in order
	// Closed are the ledgers of clients that were disconnected: what is counted now
	// does not contain them. Traffic goes on from them.
	Closed []cluster.Totals
}

// Life is one server process from its start to its end.
type Life struct {
	Node    string
	PID     int
	Version cluster.Version // as it answered; empty if it never did
	Started time.Time
	Up      time.Time     // its first answer; zero if it never answered
	Exit    *cluster.Exit // nil while it lives
}

// Want is a build that the rehearsal needs.
type Want struct {
	Role    string // from or to; "to A" if it is that server's own
	Want    string
	Detail  string
	Build   cluster.Build // zero until it is at hand
	Reason  string        // why it is not to be had
	Hint    string
	Instead bool // Build stands in for what was wanted
}

// Sample is the fleet's totals at one time.
type Sample struct {
	At                                    time.Time
	Published, Received, Lost, Duplicated uint64
}

// Mark is a moment on the time axis: a server started, was asked to stop, or
// ended by itself.
type Mark struct {
	At   time.Time
	Node string
	What MarkKind
	Stop cluster.Stop // how it was asked, if it was
}

// MarkKind is what happened at a mark.
type MarkKind string

// The kinds of marks.
const (
	MarkStarted MarkKind = "started"
	MarkStopped MarkKind = "stopped"
	MarkDied    MarkKind = "died"
)

// markOf is the mark that an event makes on the time axis, if it makes one.
func markOf(at time.Time, e cluster.Event) (Mark, bool) {
	switch e := e.(type) {
	case cluster.Started:
		return Mark{At: at, Node: e.Node, What: MarkStarted}, true
	case cluster.StopAsked:
		return Mark{At: at, Node: e.Node, What: MarkStopped, Stop: e.Stop}, true
	case cluster.Exited:
		return Mark{At: at, Node: e.Node, What: MarkDied}, !e.Exit.Asked
	}
	return Mark{}, false
}

// Apply folds one event into the state. It is pure, and an event that it does
// not know changes only the sequence number.
func (s State) Apply(at time.Time, e cluster.Event) State {
	if s.Seq == 0 {
		s.Began = at
		s.Lines, s.Traffic = NewTail[cluster.LogLine](keepLines), NewTail[Sample](keepSamples)
	}
	s.Seq++
	s.At = at
	if p, ok := e.(upgrade.Planned); ok && len(s.World.Servers) == 0 {
		s.World = cluster.Observe(p.Outline.Topology)
	}
	s.Deeds = s.deeds(at, e)
	if t := s.World.Fleet.Totals; t.Published > 0 && isGone(e) {
		s.Closed = append(slices.Clone(s.Closed), t)
	}
	s.World = s.World.Apply(at, e)
	s.Plan = s.Plan.Apply(at, e)
	if m, ok := markOf(at, e); ok {
		s.Marks = append(slices.Clone(s.Marks[max(0, len(s.Marks)+1-keepMarks):]), m)
	}
	switch e := e.(type) {
	case cluster.Fetching:
		return s.want(e.Role, func(w *Want) { w.Want, w.Detail = e.Want, e.Detail })
	case cluster.Fetched:
		return s.want(e.Role, func(w *Want) { w.Build = e.Build })
	case cluster.FetchFailed:
		return s.want(e.Role, func(w *Want) {
			w.Want, w.Reason, w.Hint, w.Build, w.Instead = e.Want, e.Reason, e.Hint, e.Instead, !e.Instead.Zero()
		})
	case cluster.Logged:
		s.Lines, s.Skipped = s.Lines.Append(e.Lines...), s.Skipped+e.Skipped
	case cluster.FleetChanged:
		if p, ok := s.sample(e); ok {
			s.Traffic = s.Traffic.Append(p)
		}
	case cluster.Started:
		s.Lives = append(slices.Clone(s.Lives), Life{Node: e.Node, PID: e.Process.PID, Started: e.Process.Started})
	case cluster.Answered:
		return s.life(e.Answer.Node, func(l *Life) bool {
			if !l.Up.IsZero() || e.Answer.Began.Before(l.Started) {
				return false
			}
			l.Up, l.Version = e.Answer.Ended, e.Answer.Version
			return true
		})
	case cluster.Exited:
		s = s.life(e.Node, func(l *Life) bool { l.Exit = &e.Exit; return true })
		st, _ := s.Plan.Step()
		if !e.Exit.Asked && !slices.Contains(st.Expect, e.Node) {
			return s.note(Note{At: at, Text: fmt.Sprintf("%s ended without nats-roll asking for it: %s", e.Node, ended(e.Exit))})
		}
	case Budgeted:
		s.Limits = e.Limits
	case cluster.ApplicationExited:
		if !e.Exit.Asked {
			return s.note(Note{At: at, Text: fmt.Sprintf("%s ended by itself: %s", e.Name, ended(e.Exit))})
		}
	case Note:
		e.At = at
		return s.note(e)
	}
	return s
}

// ClosedWords tells of a ledger that was closed before the one that counts now.
func ClosedWords(t cluster.Totals) string {
	what := "which were still in flight when it was closed"
	if t.Settled {
		what = "which were all waited for"
	}
	return fmt.Sprintf("An earlier count, of %d messages, %s: %d received, %d lost, %d duplicated", t.Published, what, t.Received, t.Lost, t.Duplicated)
}

func isGone(e cluster.Event) bool {
	_, gone := e.(cluster.FleetGone)
	return gone
}

// sampleEvery is the part of a second of which there is one sample, unless something
// was lost or came twice, or the books are closed. A log has every event that makes
// a sample.
const sampleEvery = 250 * time.Millisecond

func (s State) sample(e cluster.FleetChanged) (p Sample, ok bool) {
	t := e.Totals
	p = Sample{At: e.At, Published: t.Published, Received: t.Received, Lost: t.Lost, Duplicated: t.Duplicated}
	for _, c := range s.Closed {
		p.Published, p.Received, p.Lost, p.Duplicated = p.Published+c.Published, p.Received+c.Received, p.Lost+c.Lost, p.Duplicated+c.Duplicated
	}
	n := s.Traffic.Len()
	if n == 0 {
		return p, true
	}
	last := s.Traffic.At(n - 1)
	return p, !p.At.Truncate(sampleEvery).Equal(last.At.Truncate(sampleEvery)) || p.Lost != last.Lost || p.Duplicated != last.Duplicated ||
		t.Settled && (p.Published != last.Published || p.Received != last.Received)
}

func ended(e cluster.Exit) string {
	if e.Reason == "" {
		return e.String()
	}
	return e.String() + ", " + e.Reason
}

func (s State) want(role string, change func(*Want)) State {
	s.Builds = slices.Clone(s.Builds)
	i := slices.IndexFunc(s.Builds, func(w Want) bool { return w.Role == role })
	if i < 0 {
		i = len(s.Builds)
		s.Builds = append(s.Builds, Want{Role: role})
	}
	change(&s.Builds[i])
	return s
}

// life changes the newest life of a node, if change says that it has.
func (s State) life(node string, change func(*Life) bool) State {
	for i := len(s.Lives) - 1; i >= 0; i-- {
		if s.Lives[i].Node != node {
			continue
		}
		l := s.Lives[i]
		if change(&l) {
			s.Lives = slices.Clone(s.Lives)
			s.Lives[i] = l
		}
		return s
	}
	return s
}

func (s State) note(n Note) State {
	s.Notes = append(slices.Clone(s.Notes[max(0, len(s.Notes)+1-keepNotes):]), n)
	return s
}

// Note is something the person should know that belongs to no step: what a key
// could not do, or what happened without the program's doing. It is an event.
type Note struct {
	At   time.Time `json:"at,omitzero"`
	Text string    `json:"text"`
	Hint string    `json:"hint,omitempty"`
}

// Typed says that a person did something with a key, outside the plan: the
// command as it would be typed. Older programs told it; see upgrade.Doing.
type Typed struct {
	Command string `json:"command"`
}

// Budgeted says what the rehearsal may cost. It is an event, so that who reads
// the recording judges by the same limits.
type Budgeted struct {
	Limits []Limit `json:"limits"`
}

// Limit is a budget: the name of what is limited, and the most that is within
// it, in messages or nanoseconds.
type Limit struct {
	Name string `json:"name"`
	Most int64  `json:"most"`
}

// Kind is the event's name in the log.
func (Note) Kind() string     { return "note" }
func (Typed) Kind() string    { return "typed" }
func (Budgeted) Kind() string { return "budgeted" }
