package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"nats-roll/rehearsal"
	"nats-roll/tui/theme"
	"nats-roll/upgrade"
)

// Walked is how a chapter was last walked to its end: when, and how long that took
// somebody; 0 if nobody was there.
type Walked struct {
	At   time.Time
	Took time.Duration
}

// Chapters lists the chapters: which of them were walked to their end, how long
// each takes, what it is about. One of them is picked; what that one
// is about stands below the others, too, where a row has no room for it.
func Chapters(t theme.Theme, s rehearsal.State, walked map[string]Walked, picked, w int) []string {
	out := []string{cut(t.Dim.Render(pad("      chapter", 20)+pad("takes", 14)+"what it walks"), w)}
	room := 0
	for i, c := range upgrade.Chapters {
		here, mark, takes := "  ", t.Dim.Render("○"), c.Takes
		if strings.HasSuffix(takes, "minutes") {
			takes = "~ " + takes
		}
		if done, ok := walked[c.Name]; ok {
			mark = t.Good.Render("✓")
			if done.Took > 0 {
				takes = spent(done.Took)
			}
		}
		if p := s.Plan; p.Outline.Chapter == c.Name {
			here = t.Warn.Render("▸ ")
			if p.Outcome == upgrade.OutcomeVerified {
				mark, takes = t.Good.Render("✓"), spent(p.Ended.Sub(p.Began))
			}
		}
		cursor, style := "  ", t.Text
		if i == picked {
			cursor, style = t.Key.Render("▌ "), t.Strong
		}
		row := cursor + here + mark + " " + style.Render(pad(c.Name, 13)) + " " + t.Dim.Render(pad(takes, 13)) + " "
		room = w - ansi.StringWidth(row)
		out = append(out, cut(row+style.Render(c.About), w))
	}
	short := func(c upgrade.Chapter) bool { return ansi.StringWidth(c.About) > room }
	if slices.ContainsFunc(upgrade.Chapters, short) {
		about := append(hang("    ", t.Strong, upgrade.Chapters[picked].About, w), "")
		out = append(out, about[:2]...) // two lines for each, so that nothing jumps
	}
	return append(out, wrap(t.Dim, "▸ you are here   ✓ walked to its end on this machine   ○ not yet", w)...)
}

// spent tells how long somebody took.
func spent(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
}

// Steps lists the steps of the chapter that is walked, and where each stands.
func Steps(t theme.Theme, s rehearsal.State, w int) []string {
	o := s.Plan.Outline
	if len(s.Plan.Steps) == 0 {
		return wrap(t.Dim, "The steps are known once the servers' binaries are at hand.", w)
	}
	out := []string{cut(t.Dim.Render(fmt.Sprintf("%s, %d steps", o.Title, len(s.Plan.Steps))), w)}
	part := ""
	for i, st := range s.Plan.Steps {
		if st.Part != part {
			part = st.Part
			out = append(out, "", cut(t.Strong.Render(part), w))
		}
		mark := t.Dim.Render("○")
		switch {
		case st.Status == upgrade.Verified:
			mark = t.Good.Render("✓")
		case st.Status == upgrade.Failed:
			mark = t.Bad.Render("✗")
		case st.Status.Over():
			mark = t.Warn.Render("!")
		case i == s.Plan.Current:
			mark = t.Warn.Render("▸")
		}
		out = append(out, cut(fmt.Sprintf("  %s %2d  %s", mark, i+1, t.Text.Render(st.Title)), w))
	}
	return out
}
