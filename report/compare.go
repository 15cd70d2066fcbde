package report

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// CompareSchema names the form of the JSON of a comparison.
const CompareSchema = "nats-roll/compare/1"

// CompareFormats lists the values of `compare --format`.
var CompareFormats = []string{"text", "markdown", "json"}

// Named is a report and what it is called beside others.
type Named struct {
	Name string
	Report
}

// Comparison is several rehearsals side by side. Steps are the same if their ids
// are.
type Comparison struct {
	Schema     string         `json:"schema"`
	Rehearsals []*Compared    `json:"rehearsals"`
	Steps      []ComparedStep `json:"steps"`
}

// Compared is one of the rehearsals as a whole.
type Compared struct {
	Name        string          `json:"name"`
	From        string          `json:"from"` // the builds in words
	To          string          `json:"to"`
	Stops       []cluster.Stop  `json:"stops"` // how servers were stopped
	Permanent   int             `json:"permanent"`
	Temporary   int             `json:"temporary"`
	Subscribers int             `json:"subscribers"`
	Rate        int             `json:"rate"`
	Outcome     upgrade.Outcome `json:"outcome"`
	OverBudget  bool            `json:"over_budget"`
	Reconnects  int             `json:"reconnects"`
	Cost
}

// Cost is what a step, or a whole rehearsal, took and did to the clients.
type Cost struct {
	TookMS     float64        `json:"took_ms"`
	Moved      map[string]int `json:"moved,omitempty"`
	Lost       uint64         `json:"lost"`
	Duplicated uint64         `json:"duplicated"`
	GapMSMax   float64        `json:"gap_ms_max"`
	Waits
}

// ComparedStep is a step in each of the rehearsals.
type ComparedStep struct {
	ID      string      `json:"id"`
	Title   string      `json:"title"`
	Differs bool        `json:"differs"`
	In      []*StepCost `json:"in"` // null where a rehearsal has no such step
}

// StepCost is a step in one of the rehearsals.
type StepCost struct {
	Outcome upgrade.Status `json:"outcome"`
	Cost
}

// Compare sets rehearsals side by side.
func Compare(of ...Named) Comparison {
	c := Comparison{Schema: CompareSchema, Steps: []ComparedStep{}}
	for _, n := range of {
		c.Rehearsals = append(c.Rehearsals, compared(n))
	}
	for _, id := range order(of) {
		st := ComparedStep{ID: id, In: make([]*StepCost, len(of))}
		for i, n := range of {
			for _, s := range n.Steps {
				if s.ID == id {
					st.Title = cmp.Or(st.Title, s.Title)
					st.In[i] = &StepCost{s.Outcome, Cost{s.TookMS, s.Moved, s.Lost, s.Duplicated, s.GapMSMax, s.Waits}}
				}
			}
		}
		st.Differs = slices.ContainsFunc(st.rows(), func(r compareRow) bool { return r.differs })
		c.Steps = append(c.Steps, st)
	}
	return c
}

func compared(n Named) *Compared {
	out := &Compared{
		Name: n.Name, From: n.Builds["from"].String(), To: n.Builds["to"].String(), Stops: []cluster.Stop{},
		Subscribers: n.Probe.Subscribers, Rate: n.Probe.Rate, Outcome: n.Outcome, OverBudget: n.OverBudget() != nil, Reconnects: n.Reconnects.Count,
		Cost: Cost{TookMS: n.TookMS, Lost: n.Messages.Lost, Duplicated: n.Messages.Duplicated, GapMSMax: n.Reconnects.MaxMS},
	}
	for _, s := range n.Steps {
		out.Unanswered, out.Stalls, out.StallMSMax = out.Unanswered+s.Unanswered, out.Stalls+s.Stalls, max(out.StallMSMax, s.StallMSMax)
	}
	for _, m := range n.Timeline.Marks {
		if m.What == rehearsal.MarkStopped && !slices.Contains(out.Stops, m.How) {
			out.Stops = append(out.Stops, m.How)
		}
	}
	for _, node := range n.Nodes {
		if node.Permanent {
			out.Permanent++
		} else {
			out.Temporary++
		}
	}
	return out
}

// order is every step once: those of the first rehearsal, and each other one
// after the step that it follows.
func order(of []Named) []string {
	var out []string
	for _, n := range of {
		after := 0
		for _, s := range n.Steps {
			if i := slices.Index(out, s.ID); i >= 0 {
				after = i + 1
				continue
			}
			out = slices.Insert(out, after, s.ID)
			after++
		}
	}
	return out
}

// Write writes the comparison in one of CompareFormats.
func (c Comparison) Write(w io.Writer, format string) error {
	switch format {
	case "json":
		enc := json.NewEncoder(w)
		enc.SetIndent("", " ")
		return enc.Encode(c)
	case "markdown":
		_, err := io.WriteString(w, c.markdown())
		return err
	default:
		_, err := io.WriteString(w, c.text())
		return err
	}
}
