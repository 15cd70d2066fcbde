package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"nats-roll/upgrade"
)

// PlanFormats lists the values of `plan --format`.
var PlanFormats = []string{"text", "markdown", "json"}

// Plan writes a plan before anything is done.
func Plan(w io.Writer, o upgrade.Outline, format string) error {
	switch format {
	case "json":
		enc := json.NewEncoder(w)
		enc.SetIndent("", " ")
		return enc.Encode(o)
	case "markdown":
		return planMarkdown(w, o)
	default:
		return planText(w, o)
	}
}

func planText(w io.Writer, o upgrade.Outline) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s, %d steps\n", o.Title, Versions(o.From, o.To), Servers(o.Topology), len(o.Steps))
	fmt.Fprintf(&b, "\n%s\n", wrap(o.Intro, 78, ""))
	for _, n := range o.Notes {
		fmt.Fprintf(&b, "\nnote: %s\n", wrap(n, 72, "      "))
	}
	if brief := o.Advice.Brief(); len(brief) > 0 {
		b.WriteByte('\n')
		for _, r := range brief {
			fmt.Fprintf(&b, "%-6s%s\n", r.Severity, wrap(r.Text, 72, "      "))
		}
	}
	for i, s := range o.Steps {
		fmt.Fprintf(&b, "\n%2d. %s  (%s)\n    %s\n", i+1, s.Title, s.ID, wrap(s.Why, 74, "    "))
		if s.Quote != "" {
			fmt.Fprintf(&b, "    %s\n", wrap(fmt.Sprintf("“%s” (%s)", s.Quote, s.Where), 74, "    "))
		}
		if s.Command != "" {
			for line := range strings.Lines(s.Command) {
				fmt.Fprintf(&b, "    $ %s\n", strings.TrimSpace(line))
			}
		}
		for _, g := range s.Given {
			fmt.Fprintf(&b, "    needs  %s\n", g)
		}
		for _, c := range s.Checks {
			fmt.Fprintf(&b, "    check  %s\n", c)
		}
		for _, c := range s.Claims {
			fmt.Fprintf(&b, "    text   %s\n", wrap("“"+c+"”", 67, "           "))
		}
		fmt.Fprintf(&b, "    limit  %s\n", s.Timeout)
		switch {
		case s.Undo != "":
			fmt.Fprintf(&b, "    undo   $ %s\n", s.Undo)
		case s.NoUndo != "":
			fmt.Fprintf(&b, "    undo   none: %s\n", s.NoUndo)
		default: // nobody types it
			fmt.Fprintf(&b, "    undo   until %s\n", upgrade.List(s.Undone))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func planMarkdown(w io.Writer, o upgrade.Outline) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s, %s\n\n%s\n", o.Title, Versions(o.From, o.To), o.Intro)
	for _, n := range o.Notes {
		fmt.Fprintf(&b, "\n> %s\n", n)
	}
	if brief := o.Advice.Brief(); len(brief) > 0 {
		b.WriteByte('\n')
		for _, r := range brief {
			fmt.Fprintf(&b, "- %s: %s\n", r.Severity, r.Text)
		}
	}
	for i, s := range o.Steps {
		fmt.Fprintf(&b, "\n## %d. %s\n\n%s\n", i+1, s.Title, s.Why)
		if s.Quote != "" {
			fmt.Fprintf(&b, "\n> %s\n>\n> %s\n", s.Quote, s.Where)
		}
		if s.Command != "" {
			fmt.Fprintf(&b, "\n```bash\n%s\n```\n", s.Command)
		}
		fmt.Fprintf(&b, "\nThen this must hold, within %s:\n\n", s.Timeout)
		for _, c := range s.Checks {
			fmt.Fprintf(&b, "- [ ] %s\n", c)
		}
		if s.Undo != "" {
			fmt.Fprintf(&b, "\nThe way back: `%s`\n", s.Undo)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// wrap breaks a text at words; lines after the first begin with indent.
func wrap(text string, width int, indent string) string {
	var b strings.Builder
	n := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case n+1+len([]rune(word)) > width:
			b.WriteString("\n" + indent)
			n = 0
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += len([]rune(word))
	}
	return b.String()
}
