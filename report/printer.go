package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"nats-roll/cluster"
	"nats-roll/redact"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// fetchPause is how long the printer keeps quiet between two lines about the
// same download; a person wants to see that it goes on, a log wants few lines.
const fetchPause = 3 * time.Second

// Printer tells a rehearsal line by line, as plain text without escapes or
// secrets. Its Watch is a rehearsal.Watcher.
type Printer struct {
	w       io.Writer
	header  rehearsal.Header
	fetched map[string]time.Time
	head    string // the step whose title was printed last
	err     error
}

// NewPrinter writes to w.
func NewPrinter(w io.Writer, h rehearsal.Header) *Printer {
	return &Printer{w: w, header: h, fetched: map[string]time.Time{}}
}

// Err is the first thing that went wrong while writing.
func (p *Printer) Err() error { return p.err }

func (p *Printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, redact.Text(fmt.Sprintf(format, args...)))
	}
}

// Watch tells one event.
func (p *Printer) Watch(r rehearsal.Record, s rehearsal.State) {
	switch e := r.Event.(type) {
	case cluster.Fetching:
		p.fetching(r.At, e)
	case cluster.Fetched:
		p.printf("%-4s %s, %s, sha256 %s\n", e.Role, e.Build, e.Build.Source, upgrade.Short(e.Build.SHA256))
	case cluster.FetchFailed:
		if e.Instead.Zero() {
			return // the program ends with this very error
		}
		p.printf("%-4s %s is not to be had: %s\n", e.Role, e.Want, e.Reason)
		if e.Hint != "" {
			p.printf("     hint: %s\n", e.Hint)
		}
	case upgrade.Planned:
		o := e.Outline
		p.printf("\n%s %s: %s, %d steps\n", o.Title, Versions(o.From, o.To), Servers(o.Topology), len(o.Steps))
		for _, n := range o.Notes {
			p.printf("note: %s\n", n)
		}
		for _, r := range o.Advice.Brief() {
			p.printf("%s: %s\n", r.Severity, r.Text)
		}
	case upgrade.Reordered:
		p.printf("\n%s's turn is next: %s\n", next(s.Plan).Node, e.Reason)
	case upgrade.StepBegan:
		p.began(e, s)
	case upgrade.StepReturns:
		p.printf("        rolling back\n")
		for _, c := range e.Commands {
			p.printf("        $ %s\n", c)
		}
	case upgrade.StepUndoing:
		p.head = ""
		p.title(e.ID, s)
		p.printf("        taking it back\n")
		if e.Command != "" {
			p.printf("        $ %s\n", e.Command)
		}
	case upgrade.StepUndone:
		p.undone(e)
	case upgrade.StepEnded:
		p.title(e.ID, s)
		p.ended(e)
		if e.Status == upgrade.Failed {
			p.tail(e.ID, s)
		}
	case upgrade.Finished:
		p.finished(s)
	case rehearsal.Note:
		p.printf("  !  %s\n", e.Text)
	case cluster.ApplicationExited:
		if !e.Exit.Asked {
			p.printf("  !  %s\n", s.Notes[len(s.Notes)-1].Text)
		}
	}
}

// next is the current step.
func next(p upgrade.Progress) upgrade.StepProgress {
	st, _ := p.Step()
	return st
}

func (p *Printer) fetching(at time.Time, e cluster.Fetching) {
	if e.Detail == "" || at.Sub(p.fetched[e.Role]) < fetchPause {
		return
	}
	p.fetched[e.Role] = at
	p.printf("%-4s %s … %s\n", e.Role, e.Want, e.Detail)
}

func (p *Printer) began(e upgrade.StepBegan, s rehearsal.State) {
	st := p.title(e.ID, s)
	if e.How == upgrade.ByHand {
		p.printf("        found done already\n")
	} else if st.Command != "" {
		if st.Stops {
			p.gate(st)
		}
		for line := range strings.Lines(st.Command) {
			p.printf("        $ %s\n", strings.TrimSpace(line))
		}
	}
}

// gate prints what held before a server was stopped.
func (p *Printer) gate(st upgrade.StepProgress) {
	for _, g := range st.Given {
		p.printf("        before: %s %s%s\n", mark(g.Met, g.Known), g.Text, dash(g.Detail))
	}
}

// title prints a step's title, once, and returns the step.
func (p *Printer) title(id string, s rehearsal.State) upgrade.StepProgress {
	i := slices.IndexFunc(s.Plan.Steps, func(st upgrade.StepProgress) bool { return st.ID == id })
	if i < 0 {
		return upgrade.StepProgress{}
	}
	st := s.Plan.Steps[i]
	if p.head != id {
		p.head = id
		p.printf("\n[%2d/%d] %s\n", i+1, len(s.Plan.Steps), st.Title)
	}
	return st
}

// tail prints what the server of a failed step wrote last.
func (p *Printer) tail(id string, s rehearsal.State) {
	for _, l := range lastWords(s, p.title(id, s)) {
		p.printf("        | %s\n", l)
	}
}

func (p *Printer) ended(e upgrade.StepEnded) {
	for _, c := range e.Checks {
		p.printf("        %s %s%s\n", mark(c.Met, c.Known), c.Text, dash(c.Detail))
	}
	if w := e.Impact.Words(); w != "" {
		p.printf("        = %s\n", w)
	}
	for _, s := range e.Told {
		p.printf("        = %s\n", s)
	}
	for _, f := range e.Findings {
		p.printf("        text: “%s”\n              %s: %s\n", f.Text, f.Stands.Words(), f.Detail)
		for _, c := range f.Because {
			p.printf("              %s\n              %s\n", because(c), c.Source)
		}
	}
	p.printf("        %s in %s%s\n", e.Status, upgrade.Round(e.Took), dash(e.Reason))
}

func (p *Printer) undone(e upgrade.StepUndone) {
	for _, c := range e.Checks {
		p.printf("        %s %s%s\n", mark(c.Met, c.Known), c.Text, dash(c.Detail))
	}
	if w := e.Impact.Words(); w != "" {
		p.printf("        = %s\n", w)
	}
	p.printf("        taken back in %s%s\n", upgrade.Round(e.Took), dash(e.Reason))
	p.head = "" // it may be done again at once
}

// mark stands before a check: it holds, it does not, or nobody can tell.
func mark(met, known bool) string {
	switch {
	case met:
		return "✓"
	case known:
		return "✗"
	default:
		return "○"
	}
}

func dash(s string) string {
	if s == "" {
		return ""
	}
	return " — " + s
}

func (p *Printer) finished(s rehearsal.State) {
	r := New(s, p.header)
	p.printf("\n%s", strings.ToUpper(r.verdict()))
	if r.TookMS > 0 {
		p.printf(" in %s", upgrade.Round(s.Plan.Ended.Sub(s.Plan.Began)))
	}
	p.printf("%s\n", dash(r.Reason))
	for _, n := range r.Notes {
		p.printf("  note        %s\n", n)
	}
	for _, w := range r.takenBack() {
		p.printf("  note        %s\n", w)
	}
	for _, n := range r.Nodes {
		p.printf("  %-11s %s\n", n.Name, fate(n))
	}
	if len(r.Clients) > 0 {
		p.clients(r)
	}
	for _, y := range r.Yours {
		p.printf("  %-11s %s\n", y.Name, y.story())
	}
	if t := r.sideBySide(); t != "" {
		p.printf("\n")
		for l := range strings.Lines(t) {
			p.printf("  %s", l)
		}
	}
	for _, b := range r.Budgets {
		p.printf("  budget      %s: %s\n", b.stands(), b.words())
	}
}

func (p *Printer) clients(r Report) {
	m, re := r.Messages, r.Reconnects
	if m.Settled {
		p.printf("  messages    %d expected = %d received − %d duplicated + %d lost (%d published, each for %d)\n",
			m.Expected, m.Received, m.Duplicated, m.Lost, m.Published, r.Probe.Listeners)
	} else {
		p.printf("  messages    %d received of %d expected so far; not settled\n", m.Received, m.Expected)
	}
	for _, s := range r.work() {
		p.printf("              %s\n", s)
	}
	p.printf("  reconnects  %d", re.Count)
	if re.Count > 0 {
		p.printf(", away %s (half of them), %s (99 of 100), %s at most", took(re.P50MS), took(re.P99MS), took(re.MaxMS))
	}
	p.printf("\n")
	if e := r.errors(); e != "" {
		p.printf("  errors      %s\n", e)
	}
}

// fate tells a node's story: "2.15.1 → 2.15.2, down 104 ms".
func fate(n Node) string {
	var versions []string
	for _, v := range n.Versions {
		versions = append(versions, string(v))
	}
	s := strings.Join(versions, " → ")
	if s == "" {
		s = "never answered"
	}
	if n.DownMS != nil {
		s += fmt.Sprintf(", down %s", upgrade.Round(time.Duration(*n.DownMS*float64(time.Millisecond))))
	}
	if !n.Permanent {
		s += " (temporary)"
	}
	return s
}
