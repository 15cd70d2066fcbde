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

// SummaryPrompt says what can be done at the end.
func SummaryPrompt(t theme.Theme) string {
	return t.Key.Render("q") + " " + t.Strong.Render("quit") + "   " + t.Key.Render("←") + t.Dim.Render(" leaf back")
}

// Summary tells what the whole rehearsal came to. The last line is a SummaryPrompt,
// or the Outlook of a recording.
func Summary(t theme.Theme, s rehearsal.State, prompt string, size Size) []string {
	p, f := s.Plan, s.World.Fleet
	var parts []part
	switch p.Outcome {
	case upgrade.OutcomeVerified:
		parts = append(parts, part{lines: wrap(t.Good, fmt.Sprintf("✓ Verified: every step did what it should, in %s.", clock(p.Ended.Sub(p.Began))), size.W)})
	default:
		parts = append(parts, part{lines: hang(t.Bad.Render("✗ "), t.Bad, clean(string(p.Outcome)+": "+p.Reason), size.W)})
	}
	parts = append(parts, part{gap: true, lines: sideBySide(t, p, size.W)})
	for _, n := range p.Outline.Notes {
		parts = append(parts, part{lines: hang(t.Warn.Render("! "), t.Warn, clean(n), size.W)})
	}
	if f.Settled {
		away := "nobody was without a server"
		if f.Reconnects > 0 {
			away = fmt.Sprintf("%d times: %s at the median, %s at most", f.Reconnects, upgrade.Round(f.AwayP50), upgrade.Round(f.AwayMax))
		}
		parts = append(parts, part{gap: true, lines: append(
			hang(t.Dim.Render("Messages  "), t.Strong, fmt.Sprintf("%s expected = %s received − %s twice + %s lost",
				count(f.Expected), count(f.Received), count(f.Duplicated), count(f.Lost)), size.W),
			hang(t.Dim.Render("Away      "), t.Text, away, size.W)...,
		)})
	}
	parts = append(parts, part{lines: stored(t, f.Stored, size.W)})
	parts = append(parts, part{rank: 1, lines: takenBack(t, s, size.W)})
	all := nodes(s)
	parts = append(parts, part{rank: 1, gap: true, lines: nodeLines(t, all, size.W), brief: nodesAlike(t, all, size.W)})
	parts = append(parts, part{rank: 2, gap: true, lines: costs(t, p, f, size.W)})
	parts = append(parts, claimed(t, p, size.W)...)
	return prompted(t, parts, prompt, size)
}

// history is which versions a node ran.
type history struct {
	node, ran string
	temporary bool
}

func nodes(s rehearsal.State) []history {
	var out []history
	for _, n := range s.Plan.Outline.Topology.Nodes {
		var ran []string
		for _, l := range s.Lives {
			if l.Node == n.Name && l.Version != "" && (len(ran) == 0 || ran[len(ran)-1] != string(l.Version)) {
				ran = append(ran, string(l.Version))
			}
		}
		out = append(out, history{n.Name, strings.Join(ran, " → "), !n.Permanent})
	}
	return out
}

func nodeLines(t theme.Theme, all []history, w int) []string {
	var out []string
	for _, h := range all {
		out = append(out, cut(t.Node(h.node).Render(h.node)+"  "+h.styled(t), w))
	}
	return out
}

func (h history) styled(t theme.Theme) string {
	if h.temporary {
		return h.ran + t.Dim.Render("  temporary")
	}
	return h.ran
}

func (h history) alike(o history) bool { return h.ran == o.ran && h.temporary == o.temporary }

// nodesAlike is the same in one line, nodes that ran the same together.
func nodesAlike(t theme.Theme, all []history, w int) []string {
	var groups []string
	for i, h := range all {
		if slices.ContainsFunc(all[:i], h.alike) {
			continue
		}
		var names []string
		for _, o := range all[i:] {
			if o.alike(h) {
				names = append(names, t.Node(o.node).Render(o.node))
			}
		}
		groups = append(groups, strings.Join(names, " ")+"  "+h.styled(t))
	}
	return []string{cut(strings.Join(groups, "   "), w)}
}

// sideBySide is a table of the parts that the chapter compares.
func sideBySide(t theme.Theme, p upgrade.Progress, w int) []string {
	all := p.Compared()
	if len(all) == 0 {
		return nil
	}
	const cell = 16
	row := func(label string, words func(upgrade.PartCost) string) string {
		var cells strings.Builder
		for _, c := range all {
			fmt.Fprintf(&cells, "%*s", cell, words(c))
		}
		return between(label, cells.String(), w)
	}
	number := func(n func(upgrade.PartCost) uint64) func(upgrade.PartCost) string {
		return func(c upgrade.PartCost) string { return count(n(c)) }
	}
	span := func(d func(upgrade.PartCost) time.Duration) func(upgrade.PartCost) string {
		return func(c upgrade.PartCost) string { return upgrade.Round(d(c)) }
	}
	out := []string{t.Dim.Render(row("What each part cost", func(c upgrade.PartCost) string { return c.Part }))}
	out = append(out,
		row("Servers stopped", number(func(c upgrade.PartCost) uint64 { return uint64(c.Stops) })),
		row("Longest away", span(func(c upgrade.PartCost) time.Duration { return c.Away })),
		row("Reconnects", number(func(c upgrade.PartCost) uint64 { return uint64(c.Reconnects) })),
		row("Messages lost", number(func(c upgrade.PartCost) uint64 { return c.Lost })),
		row("Messages twice", number(func(c upgrade.PartCost) uint64 { return c.Duplicated })),
	)
	if slices.ContainsFunc(all, func(c upgrade.PartCost) bool { return c.Unanswered > 0 }) {
		out = append(out, row("Requests unanswered", number(func(c upgrade.PartCost) uint64 { return uint64(c.Unanswered) })))
	}
	if slices.ContainsFunc(all, func(c upgrade.PartCost) bool { return c.Stalls > 0 }) {
		out = append(
			out,
			row("Writes that stalled", number(func(c upgrade.PartCost) uint64 { return uint64(c.Stalls) })),
			row("Longest stall", span(func(c upgrade.PartCost) time.Duration { return c.Stall })),
		)
	}
	return append(out, row("Took", span(func(c upgrade.PartCost) time.Duration { return c.Took })))
}

// costs is a table of the steps that clients felt; how long a write stalled is in it if
// one did.
func costs(t theme.Theme, p upgrade.Progress, f cluster.Fleet, w int) []string {
	stalls := p.Between.Stalls > 0 || slices.ContainsFunc(p.Steps, func(st upgrade.StepProgress) bool { return st.Bill.Stalls > 0 })
	numbers := func(took, away, stall, lost, twice string) string {
		if stalls {
			return fmt.Sprintf("%8s %8s %8s %6s %5s", took, away, stall, lost, twice)
		}
		return fmt.Sprintf("%9s %9s %6s %6s", took, away, lost, twice)
	}
	span := func(d time.Duration) string {
		if d == 0 {
			return "–" // nobody was without a server, and nothing stalled
		}
		return upgrade.Round(d)
	}
	out := []string{between(t.Dim.Render("What each step cost"), t.Dim.Render(numbers("took", "away", "stalled", "lost", "twice")), w)}
	for i, st := range p.Steps {
		if st.Impact.Quiet() && st.Bill.Stalls == 0 {
			continue
		}
		im := st.Impact
		line := t.Dim.Render(fmt.Sprintf("%2d ", i+1)) + st.Title + t.Dim.Render("  "+im.Went())
		out = append(out, between(line, numbers(upgrade.Round(st.Took), span(im.LongestAway), span(st.Bill.Longest), count(im.Lost), count(im.Duplicated)), w))
	}
	if lost, twice := betweenSteps(p, f); lost+twice > 0 || p.Between.Stalls > 0 {
		out = append(out, between("   Between the steps", numbers("", "", span(p.Between.Longest), count(lost), count(twice)), w))
	}
	if len(out) == 1 {
		return nil
	}
	return out
}

// betweenSteps is what no step accounts for, nor one that was taken back: what keys
// and other terminals did. Of steps whose ledger was closed it knows nothing.
func betweenSteps(p upgrade.Progress, f cluster.Fleet) (lost, twice uint64) {
	if f.Ledger > 0 {
		return 0, 0
	}
	lost, twice = f.Lost, f.Duplicated
	spend := func(im upgrade.Impact) {
		lost -= min(lost, im.Lost)
		twice -= min(twice, im.Duplicated)
	}
	for _, st := range p.Steps {
		spend(st.Impact)
	}
	for _, x := range p.Taken {
		spend(x.Was.Impact)
		spend(x.Undo)
	}
	return lost, twice
}

// stored tells what came of the messages that a stream has acknowledged.
func stored(t theme.Theme, s cluster.Stored, w int) []string {
	if !s.Looked {
		return nil
	}
	style := t.Strong
	words := fmt.Sprintf("%s acknowledged, %s found", count(s.Acked), count(s.Found))
	if s.Missing > 0 {
		style = t.Bad
		words += fmt.Sprintf(", %s MISSING", count(s.Missing))
	}
	if s.Twice > 0 {
		words += fmt.Sprintf(", %s twice", count(s.Twice))
	}
	if s.Unsure > 0 {
		words += fmt.Sprintf("; of %s nobody knows", count(s.Unsure))
	}
	if s.Stalls > 0 {
		words += fmt.Sprintf("; %s stalled, %s at most", count(s.Stalls), upgrade.Round(s.StallMax))
	}
	if s.KVStalls > 0 {
		words += fmt.Sprintf("; %s of the bucket's values, %s at most", count(s.KVStalls), upgrade.Round(s.KVStallMax))
	}
	return hang(t.Dim.Render("Stream    "), style, words, w)
}

// takenBack tells that steps were taken back, and what that cost beside the steps as
// they stand; and that something was counted before.
func takenBack(t theme.Theme, s rehearsal.State, w int) []string {
	var out []string
	if n := len(s.Plan.Taken); n > 0 {
		out = append(out, hang(t.Dim.Render("Taken back  "), t.Text, upgrade.TakenWords(s.Plan.Taken), w)...)
	}
	for _, c := range s.Closed {
		out = append(out, hang(t.Dim.Render("Before    "), t.Text, rehearsal.ClosedWords(c), w)...)
	}
	return out
}

// claimed lists the text's sentences in a line each, those first that differ:
// where there is little room the others give way.
func claimed(t theme.Theme, p upgrade.Progress, w int) []part {
	var differ, others []string
	for _, st := range p.Steps {
		for _, f := range st.Findings {
			mark := t.Dim.Render("·")
			switch f.Stands {
			case upgrade.Holds:
				mark = t.Good.Render("✓")
			case upgrade.Differs:
				mark = t.Warn.Render("≠")
			case upgrade.Undecided:
			}
			words := f.Stands.Words()
			line := between(mark+" "+t.Quote.Render(cut(f.Text, w-len(words)-4)), t.Dim.Render(words), w)
			if f.Stands == upgrade.Differs {
				differ = append(differ, line)
			} else {
				others = append(others, line)
			}
		}
	}
	var parts []part
	for i, line := range append(differ, others...) {
		parts = append(parts, part{rank: 3 + i, lines: []string{line}})
	}
	if len(parts) > 0 {
		parts[0].gap = true
		parts[0].lines = append([]string{t.Dim.Render("What the text says")}, parts[0].lines...)
	}
	return parts
}

// Header is the first line: where I am, and whether it is recorded.
func Header(t theme.Theme, s rehearsal.State, page int, elapsed string, recorded bool, w int) string {
	o := s.Plan.Outline
	left := t.Step.Render(" nats-roll") + "  "
	if recorded {
		left = t.Bar.Render(" REPLAY ") + "   "
	}
	switch {
	case o.Title == "":
		left += t.Strong.Render("Rolling upgrade")
	case o.From.Same(o.To):
		left += t.Warn.Render("Restart only, " + o.To.String() + " on both sides")
	default:
		left += t.Strong.Render(o.Title) + "  " + versions(t, o.From, o.To)
	}
	n := len(s.Plan.Steps)
	if n == 0 {
		return between(left, elapsed+" ", w)
	}
	done := 0
	for _, st := range s.Plan.Steps {
		if st.Status.Over() {
			done++
		}
	}
	where := "introduction"
	switch {
	case page >= n:
		where = "the end"
	case page >= 0:
		where = fmt.Sprintf("step %d of %d", page+1, n)
	}
	bar := t.Step.Render(strings.Repeat("━", done)) + t.Border.Render(strings.Repeat("─", n-done))
	if ansi.StringWidth(left)+len(where)+n+len(elapsed)+7 > w { // the versions matter more
		return between(left, "  "+t.Dim.Render(where)+"  "+elapsed+" ", w)
	}
	return between(left, t.Dim.Render(where)+"  "+bar+"  "+elapsed+" ", w)
}

func versions(t theme.Theme, from, to cluster.Builds) string {
	return from.String() + t.Dim.Render(" → ") + t.Strong.Render(to.String())
}
