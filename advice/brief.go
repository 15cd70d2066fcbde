package advice

import "fmt"

// Remark is one line of a brief.
type Remark struct {
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`
}

// Brief is what has to be known before the first kill, in few lines: how the
// step stands, and the findings that matter to this rehearsal. The rest is
// counted.
func (a Advice) Brief() []Remark {
	if a.Direction == Same {
		return nil
	}
	out := []Remark{{Severity: Info, Text: a.standing()}}
	if !a.Supported {
		out[0].Severity = Warn
	}
	others := 0
	for _, f := range a.Findings {
		switch {
		case !f.Matters || f.Undecided:
			others++
		case f.Severity == Info:
		default:
			out = append(out, Remark{f.Severity, f.Text})
		}
	}
	if others > 0 {
		out = append(out, Remark{Info, fmt.Sprintf("%d more findings do not concern this rehearsal, which has no JetStream among other things: nats-roll advise %s %s", others, a.From, a.To)})
	}
	return out
}

// standing says how far the step is and whether its end gets patches.
func (a Advice) standing() string {
	s := "This step stays within the release line " + a.To.Minor()
	switch {
	case a.From.Minor() == a.To.Minor():
	case a.Adjacent:
		s = fmt.Sprintf("This step leads to the next release line, %s to %s", a.From.Minor(), a.To.Minor())
	default:
		s = fmt.Sprintf("This step, %s to %s, leaves out release lines between", a.From.Minor(), a.To.Minor())
	}
	return s + ". " + a.Support.Text
}
