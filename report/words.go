package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// Versions puts the two sides of a rehearsal into words.
func Versions(from, to cluster.Builds) string {
	if from.Same(to) {
		return fmt.Sprintf("%s on both sides (a restart, no version changes)", to)
	}
	return fmt.Sprintf("%s → %s", from, to)
}

// Servers puts a topology into words: "A, B and the temporary C".
func Servers(t cluster.Topology) string {
	var names []string
	for _, n := range t.Permanent() {
		names = append(names, n.Name)
	}
	if c, ok := t.Spare(); ok {
		return upgrade.List(append(names, "the temporary "+c.Name))
	}
	return upgrade.List(names) + ", without a temporary server"
}

// Sentence is a report in one line: "verified: 2.15.1 → 2.15.2, 12 steps, …".
func Sentence(r Report) string {
	s := fmt.Sprintf("%s: nats-server %s → %s", r.Outcome, r.Builds["from"], r.Builds["to"])
	if r.Reason != "" {
		s += ": " + r.Reason
	}
	if r.Messages.Settled {
		s += fmt.Sprintf("; %d of %d messages received, %d lost, %d duplicated",
			r.Messages.Received-r.Messages.Duplicated, r.Messages.Expected, r.Messages.Lost, r.Messages.Duplicated)
	}
	return s
}

// head is what a report is about.
func (r Report) head() string {
	if len(r.Steps) == 0 {
		return "nats-server"
	}
	return fmt.Sprintf("nats-server %s → %s", r.Builds["from"], r.Builds["to"])
}

// verdict is the outcome in words.
func (r Report) verdict() string {
	if r.OverBudget() != nil {
		return string(r.Outcome) + ", but over budget"
	}
	return string(r.Outcome)
}

// stands says in a word how a budget stands.
func (b Budget) stands() string {
	switch {
	case b.OK == nil:
		return "open"
	case *b.OK:
		return "kept"
	}
	return "broken"
}

// summary is what somebody reads who reads only one paragraph.
func (r Report) summary() []string {
	verified := 0
	for _, s := range r.Steps {
		if s.Outcome == upgrade.Verified {
			verified++
		}
	}
	out := []string{fmt.Sprintf("%d of %s verified in %s.", verified, count(len(r.Steps), "step"), took(r.TookMS))}
	if len(r.Earlier) > 0 {
		out = append(out, "What follows was counted since the clients connected for the last time.")
	}
	switch m := r.Messages; {
	case m.Expected == 0 && r.Probe.Rate == 0:
		out = append(out, "No numbered messages were sent.")
	case !m.Settled:
		out = append(out, fmt.Sprintf("The messages were not counted to the end: %s of %s had come, %s were known to be lost.", number(m.Received), number(m.Expected), number(m.Lost)))
	default:
		out = append(out, fmt.Sprintf("%s; %s came twice.", arrived(m), none(m.Duplicated)))
	}
	if worst := r.costliest(); worst >= 0 {
		out = append(out, fmt.Sprintf("The step that lost most is %s: %s.", r.Steps[worst].Title, number(r.Steps[worst].Lost)))
	}
	out = append(out, r.work()...)
	switch c := r.Reconnects; {
	case c.Count > 0:
		out = append(out, fmt.Sprintf("Clients lost their server %s and were without one for %s at most, %s in half of the cases.", times(c.Count), took(c.MaxMS), took(c.P50MS)))
		if e := r.errors(); e != "" {
			out = append(out, "What their connections said: "+e+".")
		}
	case len(r.Clients) > 0:
		out = append(out, "No client lost its server.")
	}
	return out
}

// costliest is the step that lost most messages; negative if none did.
func (r Report) costliest() int {
	worst, lost := -1, uint64(0)
	for i, s := range r.Steps {
		if s.Lost > lost {
			worst, lost = i, s.Lost
		}
	}
	return worst
}

// stepTitle is what a person knows a step by.
func (r Report) stepTitle(id string) string {
	for _, s := range r.Steps {
		if s.ID == id {
			return s.Title
		}
	}
	return id
}

// went tells where a step's clients came to: "9 to B, 11 to C".
func went(s Step) string { return upgrade.Impact{Moved: s.Moved}.Went() }

// commandLine is the command as it can be typed.
func (r Report) commandLine() string {
	var out []string
	for _, a := range r.Command {
		out = append(out, upgrade.Quote(a))
	}
	return strings.Join(out, " ")
}

// made says by what, where and when a report's numbers were measured.
func (r Report) made() string {
	s := "nats-roll " + r.Tool
	if r.Host.OS != "" {
		s += fmt.Sprintf(" on %s/%s with %s", r.Host.OS, r.Host.Arch, count(r.Host.Cores, "core"))
	}
	return s + ", " + r.Began.Format("2006-01-02 15:04:05 MST")
}

// side is a build of one side of the rehearsal, and whose it is.
type side struct {
	Role string
	Of   string // "A and B"; empty: everybody else's
	cluster.Build
}

func (r Report) sides() []side {
	var out []side
	for _, role := range []string{"from", "to"} {
		b := r.Builds[role]
		out = append(out, side{role, "", b.Build})
		for _, g := range cluster.Alike(b.Own) {
			out = append(out, side{role, upgrade.List(g.Nodes), g.Of})
		}
	}
	return out
}

// built tells a build: "2.15.1, module, sha256 ab4f…".
func built(b cluster.Build, sum func(string) string) string {
	s := b.String()
	if b.Source != "" {
		s += ", " + b.Source
	}
	if b.SHA256 != "" {
		s += ", sha256 " + sum(b.SHA256)
	}
	return s
}

func (c Check) mark() string { return mark(c.OK, c.Known) }

// stands says how a claim of the text stands.
func (c Claim) stands() upgrade.Holding {
	switch {
	case c.Holds == nil:
		return upgrade.Undecided
	case *c.Holds:
		return upgrade.Holds
	}
	return upgrade.Differs
}

// differing are the claims that did not hold.
func (r Report) differing() []Claim {
	var out []Claim
	for _, c := range r.Claims {
		if c.stands() == upgrade.Differs {
			out = append(out, c)
		}
	}
	return out
}

// took puts milliseconds into words.
func took(millis float64) string {
	return upgrade.Round(time.Duration(millis * float64(time.Millisecond)))
}

// number groups digits: 12,345.
func number(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func arrived(m Messages) string {
	if m.Lost == 0 {
		return fmt.Sprintf("All %s messages arrived", number(m.Expected))
	}
	return fmt.Sprintf("%s of %s messages were lost%s", number(m.Lost), number(m.Expected), share(m.Lost, m.Expected))
}

func none(n uint64) string {
	if n == 0 {
		return "none"
	}
	return number(n)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return number(uint64(n)) + " times"
}

// share is a part of the whole in per cent, in brackets; nothing of nothing.
func share(part, whole uint64) string {
	if part == 0 || whole == 0 {
		return ""
	}
	p := 100 * float64(part) / float64(whole)
	if p >= 10 {
		return fmt.Sprintf(" (%.0f %%)", p)
	}
	return fmt.Sprintf(" (%.2g %%)", p)
}

// errors tells what the clients' connections went wrong with, most often first:
// "63 × EOF".
func (r Report) errors() string {
	sum := map[string]int{}
	for _, c := range r.Clients {
		for kind, n := range c.Errors {
			sum[kind] += n
		}
	}
	kinds := slices.SortedFunc(maps.Keys(sum), func(a, b string) int {
		return cmp.Or(cmp.Compare(sum[b], sum[a]), cmp.Compare(a, b))
	})
	for i, k := range kinds {
		kinds[i] = fmt.Sprintf("%d × %s", sum[k], k)
	}
	return strings.Join(kinds, ", ")
}
