package report

import (
	"regexp"
	"strings"
	"testing"

	"nats-roll/upgrade"
)

// The table for people: the text's headings, each sentence with its verdict and what was
// seen, and how many of each there are.
func TestClaimsForPeople(t *testing.T) {
	walked := every(t)["verified"].report()
	var b strings.Builder
	g := upgrade.Ground{From: walked.From, To: walked.To, CLI: upgrade.Tried{Path: "nats", Code: 1, Said: "nats: error: unknown short flag '-D', try --help"}}
	if err := NewClaims("dev", g, []Report{walked}).Text(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`^What the tutorial says, on nats-server 2\.15\.1 and 2\.15\.2$`,
		`^  chapter rolling, 2\.15\.1 → 2\.15\.2, \d+ subscribers: verified in `,
		`^Upgrading a Cluster$`,
		`^Seed Servers$`,
		`^Downgrading$`,
		`unknown short`,
		`^  ✓ “The NATS server will ignore the self-route”$`,
		`^    as the text says: A and B run 2\.15\.2, while clients were connected \(rolling, look-back\)$`,
		`^    cannot be decided here: chapter parity decides it, and was not walked$`,
		`^\d+ sentences: \d+ as the text says, \d+ differ, \d+ cannot be decided here$`,
	} {
		if !regexp.MustCompile("(?m)" + want).MatchString(b.String()) {
			t.Errorf("no line is like %q", want)
		}
	}
	if t.Failed() {
		t.Log(b.String())
	}
}
