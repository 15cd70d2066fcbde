package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/tui/theme"
	"nats-roll/upgrade"
)

// Tape is where one is in a recording, and how one goes on.
type Tape struct {
	Began, At, Ended time.Time
	Marks            []rehearsal.Mark
	State            string // playing, paused
	Speed            string // ×4
	Happened         string // the last moment
	Source           string // when it was recorded, and by whom
}

// Scrubber is a thin line that is the recording, from its beginning to its end, with
// the place where one is, and which server was started (↑) or stopped (↓) when. What
// has happened stands left of the place.
func Scrubber(t theme.Theme, p Tape, w int) string {
	all := p.Ended.Sub(p.Began)
	total := stopwatch(all)
	now := right(stopwatch(p.At.Sub(p.Began)), len(total))
	room := w - 2*len(total) - 4
	if room < 10 {
		return cut(" "+now+" of "+total, w)
	}
	cell := func(at time.Time, width int) int {
		if all <= 0 {
			return room - width
		}
		return int(float64(room-width)*float64(at.Sub(p.Began))/float64(all) + 0.5)
	}
	var items []item
	placed := false
	place := item{cell(p.At, 1), 1, t.Key.Render("●")}
	for _, m := range p.Marks {
		if !placed && m.At.After(p.At) {
			items, placed = append(items, place), true
		}
		items = append(items, item{cell(m.At, 2), 2, t.Node(m.Node).Render(markGlyph(m.What) + m.Node)})
	}
	if !placed {
		items = append(items, place)
	}
	var track strings.Builder
	line, at := t.Step.Render("━"), 0
	for _, i := range aside(items, room) {
		track.WriteString(strings.Repeat(line, i.at-at) + i.text)
		if at = i.at + i.width; i.width == 1 {
			line = t.Border.Render("─")
		}
	}
	track.WriteString(strings.Repeat(line, room-at))
	return " " + now + " " + track.String() + " " + t.Dim.Render(total) + " "
}

// item is something on a line of cells.
type item struct {
	at, width int
	text      string
}

// astray is how far a mark may stand from its place because of others before it.
const astray = 16

// aside moves items that would overlap beside each other, within w cells. A mark
// that would come to stand too far off is left out.
func aside(items []item, w int) []item {
	var out []item
	free, taken := 0, 0
	for _, i := range items {
		if i.width > 1 && (free-i.at > astray || taken+i.width >= w) {
			continue
		}
		i.at = max(i.at, free)
		free, taken = i.at+i.width, taken+i.width
		out = append(out, i)
	}
	for n := range slices.Backward(out) {
		out[n].at = min(out[n].at, w-out[n].width)
		w = out[n].at
	}
	return out
}

// stopwatch tells a time within a recording; what happens in a roll is milliseconds
// apart.
func stopwatch(d time.Duration) string {
	d = max(0, d)
	return fmt.Sprintf("%s.%03d", clock(d), d.Milliseconds()%1000)
}

// TapeLines are the scrubber and, in a second line, how the recording goes on, what
// happened last, and where it is from. Where there is room for one, that has both.
func TapeLines(t theme.Theme, p Tape, w int, one bool) []string {
	how := " " + t.Strong.Render(pad(p.State, 8)) + pad(p.Speed, 4)
	if one {
		return []string{how + Scrubber(t, p, w-ansi.StringWidth(how))}
	}
	return []string{Scrubber(t, p, w), tapeLine(t, p, how, w)}
}

func tapeLine(t theme.Theme, p Tape, how string, w int) string {
	left := how + " "
	source := t.Dim.Render(p.Source) + " "
	room := w - ansi.StringWidth(left) - ansi.StringWidth(source) - 1
	return left + pad(cut(p.Happened, room), room) + " " + source
}

// Happened tells an event of a rehearsal in a few words.
func Happened(e cluster.Event, o upgrade.Outline) string {
	title := func(id string) string {
		for _, s := range o.Steps {
			if s.ID == id {
				return s.Title
			}
		}
		return id
	}
	text := ""
	switch e := e.(type) {
	case upgrade.StepBegan:
		text = title(e.ID) + ": begins"
		if e.How == upgrade.ByHand {
			text = title(e.ID) + ": found done"
		}
	case upgrade.StepStuck:
		text = title(e.ID) + ": stuck, " + e.Reason
	case upgrade.StepReturns:
		text = title(e.ID) + ": going back"
	case upgrade.StepUndoing:
		text = title(e.ID) + ": taking it back"
	case upgrade.StepUndone:
		text = title(e.ID) + ": taken back in " + upgrade.Round(e.Took)
	case upgrade.StepEnded:
		text = fmt.Sprintf("%s: %s in %s", title(e.ID), e.Status, upgrade.Round(e.Took))
	case upgrade.Finished:
		text = "the plan is over: " + string(e.Outcome)
	case cluster.Started:
		text = fmt.Sprintf("%s starts, %s, pid %d", e.Node, e.Process.Build, e.Process.PID)
	case cluster.StopAsked:
		text = fmt.Sprintf("%s gets %s", e.Node, e.Stop.Signal())
	case cluster.Exited:
		text = e.Node + " is gone: " + e.Exit.String()
		if !e.Exit.Asked {
			text = e.Node + " died: " + e.Exit.String()
		}
	case cluster.ApplicationStarted:
		text = fmt.Sprintf("%s starts, pid %d", e.Name, e.PID)
	case cluster.ApplicationExited:
		text = e.Name + " has ended: " + e.Exit.String()
	case rehearsal.Note:
		text = e.Text
	}
	return clean(text)
}

// Outlook says what a page of a recording waits for, or what came after it.
func Outlook(t theme.Theme, s rehearsal.State, page int) string {
	return t.Dim.Render(outlook(s, page))
}

func outlook(s rehearsal.State, page int) string {
	p := s.Plan
	switch p.Outcome {
	case upgrade.OutcomeVerified:
		return "the end of the plan"
	case upgrade.OutcomeFailed, upgrade.OutcomeAborted:
		return "the plan ended here: " + string(p.Outcome)
	}
	if page >= 0 && page < len(p.Steps) {
		switch st := p.Steps[page]; st.Status {
		case upgrade.Blocked:
			return "… something is missing"
		case upgrade.Stuck:
			return "… somebody has to decide"
		case upgrade.Acting, upgrade.Checking, upgrade.Returning, upgrade.Undoing:
			return "… " + waiting(st)
		case upgrade.Pending, upgrade.Ready, upgrade.Verified, upgrade.Forced, upgrade.Failed, upgrade.Returned, upgrade.Skipped:
		}
	}
	switch {
	case len(p.Steps) == 0 && Hopeless(s):
		return "it never came to a plan"
	case len(p.Steps) == 0:
		return "… getting the servers ready"
	case page+1 >= len(p.Steps):
		return "then: what it all came to"
	}
	return "then: " + p.Steps[page+1].Title
}
