package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"nats-roll/upgrade"
)

// Markdown writes the report as a pull-request comment would show it.
func (r Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# nats-server %s → %s: %s\n\n", r.Builds["from"], r.Builds["to"], r.Outcome)
	if r.Reason != "" {
		fmt.Fprintf(&b, "**%s**\n\n", cell(r.Reason))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "> %s\n\n", cell(n))
	}
	b.WriteString("| step | outcome | took | clients moved | longest away | lost | duplicated |\n|---|---|--:|---|--:|--:|--:|\n")
	for _, s := range r.Steps {
		var moved []string
		for _, n := range r.Nodes {
			if c := s.Moved[n.Name]; c > 0 {
				moved = append(moved, fmt.Sprintf("%d to %s", c, n.Name))
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %d | %d |\n", cell(s.Title), s.Outcome, span(s.TookMS), strings.Join(moved, ", "), span(s.GapMSMax), s.Lost, s.Duplicated)
	}
	b.WriteString("\n| node | story |\n|---|---|\n")
	for _, n := range r.Nodes {
		fmt.Fprintf(&b, "| %s | %s |\n", n.Name, fate(n))
	}
	m := r.Messages
	fmt.Fprintf(&b, "\n%d messages published to %d subscribers: %d expected = %d received − %d duplicated + %d lost.\n",
		m.Published, r.Probe.Subscribers, m.Expected, m.Received, m.Duplicated, m.Lost)
	fmt.Fprintf(&b, "%d reconnects: %.1f ms at the median, %.1f ms at the 99th percentile, %.1f ms at most.\n",
		r.Reconnects.Count, r.Reconnects.P50MS, r.Reconnects.P99MS, r.Reconnects.MaxMS)
	if len(r.Claims) > 0 {
		b.WriteString("\n| the text says | seen |\n|---|---|\n")
		for _, c := range r.Claims {
			stands := upgrade.Undecided
			if c.Holds != nil {
				stands = upgrade.Differs
				if *c.Holds {
					stands = upgrade.Holds
				}
			}
			fmt.Fprintf(&b, "| %s | %s: %s |\n", cell(c.Text), stands.Words(), cell(c.Detail))
		}
	}
	fmt.Fprintf(&b, "\nnats-roll %s on %s/%s with %d cores, %s.\n", r.Tool, r.Host.OS, r.Host.Arch, r.Host.Cores, r.Began.Format(time.RFC3339))
	_, err := io.WriteString(w, b.String())
	return err
}

func span(millis float64) string {
	if millis == 0 {
		return ""
	}
	return upgrade.Round(time.Duration(millis * float64(time.Millisecond)))
}

// cell makes a text safe inside a Markdown table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", ">", "&gt;").Replace(s)
}
