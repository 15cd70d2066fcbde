package report

import (
	"fmt"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// Taken is a step that was done and taken back: what it cost and what taking it back
// cost is of no step that stands.
type Taken struct {
	ID     string         `json:"id"`
	Title  string         `json:"title"`
	Was    upgrade.Status `json:"was"`   // before it was taken back
	AtMS   float64        `json:"at_ms"` // since the rehearsal began
	TookMS float64        `json:"took_ms"`
	Reason string         `json:"reason,omitempty"`
	Done   Felt           `json:"done"` // of doing it
	Undo   Felt           `json:"undo"` // of taking it back
}

// Felt is what clients felt.
type Felt struct {
	Lost       uint64  `json:"lost"`
	Duplicated uint64  `json:"duplicated"`
	Reconnects int     `json:"reconnects"`
	GapMSMax   float64 `json:"gap_ms_max"`
	Waits
}

func feltOf(im upgrade.Impact, b upgrade.Bill) Felt {
	return Felt{im.Lost, im.Duplicated, im.Reconnects, ms(im.LongestAway), waits(b)}
}

func waits(b upgrade.Bill) Waits { return Waits{b.Unanswered, b.Stalls, ms(b.Longest)} }

// between is what came of servers that ended while no step was under way.
func between(p upgrade.Progress) *Waits {
	w := waits(p.Between)
	if w == (Waits{}) {
		return nil
	}
	return &w
}

func taken(s rehearsal.State) []Taken {
	var out []Taken
	for _, x := range s.Plan.Taken {
		out = append(out, Taken{
			ID: x.Was.ID, Title: x.Was.Title, Was: x.Was.Status, AtMS: ms(x.Began.Sub(began(s))), TookMS: ms(x.Took), Reason: x.Reason,
			Done: feltOf(x.Was.Impact, x.Was.Bill), Undo: feltOf(x.Undo, x.Bill),
		})
	}
	return out
}

func messages(t cluster.Totals) Messages {
	return Messages{
		Published: t.Published, Refused: t.Refused, Unsure: t.Unsure, Expected: t.Expected, Received: t.Received,
		Lost: t.Lost, Duplicated: t.Duplicated, Reordered: t.Reordered, Settled: t.Settled,
	}
}

// takenBack tells what was taken back, what came of servers that ended between the
// steps, and what was counted before, in a line each.
func (r Report) takenBack() []string {
	var out []string
	for _, t := range r.TakenBack {
		lost, twice := t.Done.Lost+t.Undo.Lost, t.Done.Duplicated+t.Undo.Duplicated
		out = append(out, fmt.Sprintf("%s was %s and taken back: %s lost and %s duplicated by doing it and taking it back", t.Title, t.Was, number(lost), number(twice)))
	}
	if r.Between != nil {
		out = append(out, "Servers ended while no step was under way: "+r.Between.waited())
	}
	for _, m := range r.Earlier {
		out = append(out, rehearsal.ClosedWords(cluster.Totals{
			Published: m.Published, Settled: m.Settled, Tally: cluster.Tally{Received: m.Received, Lost: m.Lost, Duplicated: m.Duplicated},
		}))
	}
	return out
}
