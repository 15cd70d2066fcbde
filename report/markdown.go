package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"nats-roll/upgrade"
)

// trailsInMarkdown is how many ways of clients are told.
const trailsInMarkdown = 10

// Markdown writes the report as a pull-request comment would show it: first
// what it came to and what it cost, last what it was made with. What only some
// will read is folded.
func (r Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %s\n", cell(r.head()), r.verdict())
	if r.Reason != "" {
		fmt.Fprintf(&b, "\n**%s**\n", cell(r.Reason))
	} else if err := r.OverBudget(); err != nil {
		fmt.Fprintf(&b, "\n**%s**\n", cell(err.Error()))
	}
	if len(r.Steps) > 0 {
		fmt.Fprintf(&b, "\n%s\n", cell(strings.Join(r.summary(), " ")))
		r.failures(&b)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\n> %s\n", cell(n))
	}
	for _, w := range r.takenBack() {
		fmt.Fprintf(&b, "\n> %s\n", cell(w))
	}
	r.beside(&b)
	r.cost(&b)
	r.limits(&b)
	r.yours(&b)
	r.told(&b)
	r.differences(&b)
	r.known(&b)
	r.ways(&b)
	r.steps(&b)
	r.log(&b)
	r.servers(&b)
	fmt.Fprintf(&b, "\n%s", cell(r.made()))
	if len(r.Command) > 0 {
		fmt.Fprintf(&b, ": `%s`", strings.ReplaceAll(printable(r.commandLine()), "`", "'"))
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// failures tells of steps that are not as they should be: what did not hold, and
// what the server said.
func (r Report) failures(b *strings.Builder) {
	for _, s := range r.Steps {
		if s.Outcome != upgrade.Failed && s.Outcome != upgrade.Forced && s.Outcome != upgrade.Returned {
			continue
		}
		fmt.Fprintf(b, "\n**%s**: %s%s\n", cell(s.Title), s.Outcome, cell(dash(s.Reason)))
		for _, c := range s.Checks {
			if !c.OK {
				fmt.Fprintf(b, "- %s %s%s\n", c.mark(), cell(c.Text), cell(dash(c.Detail)))
			}
		}
		if len(s.Log) > 0 {
			fmt.Fprintf(b, "\n```text\n%s\n```\n", fenced(s.Log))
		}
	}
}

func (r Report) cost(b *strings.Builder) {
	if len(r.Steps) == 0 {
		return
	}
	b.WriteString("\n| step | outcome | took | clients moved | longest away | lost | duplicated |\n|---|---|--:|---|--:|--:|--:|\n")
	for _, s := range r.Steps {
		if !s.Outcome.Over() { // nothing was measured
			fmt.Fprintf(b, "| %s | %s | | | | | |\n", cell(s.Title), s.Outcome)
			continue
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n",
			cell(s.Title), s.Outcome, span(s.TookMS), went(s), span(s.GapMSMax), number(s.Lost), number(s.Duplicated))
		if w := s.waited(); w != "" {
			fmt.Fprintf(b, "| | | | %s | | | |\n", w)
		}
	}
	m := r.Messages
	fmt.Fprintf(b, "| **all** | **%s** | %s | %s | %s | **%s** | **%s** |\n",
		r.Outcome, span(r.TookMS), count(r.Reconnects.Count, "reconnect"), span(r.Reconnects.MaxMS), number(m.Lost), number(m.Duplicated))
	if m.Settled {
		fmt.Fprintf(b, "\n%s messages, each for %s: %s expected = %s received − %s duplicated + %s lost.\n", number(m.Published),
			count(r.Probe.Listeners, "listener"), number(m.Expected), number(m.Received), number(m.Duplicated), number(m.Lost))
	}
}

func (r Report) limits(b *strings.Builder) {
	if len(r.Budgets) == 0 {
		return
	}
	b.WriteString("\n| budget | limit | seen | | step that went over it |\n|---|--:|--:|---|---|\n")
	for _, x := range r.Budgets {
		fmt.Fprintf(b, "| %s: %s | %s | %s | **%s** | %s |\n",
			x.Name, x.limited().Noun, x.quantity(x.Limit), x.quantity(x.Seen), x.stands(), cell(r.stepTitle(x.Step)))
	}
}

func (r Report) yours(b *strings.Builder) {
	if len(r.Yours) == 0 {
		return
	}
	b.WriteString("\n| your clients | library | clients | were on | reconnects | longest away | noticed lame duck | |\n|---|---|--:|---|--:|--:|---|---|\n")
	for _, y := range r.Yours {
		end := ""
		if y.Died != "" {
			end = "**died**: " + cell(y.Died)
		}
		fmt.Fprintf(b, "| %s | %s | %d | %s | %d | %s | %s | %s |\n",
			cell(y.Name+dash(y.Command)), cell(y.library()), y.Clients, cell(y.way()), y.Reconnects, y.longest(), y.noticed(), end)
	}
}

func (r Report) differences(b *strings.Builder) {
	if len(r.Claims) == 0 {
		return
	}
	differ := r.differing()
	b.WriteString("\n## What was different from the text\n\n")
	if len(differ) == 0 {
		b.WriteString("Nothing.\n")
	} else {
		b.WriteString("| the text says | but | why | step |\n|---|---|---|---|\n")
	}
	for _, c := range differ {
		var why []string
		for _, x := range c.Because {
			why = append(why, fmt.Sprintf("%s (%s)", cell(because(x)), x.Source))
		}
		fmt.Fprintf(b, "| “%s” | %s | %s | %s |\n", cell(c.Text), cell(c.Detail), strings.Join(why, "<br>"), cell(r.stepTitle(c.Step)))
	}
	if len(differ) < len(r.Claims) {
		fold(b, "What else the text says", func() {
			b.WriteString("| the text says | | seen |\n|---|---|---|\n")
			for _, c := range r.Claims {
				if stands := c.stands(); stands != upgrade.Differs {
					fmt.Fprintf(b, "| “%s” | %s | %s |\n", cell(c.Text), stands.Words(), cell(c.Detail))
				}
			}
		})
	}
}

// told lists what the steps say of what was seen.
func (r Report) told(b *strings.Builder) {
	first := true
	for _, st := range r.Steps {
		for _, s := range st.Told {
			if first {
				b.WriteString("\n## What was seen\n\n| step | |\n|---|---|\n")
				first = false
			}
			fmt.Fprintf(b, "| %s | %s |\n", cell(st.Title), cell(s))
		}
	}
}

func (r Report) known(b *strings.Builder) {
	if len(r.Advice) == 0 {
		return
	}
	fold(b, "What was known about this step beforehand", func() {
		b.WriteString("| | here | finding | what to do |\n|---|---|---|---|\n")
		for _, f := range r.Advice {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", f.Severity, bears(f), cell(f.Text), cell(f.Remedy))
		}
	})
}

// bears says whether a finding matters to this rehearsal.
func bears(f Finding) string {
	if f.Matters {
		return "matters"
	}
	return "does not matter"
}

func (r Report) ways(b *strings.Builder) {
	if len(r.Clients) == 0 {
		return
	}
	fold(b, "Where the clients were", func() {
		b.WriteString("| clients | were on | longest away | lost | duplicated | who |\n|--:|---|--:|--:|--:|---|\n")
		for _, t := range r.trails(trailsInMarkdown) {
			fmt.Fprintf(b, "| %d | %s | %s | %s | %s | %s |\n", len(t.clients), cell(t.way()), span(t.longest()), number(t.lost), number(t.duplicated), cell(t.who()))
		}
	})
}

func (r Report) steps(b *strings.Builder) {
	if len(r.Steps) == 0 {
		return
	}
	fold(b, "The plan, with commands and checks", func() {
		for i, s := range r.Steps {
			if i > 0 {
				b.WriteString("\n")
			}
			fmt.Fprintf(b, "**%d. %s**: %s\n", i+1, cell(s.Title), s.Outcome)
			if s.Command != "" {
				fmt.Fprintf(b, "\n```bash\n%s\n```\n", fenced([]string{s.Command}))
			}
			b.WriteString("\n")
			for _, c := range s.Before {
				fmt.Fprintf(b, "- before: %s %s%s\n", c.mark(), cell(c.Text), cell(dash(c.Detail)))
			}
			for _, c := range s.Checks {
				fmt.Fprintf(b, "- %s %s%s\n", c.mark(), cell(c.Text), cell(dash(c.Detail)))
			}
		}
	})
}

// log lists everything that was done.
func (r Report) log(b *strings.Builder) {
	if len(r.Commands) == 0 {
		return
	}
	fold(b, "Everything that was done, in order", func() {
		b.WriteString("| at | who | command | |\n|--:|---|---|---|\n")
		for _, c := range r.Commands {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", clock(c.AtMS), c.By, cell(c.words(r)), cell(c.result()))
		}
	})
}

func (r Report) servers(b *strings.Builder) {
	if len(r.Nodes) == 0 {
		return
	}
	b.WriteString("\n| server | ran |\n|---|---|\n")
	for _, n := range r.Nodes {
		fmt.Fprintf(b, "| %s | %s |\n", n.Name, cell(fate(n)))
	}
	b.WriteString("\n")
	for _, s := range r.sides() {
		if s.Of != "" {
			s.Role += " for " + s.Of
		}
		fmt.Fprintf(b, "- %s: %s\n", s.Role, cell(built(s.Build, upgrade.Short)))
	}
}

// fold hides a section until somebody asks for it. The empty lines make what is
// inside Markdown again.
func fold(b *strings.Builder, title string, inside func()) {
	fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n", title)
	inside()
	b.WriteString("\n</details>\n")
}

func span(millis float64) string {
	if millis == 0 {
		return ""
	}
	return took(millis)
}

// cell makes a text plain inside a Markdown table. Backquotes stay: they are the
// text's own.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "*", `\*`, "[", `\[`).Replace(printable(s))
}

// fenced makes lines that do not close the fence around them.
func fenced(lines []string) string {
	var out []string
	for _, l := range lines {
		out = append(out, strings.ReplaceAll(printable(l), "```", "'''"))
	}
	return strings.Join(out, "\n")
}

// printable is a text in one line, without what no document takes, or what turns
// the text around it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Noncharacter_Code_Point, unicode.Bidi_Control):
			return -1
		}
		return r
	}, s)
}
