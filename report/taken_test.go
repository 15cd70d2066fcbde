package report

import (
	"strings"
	"testing"
)

// What was taken back is told in every form, and its cost is no standing step's.
func TestTakenBack(t *testing.T) {
	walked := every(t)["taken back"]
	r := walked.report()
	if len(r.TakenBack) != 2 || r.TakenBack[0].ID != "stop-a" || r.TakenBack[0].Was != "verified" || r.TakenBack[1].ID != "look-back" {
		t.Fatalf("%+v", r.TakenBack)
	}
	if r.TakenBack[0].Done.Reconnects == 0 || r.TakenBack[0].Done.Lost == 0 || r.TakenBack[0].TookMS == 0 {
		t.Errorf("%+v", r.TakenBack[0])
	}
	if len(r.Earlier) != 1 || !r.Earlier[0].Settled || r.Earlier[0].Published == 0 || r.Messages.Lost != 0 || r.Messages.Published >= r.Earlier[0].Published {
		t.Errorf("earlier %+v, now %+v", r.Earlier, r.Messages)
	}
	sum := uint64(0) // of one ledger: the steps that stand, and what was taken back
	for _, s := range r.Steps {
		sum += s.Lost
	}
	for _, x := range r.TakenBack {
		sum += x.Done.Lost + x.Undo.Lost
	}
	if sum != r.Earlier[0].Lost+r.Messages.Lost {
		t.Errorf("booked %d, lost %d and %d", sum, r.Earlier[0].Lost, r.Messages.Lost)
	}
	const line = "Stop A was verified and taken back: "
	for _, format := range []string{"markdown", "html", "json"} {
		if got := written(t, r, format); !strings.Contains(got, "Stop A") || format != "json" && !strings.Contains(got, line) {
			t.Errorf("%s does not tell:\n%s", format, got)
		}
	}
	for _, want := range []string{"taking it back\n        $ nats-server -D -n A", "taken back in ", "note        " + line, "An earlier count, of "} {
		if !strings.Contains(walked.lines, want) {
			t.Errorf("the printer does not say %q:\n%s", want, walked.lines)
		}
	}
}
