package report

import (
	_ "embed"
	"html/template"
	"io"
	"strings"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// trailsInHTML is how many ways of clients are shown.
const trailsInHTML = 30

//go:embed report.html.tmpl
var page string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"took": took, "span": span, "number": number, "went": went, "stands": Claim.stands, "budget": Budget.stands, "quantity": Budget.quantity, "library": Yours.library, "longest": Yours.longest, "noticed": Yours.noticed, "waits": func(s Step) string { return s.waited() }, "limited": Budget.limited, "title": Report.stepTitle, "words": upgrade.Holding.Words, "because": because, "mark": Check.mark,
	"plus": func(a, b float64) float64 { return a + b }, "next": func(i int) int { return i + 1 }, "middle": bar.middle, "share": share, "fate": fate, "count": func(n int) string { return number(uint64(n)) },
	"slug": func(s upgrade.Status) string { return strings.ReplaceAll(string(s), " ", "-") },
	"over": upgrade.Status.Over, "bad": func(s upgrade.Status) bool { return s.Over() && s != upgrade.Verified },
}).Parse(page))

// journey is a trail as the page shows it.
type journey struct {
	Clients          int
	Part             float64 // of all clients, in per cent
	Stays            []stay
	Words            string
	Longest          float64
	Lost, Duplicated uint64
	Who              string
}

// stay is a node of a trail and the longest time away before it.
type stay struct {
	Node string
	Away float64
}

// partRow is a line of the table of parts.
type partRow struct {
	Label string
	Cells []string
}

// HTML writes the report as one page that needs nothing else: no script, no
// picture, no style sheet. It prints, and has a dark side.
func (r Report) HTML(w io.Writer) error {
	byStep := map[string][]Claim{}
	for _, c := range r.Claims {
		byStep[c.Step] = append(byStep[c.Step], c)
	}
	var ways []journey
	for _, t := range r.trails(trailsInHTML) {
		way := journey{
			Clients: len(t.clients), Part: 100 * float64(len(t.clients)) / float64(len(r.Clients)), Longest: t.longest(),
			Lost: t.lost, Duplicated: t.duplicated, Who: t.who(),
		}
		for i, n := range t.nodes {
			way.Stays = append(way.Stays, stay{n, t.away[i]})
		}
		if t.nodes == nil || t.status != string(cluster.ClientConnected) {
			way.Words = t.status
		}
		ways = append(ways, way)
	}
	var parts []partRow
	for _, row := range r.partRows() {
		parts = append(parts, partRow{row.label, row.cells})
	}
	before, after := "servers with "+r.Builds["from"].String(), "servers with "+r.Builds["to"].String()
	if before == after {
		before, after = "servers before their restart", "servers after it"
	}
	return pageTemplate.Execute(w, map[string]any{
		"R": r, "Head": r.head(), "Verdict": r.verdict(), "Over": r.OverBudget(), "Summary": r.summary(), "Taken": r.takenBack(), "Chart": r.draw(), "ByStep": byStep,
		"Ways": ways, "Sides": r.sides(), "Command": r.commandLine(), "Made": r.made(), "Differing": len(r.differing()),
		"Before": before, "After": after, "Parts": parts, "PartNames": r.partNames(),
	})
}
