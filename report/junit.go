package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"nats-roll/upgrade"
)

// What JUnit files look like is written down in more than one schema. This is
// what Ant's (JUnit.xsd of windyroad) and Jenkins' (junit-10.xsd) both take: at
// most one of skipped, error and failure in a case, and a time stamp without a
// zone, which is UTC here.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}

	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Package    string          `xml:"package,attr"`
		ID         int             `xml:"id,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Hostname   string          `xml:"hostname,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Out        junitText       `xml:"system-out"`
		Err        junitText       `xml:"system-err"`
	}

	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}

	junitCase struct {
		Name    string       `xml:"name,attr"`
		Class   string       `xml:"classname,attr"`
		Time    string       `xml:"time,attr"`
		Skipped *junitWhy    `xml:"skipped"`
		Error   *junitDetail `xml:"error"`
		Failure *junitDetail `xml:"failure"`
	}

	junitWhy struct {
		Message string `xml:"message,attr"`
	}

	junitDetail struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		junitText
	}

	// junitText is lines that are printable: in CDATA nothing is escaped.
	junitText struct {
		Lines string `xml:",cdata"`
	}
)

// JUnit writes the report as a CI job reads test results: a case for each step,
// and for each budget.
func (r Report) JUnit(w io.Writer) error {
	suites := junitSuites{Suites: []junitSuite{r.suite("steps", r.stepCases(), r.TookMS)}}
	if len(r.Budgets) > 0 {
		suites.Suites = append(suites.Suites, r.suite("budgets", r.budgetCases(), 0))
		suites.Suites[1].ID = 1
	}
	out, err := xml.MarshalIndent(suites, "", " ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, out)
	return err
}

func (r Report) suite(name string, cases []junitCase, took float64) junitSuite {
	s := junitSuite{
		Name: name, Package: "nats-roll." + cmp.Or(r.Chapter, "rehearsal"), Timestamp: r.Began.Format("2006-01-02T15:04:05"), Hostname: "localhost",
		Tests: len(cases), Time: seconds(took), Cases: cases, Properties: r.properties(), Out: lines(r.summary()),
	}
	for i := range s.Cases {
		c := &s.Cases[i]
		c.Class = s.Package + "." + name
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	return s
}

func seconds(millis float64) string { return fmt.Sprintf("%.3f", millis/1000) }

func (r Report) properties() []junitProperty {
	out := []junitProperty{{"outcome", string(r.Outcome)}, {"made", r.made()}}
	if len(r.Command) > 0 {
		out = append(out, junitProperty{"command", r.commandLine()})
	}
	for _, s := range r.sides() {
		name := s.Role
		if s.Of != "" {
			name += " for " + s.Of
		}
		out = append(out, junitProperty{name, built(s.Build, func(sum string) string { return sum })})
	}
	return out
}

// stepCases has one case for each step. A rehearsal that went wrong has one that
// says so, even if it came to no step.
func (r Report) stepCases() []junitCase {
	var out []junitCase
	told := r.Outcome == upgrade.OutcomeVerified
	for _, s := range r.Steps {
		c := junitCase{Name: s.ID + ": " + s.Title, Time: seconds(s.TookMS)}
		switch s.Outcome {
		case upgrade.Verified:
		case upgrade.Failed, upgrade.Forced, upgrade.Returned:
			told = true
			c.Failure = &junitDetail{Message: cmp.Or(s.Reason, string(s.Outcome)), Type: string(s.Outcome), junitText: s.evidence()}
		case upgrade.Skipped:
			c.Skipped = &junitWhy{s.Reason}
		case upgrade.Pending, upgrade.Ready, upgrade.Blocked, upgrade.Acting, upgrade.Checking, upgrade.Stuck, upgrade.Returning, upgrade.Undoing:
			if told {
				c.Skipped = &junitWhy{"not reached"}
				break
			}
			told = true
			c.Error = &junitDetail{Message: r.Reason, Type: string(r.Outcome), junitText: s.evidence()}
		}
		out = append(out, c)
	}
	if !told {
		out = append(out, junitCase{Name: "rehearsal", Time: seconds(0), Error: &junitDetail{Message: r.Reason, Type: string(r.Outcome)}})
	}
	return out
}

func (r Report) budgetCases() []junitCase {
	var out []junitCase
	for _, b := range r.Budgets {
		c := junitCase{Name: b.Name + " " + b.quantity(b.Limit), Time: seconds(0)}
		switch {
		case b.OK == nil:
			c.Skipped = &junitWhy{b.words()}
		case b.over():
			c.Failure = &junitDetail{Message: b.words(), Type: "over budget"}
		}
		out = append(out, c)
	}
	return out
}

// evidence is what was seen of a step: its checks, and what its server said.
func (s Step) evidence() junitText {
	var out []string
	if s.Command != "" {
		out = append(out, "$ "+s.Command)
	}
	for _, c := range s.Checks {
		out = append(out, c.mark()+" "+c.Text+dash(c.Detail))
	}
	for _, l := range s.Log {
		out = append(out, "| "+l)
	}
	return lines(out)
}

func lines(of []string) junitText {
	var b strings.Builder
	for _, l := range of {
		b.WriteString("\n" + printable(l))
	}
	return junitText{b.String()}
}
