package view

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"nats-roll/tui/theme"
	"nats-roll/upgrade"
)

// StepTitle is the title of a step's panel, and its status for the other end.
func StepTitle(t theme.Theme, number int, st upgrade.StepProgress, now time.Time) (title, aside string) {
	title = t.Step.Render(fmt.Sprintf("%d  %s", number, st.Title))
	switch st.Status {
	case upgrade.Verified:
		aside = t.Good.Render("✓ done in " + upgrade.Round(st.Took))
		if st.How == upgrade.ByHand {
			aside = t.Good.Render("✓ done by hand")
		}
	case upgrade.Forced:
		aside = t.Warn.Render("! passed by force")
	case upgrade.Failed:
		aside = t.Bad.Render("✗ failed")
	case upgrade.Returned:
		aside = t.Warn.Render("↶ rolled back in " + upgrade.Round(st.Took))
	case upgrade.Skipped:
		aside = t.Dim.Render("skipped")
	case upgrade.Returning:
		aside = t.Warn.Render("going back")
	case upgrade.Undoing:
		aside = t.Warn.Render("taking it back")
	case upgrade.Stuck:
		aside = t.Bad.Render("✗ stuck")
	case upgrade.Blocked:
		aside = t.Warn.Render("! something is missing")
	case upgrade.Acting, upgrade.Checking:
		aside = t.Warn.Render("working " + clock(now.Sub(st.Began)))
	case upgrade.Ready, upgrade.Pending:
	}
	return title, aside
}

// Step tells a step: what it is for and its command before, what was seen
// after. The last line is a Prompt, or the Outlook of a recording.
func Step(t theme.Theme, st upgrade.StepProgress, help Help, prompt string, size Size) []string {
	var parts []part
	over := st.Status.Over()
	why, quote, needs := 3, 5, 6
	if help != NoHelp { // what was asked for comes first now
		why, quote, needs = 8, 9, 10
	}
	switch help {
	case Hint:
		parts = append(parts, part{lines: hang(t.Key.Render("Hint  "), t.Text, st.Hint, size.W)})
	case Elsewhere:
		parts = append(parts, part{lines: elsewhere(t, st, size.W)})
	case NoHelp:
	}
	if over { // what was seen comes first now
		why, quote = 12, 11
	}
	keep := 0
	if st.Status == upgrade.Ready && help == NoHelp && size.H >= roomy {
		keep = 2 // nobody should do what they are not told why; what will be checked is told again afterwards
	}
	parts = append(parts, part{rank: why, gap: help != NoHelp, whole: over, keep: keep, text: true, lines: wrap(t.Text, st.Why, size.W)})
	if st.Quote != "" {
		parts = append(parts, part{rank: quote, gap: true, whole: true, lines: hang(t.Dim.Render("The text  "), t.Quote, quoted(st.StepOutline), size.W)})
	}
	if st.Command != "" && help != Elsewhere {
		rank := 1
		if over {
			rank = 10
		}
		parts = append(parts, part{rank: rank, gap: true, whole: true, lines: command(t.Command, "$ ", st.Command, size.W), brief: briefCommand(t.Command, "$ ", st.Command, size.W)})
	}
	if st.Shell != "" && !over && help == NoHelp {
		parts = append(parts, part{rank: 7, lines: []string{cut(t.Dim.Render("  y copies it as it can be typed in another terminal"), size.W)}})
	}
	if st.Status == upgrade.Blocked || st.Reason != "" {
		parts = append(parts, part{gap: true, lines: trouble(t, st, size.W)})
	}
	if st.Status == upgrade.Ready {
		parts = append(parts, part{rank: needs, gap: true, lines: ready(t, st, size.W)})
	}
	parts = append(parts, part{rank: 1, gap: true, lines: checks(t, st, size), brief: briefChecks(t, st, size.W)})
	if over {
		parts = append(parts, part{gap: true, lines: happened(t, st, size.W)})
		for i, s := range st.Told {
			parts = append(parts, part{gap: i == 0, rank: 2, text: true, lines: hang(t.Dim.Render("= "), t.Text, clean(s), size.W)})
		}
		for i, f := range st.Findings {
			rank := 3 + i
			if f.Stands != upgrade.Differs { // where there is little room, what differs is more worth knowing
				rank += len(st.Findings)
			}
			parts = append(parts, part{gap: i == 0, rank: rank, whole: true, lines: finding(t, f, size.W)})
			if len(f.Because) > 0 { // what explains it gives way to all that was seen
				parts = append(parts, part{rank: 20 + i, whole: true, lines: because(t, f, size)})
			}
		}
	}
	return prompted(t, parts, prompt, size)
}

// roomy is the height from which a step has room for more than its command.
const roomy = 8

// Help is how much help there is with a step, besides its command: none, a hint,
// or how to do it in another terminal.
type Help int

// The levels of help. Doing it is the last one, and Enter's.
const (
	NoHelp Help = iota
	Hint
	Elsewhere
)

// Next is the level after this one that a step has.
func (h Help) Next(st upgrade.StepProgress) Help {
	for h++; h <= Elsewhere; h++ {
		if h == Hint && st.Hint != "" || h == Elsewhere && st.Command != "" {
			return h
		}
	}
	return NoHelp
}

// elsewhere tells how to do a step in another terminal, and what is seen there.
func elsewhere(t theme.Theme, st upgrade.StepProgress, w int) []string {
	then := "the step goes on by itself"
	if !st.ByHand {
		then = "the step waits for ⏎ all the same"
	}
	out := []string{cut(t.Key.Render("In another terminal")+t.Dim.Render("  y copies it; "+then), w)}
	out = append(out, command(t.Command, "$ ", cmp.Or(st.Shell, st.Command), w)...)
	if st.See != "" {
		out = append(out, hang(t.Dim.Render("There you see  "), t.Text, st.See, w)...)
	}
	return out
}

// helps says what h does on a step.
func helps(t theme.Theme, st upgrade.StepProgress, help Help) string {
	words := map[Help]string{Hint: "hint", Elsewhere: "do it yourself", NoHelp: "less"}
	next := help.Next(st)
	if next == help {
		return ""
	}
	return "   " + t.Key.Render("h") + t.Dim.Render(" "+words[next])
}

// quoted is the text's sentence, with where it stands.
func quoted(st upgrade.StepOutline) string {
	if st.Where == "" { // an older recording
		return "“" + st.Quote + "”"
	}
	return "“" + st.Quote + "” (" + st.Where + ")"
}

// Endless is the height at which nothing has to be left out.
const Endless = 1 << 20

// whole leaves out the last things that a prompt says, until the rest has room. What is
// left out is among the keys, and no word is cut.
func whole(prompt string, w int) string {
	for ansi.StringWidth(prompt) > w {
		i := strings.LastIndex(prompt, "  ")
		if i < 0 {
			return cut(prompt, w)
		}
		prompt = strings.TrimRight(prompt[:i], " ")
	}
	return prompt
}

// prompted arranges parts above a last line that says what Enter does, and
// whether there is more than is seen.
func prompted(t theme.Theme, parts []part, prompt string, size Size) []string {
	lines, more := arrange(parts, size.H-1)
	if size.H == Endless {
		return append(lines, "", whole(prompt, size.W))
	}
	for len(lines) < size.H-1 {
		lines = append(lines, "")
	}
	if more {
		words := "  " + More
		if ansi.StringWidth(prompt)+ansi.StringWidth(words) > size.W {
			words = "  z more"
		}
		prompt = between(whole(prompt, size.W-ansi.StringWidth(words)), t.Dim.Render(words), size.W)
	}
	return append(lines, whole(prompt, size.W))
}

// More says how to see what there was no room for.
const More = "z shows all of it"

// trouble is what keeps a step from going on.
func trouble(t theme.Theme, st upgrade.StepProgress, w int) []string {
	var out []string
	if st.Reason != "" {
		out = append(out, hang(t.Bad.Render("✗ "), t.Bad, clean(st.Reason), w)...)
	}
	if st.Status == upgrade.Blocked {
		for _, g := range st.Given {
			if !g.Met {
				out = append(out, result(t, g, w)...)
			}
		}
		out = append([]string{t.Warn.Render("Before this step can be done")}, out...)
	}
	return out
}

// ready lists what was looked at before anything is done, where there is room.
func ready(t theme.Theme, st upgrade.StepProgress, w int) []string {
	if len(st.Given) == 0 {
		return nil
	}
	out := []string{t.Dim.Render("What it needs is there")}
	for _, g := range st.Given {
		out = append(out, result(t, g, w)...)
	}
	return out
}

// checks lists what must hold, with the evidence for each.
func checks(t theme.Theme, st upgrade.StepProgress, size Size) []string {
	out := []string{t.Dim.Render(mustHold(st))}
	for _, c := range st.Checks {
		out = append(out, result(t, c, size.W)...)
	}
	return out
}

// briefChecks is the same where there is little room: one paragraph as long as nothing
// was done, then a line for each check that holds.
func briefChecks(t theme.Theme, st upgrade.StepProgress, w int) []string {
	if st.Status == upgrade.Ready {
		var texts []string
		for _, c := range st.Checks {
			texts = append(texts, c.Text)
		}
		return wrap(t.Dim, mustHold(st)+": "+strings.Join(texts, " · "), w)
	}
	out := []string{t.Dim.Render(mustHold(st))}
	for _, c := range st.Checks {
		if !c.Met {
			out = append(out, result(t, c, w)...)
			continue
		}
		line := t.Good.Render("✓ ") + t.Text.Render(c.Text)
		if c.Detail != "" {
			line += "  " + t.Dim.Render(clean(c.Detail))
		}
		out = append(out, cut(line, w))
	}
	return out
}

// mustHold is the head of the checks.
func mustHold(st upgrade.StepProgress) string {
	switch {
	case st.Status.Over():
		return "What was checked"
	case st.Reversed:
		return "It is taken back when this holds"
	}
	return "Then this must hold"
}

func result(t theme.Theme, r upgrade.Result, w int) []string {
	mark, style := t.Dim.Render("○ "), t.Text
	switch {
	case r.Met:
		mark = t.Good.Render("✓ ")
	case r.Known:
		mark, style = t.Warn.Render("✗ "), t.Text
	}
	line := style.Render(r.Text)
	if r.Detail == "" {
		return hang(mark, style, r.Text, w)
	}
	if n := len([]rune(r.Text)) + len([]rune(r.Detail)) + 4; n <= w {
		return []string{mark + line + "  " + t.Dim.Render(clean(r.Detail))}
	}
	return append(hang(mark, style, r.Text, w), hang("    ", t.Dim, clean(r.Detail), w)...)
}

// happened tells what the step did to the clients.
func happened(t theme.Theme, st upgrade.StepProgress, w int) []string {
	words := st.Cost()
	if words == "" {
		return nil
	}
	return hang(t.Dim.Render("The clients  "), t.Strong, words, w)
}

// finding sets what the text claims beside what was seen.
func finding(t theme.Theme, f upgrade.Finding, w int) []string {
	mark := t.Dim.Render("· " + f.Stands.Words() + "  ")
	switch f.Stands {
	case upgrade.Holds:
		mark = t.Good.Render("✓ " + f.Stands.Words() + "  ")
	case upgrade.Differs:
		mark = t.Warn.Render("≠ " + f.Stands.Words() + "  ")
	case upgrade.Undecided:
	}
	out := hang(t.Dim.Render("The text  "), t.Quote, "“"+f.Text+"”", w)
	return append(out, hang("    "+mark, t.Text, clean(f.Detail), w)...)
}

// because tells why something differs from the text, and since when; with room for
// everything also where that can be read.
func because(t theme.Theme, f upgrade.Finding, size Size) []string {
	var out []string
	for _, c := range f.Because {
		out = append(out, hang("    ", t.Dim, fmt.Sprintf("%s, since %s: %s", c.How, c.Since, c.Why), size.W)...)
		if size.H == Endless {
			out = append(out, hang("    ", t.Dim, c.Source, size.W)...)
		}
	}
	return out
}

// Prompt says what Enter does, and h. next is the title of the step that follows; empty for
// the last.
func Prompt(t theme.Theme, st upgrade.StepProgress, help Help, next string) string {
	enter := t.Key.Render("⏎") + " "
	switch st.Status {
	case upgrade.Ready:
		return enter + t.Strong.Render(lower(st.Title)) + helps(t, st, help)
	case upgrade.Blocked:
		return enter + t.Strong.Render("bring about what is missing") + t.Dim.Render("   or do it yourself")
	case upgrade.Stuck:
		back := ""
		if len(st.Back) > 0 {
			back = "   " + t.Key.Render("r") + " " + t.Strong.Render("roll back")
		}
		return enter + t.Strong.Render("try again") + back + "   " + t.Key.Render("f") + " " + t.Strong.Render("go on anyway")
	case upgrade.Acting, upgrade.Checking, upgrade.Returning, upgrade.Undoing:
		return t.Dim.Render("… " + waiting(st))
	case upgrade.Failed:
		return t.Dim.Render("the plan ended here")
	case upgrade.Verified, upgrade.Forced, upgrade.Returned, upgrade.Skipped:
		if next == "" {
			return enter + t.Strong.Render("what it all came to")
		}
		return enter + t.Strong.Render("next: "+next)
	case upgrade.Pending:
	}
	return t.Dim.Render("its turn comes later")
}

// Ahead says what can be done on the page of a step that is not reached yet.
func Ahead(t theme.Theme) string {
	return t.Dim.Render("its turn comes later   ") + t.Key.Render("J") + " " + t.Strong.Render("do what comes before it")
}

// waiting names what a working step waits for.
func waiting(st upgrade.StepProgress) string {
	if st.Status == upgrade.Acting {
		return "working"
	}
	for _, c := range st.Checks {
		if !c.Met {
			return "waiting until " + c.Text
		}
	}
	return "looking"
}

func lower(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
