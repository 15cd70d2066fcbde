package view

import (
	"fmt"
	"slices"
	"strings"

	"nats-roll/advice"
	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/tui/theme"
	"nats-roll/upgrade"
)

// Welcome is what can be said before there is a plan.
const Welcome = "This is a rehearsal of a rolling upgrade, as the NATS tutorial “Upgrading a Cluster” tells it: " +
	"a cluster of real servers on this machine, upgraded one by one while clients are connected."

// What one has to know about a rehearsal that goes on, and about a recording.
const (
	Live = "Everything listens on localhost only. When you quit, every server is stopped and its folder removed. You may do any step by hand instead, with keys or in another terminal."
	Past = "This is a recording: the screen shows what was seen then, and nothing of it runs now."
)

// Offer is where the last rehearsal stopped, and the flags with which it was begun.
type Offer struct {
	Number, Of   int
	Title, Flags string
}

func (o Offer) words() string {
	with := ""
	if o.Flags != "" {
		with = ", with " + o.Flags + ","
	}
	return clean(fmt.Sprintf("Last time%s you got to step %d of %d, %s. o brings that about again and goes on there.", with, o.Number, o.Of, o.Title))
}

// Intro tells what is going to happen, how getting the servers stands, and what else
// one has to know. The last line is an IntroPrompt, or the Outlook of a recording.
func Intro(t theme.Theme, s rehearsal.State, last *Offer, know, prompt string, size Size) []string {
	o := s.Plan.Outline
	text := Welcome
	if o.Intro != "" {
		text = "The NATS tutorial “Upgrading a Cluster”, on real servers. " + o.Intro
	}
	parts := []part{{rank: 2, text: true, lines: wrap(t.Text, text, size.W)}}
	for _, n := range o.Notes {
		parts = append(parts, part{gap: true, lines: hang(t.Warn.Render("! "), t.Warn, clean(n), size.W)})
	}
	if last != nil && s.Plan.Outcome == "" {
		parts = append(parts, part{gap: true, lines: wrap(t.Strong, last.words(), size.W)})
	}
	parts = append(parts, advised(t, o, size.W)...)
	var at []string
	for _, n := range o.Topology.Nodes {
		what := "clients %d  routes %d  monitoring %d"
		if !n.Permanent {
			what += "  temporary"
		}
		at = append(at, t.Node(n.Name).Render(n.Name)+"  "+t.Dim.Render(fmt.Sprintf(what, n.ClientPort, n.RoutePort, n.MonitorPort)))
	}
	if s.Plan.Outcome == upgrade.OutcomeFailed { // before the first step
		parts = append(parts, part{gap: true, lines: hang(t.Bad.Render("✗ "), t.Bad, clean(s.Plan.Reason), size.W)})
	}
	parts = append(parts, part{rank: 3, gap: true, whole: true, lines: at})
	parts = append(parts, part{gap: true, lines: wanted(t, s.Builds, size.W)})
	parts = append(parts, part{rank: 4, gap: true, text: true, lines: wrap(t.Dim,
		"“The text” on the pages that follow is that tutorial, which t opens; what it says stands beside what is seen. "+know, size.W)})
	return prompted(t, parts, prompt, size)
}

// advised is what is known about the steps, what warns first. The rest gives way
// before all else.
func advised(t theme.Theme, o upgrade.Outline, w int) []part {
	warns, rest := part{rank: 1, gap: true}, part{rank: 5, gap: true}
	if len(o.Advice.Blocking()) > 0 {
		warns.rank = 0
	}
	for _, r := range o.Advice.Brief() {
		style, to := t.Dim, &rest
		switch r.Severity {
		case advice.Block:
			style, to = t.Bad, &warns
		case advice.Warn:
			style, to = t.Warn, &warns
		case advice.Info:
		}
		to.lines = append(to.lines, hang(style.Render(fmt.Sprintf("%-6s", r.Severity)), t.Text, clean(r.Text), w)...)
	}
	return []part{warns, rest}
}

// wanted lists the two builds and how getting them stands.
func wanted(t theme.Theme, builds []rehearsal.Want, w int) []string {
	var out []string
	builds = slices.SortedFunc(slices.Values(builds), func(a, b rehearsal.Want) int { return strings.Compare(a.Role, b.Role) })
	width := 0
	for _, b := range builds {
		width = max(width, len(b.Role))
	}
	for _, b := range builds {
		role := t.Dim.Render(fmt.Sprintf("%-*s ", width, b.Role))
		switch {
		case b.Reason != "":
			out = append(out, hang(role+t.Bad.Render("✗ "), t.Text, clean(b.Reason), w)...)
			if b.Hint != "" {
				out = append(out, hang(strings.Repeat(" ", width+3), t.Dim, "hint: "+clean(b.Hint), w)...)
			}
		case !b.Build.Zero():
			out = append(out, cut(role+t.Good.Render("✓ ")+t.Strong.Render("nats-server "+b.Build.String())+t.Dim.Render("  "+source(b.Build)), w))
		default:
			detail := b.Detail
			if detail == "" {
				detail = "looking for it"
			}
			out = append(out, cut(role+t.Warn.Render("… ")+t.Strong.Render(b.Want)+t.Dim.Render("  "+clean(detail)), w))
		}
	}
	return out
}

// source says where a build came from in words.
func source(b cluster.Build) string {
	switch b.Source {
	case "embedded":
		return "inside this program"
	case "module":
		return "built with go install"
	case "path":
		return "a file of this machine"
	}
	return b.Source
}

// IntroPrompt says what Enter does on the introduction.
func IntroPrompt(t theme.Theme, s rehearsal.State, offers bool) string {
	enter := t.Key.Render("⏎") + " "
	switch {
	case s.Plan.Outcome == upgrade.OutcomeFailed:
		return t.Key.Render("q") + " " + t.Strong.Render("quit")
	case len(s.Plan.Steps) > 0:
		first := s.Plan.Steps[0]
		prompt := enter + t.Strong.Render("begin: "+first.Title)
		if first.Status.Over() { // it was done by hand
			prompt = enter + t.Strong.Render("next: "+first.Title)
		}
		if offers {
			prompt += "   " + t.Key.Render("o") + " " + t.Strong.Render("go on")
		}
		return prompt + "  " + t.Key.Render("C") + t.Dim.Render(" chapters") + "  " + t.Key.Render("g") + t.Dim.Render(" words")
	case Hopeless(s):
		return t.Key.Render("q") + " " + t.Strong.Render("quit")
	}
	return t.Dim.Render("… getting the servers ready")
}

// Hopeless says that a build is not to be had and nothing stands in for it.
func Hopeless(s rehearsal.State) bool {
	for _, b := range s.Builds {
		if b.Reason != "" && !b.Instead {
			return true
		}
	}
	return false
}
