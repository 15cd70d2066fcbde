package report

import (
	"fmt"
	"slices"
	"strings"

	"nats-roll/upgrade"
)

// Part is what a part of a chapter came to that is set beside others.
type Part struct {
	Name       string  `json:"name"`
	Stops      int     `json:"stops"`      // servers that were stopped
	GapMSMax   float64 `json:"gap_ms_max"` // the longest that a client was without a server
	Reconnects int     `json:"reconnects"`
	Lost       uint64  `json:"lost"`
	Duplicated uint64  `json:"duplicated"`
	TookMS     float64 `json:"took_ms"` // its steps; nobody's reading
	Waits
}

func parts(p upgrade.Progress) []*Part {
	var out []*Part
	for _, c := range p.Compared() {
		out = append(out, &Part{c.Part, c.Stops, ms(c.Away), c.Reconnects, c.Lost, c.Duplicated, ms(c.Took), Waits{c.Unanswered, c.Stalls, ms(c.Stall)}})
	}
	return out
}

// partRows are the lines of the table of parts.
func (r Report) partRows() []compareRow {
	all := r.Parts
	if len(all) == 0 {
		return nil
	}
	whole := func(n int) string { return number(uint64(n)) }
	waited := []compareRow{
		each("requests unanswered", all, func(p *Part) string { return whole(p.Unanswered) }),
		each("writes that stalled", all, func(p *Part) string { return whole(p.Stalls) }),
		eachTime("longest stall", all, func(p *Part) float64 { return p.StallMSMax }),
	}
	waited = slices.DeleteFunc(waited, func(r compareRow) bool { return !slices.ContainsFunc(r.cells, telling) })
	return append(append([]compareRow{
		each("servers stopped", all, func(p *Part) string { return whole(p.Stops) }),
		eachTime("longest away", all, func(p *Part) float64 { return p.GapMSMax }),
		each("reconnects", all, func(p *Part) string { return whole(p.Reconnects) }),
		each("messages lost", all, func(p *Part) string { return number(p.Lost) }),
		each("messages duplicated", all, func(p *Part) string { return number(p.Duplicated) }),
	}, waited...), eachTime("took", all, func(p *Part) float64 { return p.TookMS }))
}

func (r Report) partNames() []string {
	return each("", r.Parts, func(p *Part) string { return p.Name }).cells
}

// sideBySide is the table of parts as text; empty if there are none to compare.
func (r Report) sideBySide() string {
	if len(r.Parts) == 0 {
		return ""
	}
	var b strings.Builder
	for _, row := range append([]compareRow{{cells: r.partNames()}}, r.partRows()...) {
		row.differs = false
		row.write(&b, 0, len(r.Parts), min((compareWidth-compareLabel-2)/len(r.Parts), 24))
	}
	return b.String()
}

func (r Report) beside(b *strings.Builder) {
	if len(r.Parts) == 0 {
		return
	}
	fmt.Fprintf(b, "\n| |%s\n|---|%s\n", cells(r.partNames()), strings.Repeat("--:|", len(r.Parts)))
	for _, row := range r.partRows() {
		fmt.Fprintf(b, "| %s |%s\n", row.label, cells(row.cells))
	}
}

func cells(texts []string) string {
	var b strings.Builder
	for _, t := range texts {
		fmt.Fprintf(&b, " %s |", cell(t))
	}
	return b.String()
}
