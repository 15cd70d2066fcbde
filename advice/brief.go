package advice

import "fmt"

// Remark is one line of a brief.
type Remark struct {
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`
}

// standing says how far the step is and whether its end gets patches.
func (a Advice) standing() string {
	if a.Beside {
		return "They run side by side. " + a.Support.Text
	}
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
