package upgrade

import (
	"slices"
	"strings"

	"nats-roll/cluster"
)

// Check is a condition on what was observed. String is the condition in words;
// Eval says whether it holds and on what evidence.
type Check interface {
	String() string
	Eval(o cluster.Observation) Verdict
}

// Verdict is the answer of a check. Known is false while nothing was observed
// that could decide it.
type Verdict struct {
	Met    bool   `json:"met"`
	Known  bool   `json:"known"`
	Detail string `json:"detail,omitempty"`
}

func yes(detail string) Verdict     { return Verdict{Met: true, Known: true, Detail: detail} }
func no(detail string) Verdict      { return Verdict{Known: true, Detail: detail} }
func unknown(detail string) Verdict { return Verdict{Detail: detail} }

// Result is a check's words and its verdict, as told in events.
type Result struct {
	Text string `json:"text"`
	Verdict
}

// every holds when all of them do; its evidence is that of the first that does not,
// or of the last.
type every []Check

func (c every) String() string {
	var out []string
	for _, one := range c {
		out = append(out, one.String())
	}
	return List(out)
}

// Eval asks one after the other.
func (c every) Eval(o cluster.Observation) (v Verdict) {
	for _, one := range c {
		if v = one.Eval(o); !v.Met {
			break
		}
	}
	return v
}

func evaluate(checks []Check, o cluster.Observation) []Result {
	out := make([]Result, len(checks))
	for i, c := range checks {
		out[i] = Result{Text: c.String(), Verdict: c.Eval(o)}
	}
	return out
}

func allMet(rs []Result) bool {
	return !slices.ContainsFunc(rs, func(r Result) bool { return !r.Met })
}

// denial is a check that has words for not being met.
type denial interface{ Denied() string }

// unmet lists the conditions that do not hold, with their evidence. The same
// evidence is not told twice.
func unmet(rs []Result) string {
	var out, told []string
	for _, r := range rs {
		switch {
		case r.Met:
		case r.Detail == "":
			out = append(out, r.Text)
		case !slices.Contains(told, r.Detail):
			told = append(told, r.Detail)
			out = append(out, r.Text+": "+r.Detail)
		}
	}
	return strings.Join(out, "; ")
}
