package view

import (
	"nats-roll/rehearsal"
	"nats-roll/tui/theme"
	"nats-roll/upgrade"
)

// Commands is the list of everything that was done; at is where the newest
// begins.
func Commands(t theme.Theme, s rehearsal.State, w int) (lines []string, at int) {
	if len(s.Deeds) == 0 {
		return wrap(t.Dim, "Nothing was done yet.", w), -1
	}
	for i, d := range s.Deeds {
		if i > 0 {
			lines = append(lines, "")
		}
		at = len(lines)
		mark, end := t.Dim.Render("… "), ""
		switch {
		case d.Reason != "":
			mark = t.Bad.Render("✗ ")
		case d.By == upgrade.DoerUnasked:
			mark = t.Warn.Render("! ")
		case d.Over:
			mark = t.Good.Render("✓ ")
			if d.Took > 0 {
				end = "  " + upgrade.Round(d.Took)
			}
		}
		head := mark + t.Dim.Render(clock(d.At.Sub(s.Began))+"  ") + t.Strong.Render(string(d.By))
		title := titleOf(s, d.Step)
		if d.By == upgrade.DoerPlan && d.Step == "" {
			title = "before the first step"
		}
		if title != "" {
			head += "  " + t.Text.Render(title)
		}
		lines = append(lines, cut(head+t.Dim.Render(end), w))
		switch {
		case d.Command == "":
			lines = append(lines, hang("  ", t.Dim, "nats-roll does this itself; nobody types it", w)...)
		case d.By == upgrade.DoerUnasked || d.Verb == upgrade.VerbReplace && d.By == upgrade.DoerHand:
			lines = append(lines, hang("  ", t.Text, clean(d.Command), w)...)
		default:
			lines = append(lines, command(t.Command, "  $ ", clean(d.Command), w)...)
		}
		if d.Reason != "" {
			lines = append(lines, hang("  ", t.Bad, clean(d.Reason), w)...)
		}
	}
	return lines, at
}

// titleOf is the title of a step, by its id.
func titleOf(s rehearsal.State, id string) string {
	for _, st := range s.Plan.Steps {
		if st.ID == id {
			return st.Title
		}
	}
	return ""
}
