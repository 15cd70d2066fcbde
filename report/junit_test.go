package report

import (
	"encoding/xml"
	"strings"
	"testing"
)

func TestJUnit(t *testing.T) {
	for name, r := range every(t) {
		golden(t, "report-"+strings.ReplaceAll(name, " ", "-")+".xml", written(t, r.report(), "junit"))
	}
}

// The counts are those of the cases, a rehearsal that is not verified has a case
// that says so, and every case has one end at most.
func TestJUnitAddsUp(t *testing.T) {
	for name, r := range every(t) {
		rep := r.report()
		var got junitSuites
		if err := xml.Unmarshal([]byte(written(t, rep, "junit")), &got); err != nil {
			t.Fatal(err)
		}
		bad := 0
		for _, s := range got.Suites {
			var failures, errors, skipped int
			for _, c := range s.Cases {
				ends := 0
				if c.Failure != nil {
					failures, ends = failures+1, ends+1
				}
				if c.Error != nil {
					errors, ends = errors+1, ends+1
				}
				if c.Skipped != nil {
					skipped, ends = skipped+1, ends+1
				}
				if ends > 1 || c.Name == "" || c.Class == "" || c.Time == "" {
					t.Errorf("%s: case %+v", name, c)
				}
			}
			if s.Tests != len(s.Cases) || s.Failures != failures || s.Errors != errors || s.Skipped != skipped {
				t.Errorf("%s: suite says %d tests, %d failures, %d errors, %d skipped; has %d, %d, %d, %d",
					name, s.Tests, s.Failures, s.Errors, s.Skipped, len(s.Cases), failures, errors, skipped)
			}
			bad += failures + errors
		}
		if (rep.verdict() == "verified") != (bad == 0) {
			t.Errorf("%s is %s with %d cases that failed", name, rep.verdict(), bad)
		}
	}
}
