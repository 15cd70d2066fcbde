package upgrade

import (
	"fmt"

	"nats-roll/cluster"
)

// Holding says how a claim of the text stands.
type Holding string

// A claim holds as the text says, differs, or cannot be decided here.
const (
	Holds     Holding = "holds"
	Differs   Holding = "differs"
	Undecided Holding = "undecided"
)

// Claim is a sentence of the tutorial that a step puts to the test, and the
// judge that compares it with what was observed before the step and after it.
type Claim struct {
	ID    string // of the Sentence
	Text  string
	Judge func(before, after cluster.Observation) Finding
	// Late says that something it is judged by, a line of a log, is still to come. It
	// may be nil; the step waits for it for a moment.
	Late func(after cluster.Observation) bool
}

// Finding is what was seen of a claim.
type Finding struct {
	ID      string  `json:"id,omitempty"`
	Section string  `json:"section,omitempty"` // of the text
	Text    string  `json:"text"`
	Stands  Holding `json:"stands"`
	Detail  string  `json:"detail"`
	Because []Cause `json:"because,omitempty"` // why it differs, as far as that is known
}

func judge(claims []Claim, before, after cluster.Observation) []Finding {
	var out []Finding
	for _, c := range claims {
		f := c.Judge(before, after)
		s, _ := FindSentence(c.ID)
		s.Text = c.Text
		out = append(out, f.of(s))
	}
	return out
}

// of makes it the finding on a sentence. A difference that nothing is known about
// says so.
func (f Finding) of(s Sentence) Finding {
	f.ID, f.Section, f.Text = s.ID, s.Section(), s.Text
	if f.Stands == Differs && len(f.Because) == 0 {
		f = f.because("unknown")
	}
	return f
}

// Decide judges the sentence, if that needs no server.
func (s Sentence) Decide(g Ground) (Finding, bool) {
	if s.Judge == nil {
		return Finding{}, false
	}
	return s.Judge(g).of(s), true
}

func holds(format string, args ...any) Finding {
	return Finding{Stands: Holds, Detail: fmt.Sprintf(format, args...)}
}

func differs(format string, args ...any) Finding {
	return Finding{Stands: Differs, Detail: fmt.Sprintf(format, args...)}
}

func undecided(format string, args ...any) Finding {
	return Finding{Stands: Undecided, Detail: fmt.Sprintf(format, args...)}
}

// chance is what is still called even: 2.6 standard deviations around a fair share,
// which a fair draw keeps to in about 99 of 100 times.
const chance = 2.6

// twoSuffice: the whole upgrade with two permanent servers.
func twoSuffice(permanent []cluster.Node, to cluster.Builds) Claim {
	return claim("two-suffice", func(_, after cluster.Observation) Finding {
		if len(permanent) != 2 {
			return undecided("there are %d permanent servers here", len(permanent))
		}
		f := upgraded(permanent, to, after)
		if f.Stands == Holds {
			f.Detail += ", while clients were connected"
		}
		return f
	})
}

// upgraded says whether every server runs what it should.
func upgraded(permanent []cluster.Node, to cluster.Builds, o cluster.Observation) Finding {
	run := map[string]cluster.Version{}
	for _, n := range permanent {
		if v := (Running{Node: n.Name, Build: to.Of(n.Name)}).Eval(o); !v.Met {
			return differs("%s: %s", n.Name, v.Detail)
		}
		run[n.Name] = to.Of(n.Name).Version
	}
	return holds("%s", running(run))
}

// samePath: the way down is the way up. Without JetStream it is; what newer
// servers stored, older ones may not read.
func samePath(permanent []cluster.Node, to cluster.Builds) Claim {
	return claim("same-path", func(_, after cluster.Observation) Finding {
		f := upgraded(permanent, to, after)
		if f.Stands == Holds {
			f.Detail += " after the same steps, without JetStream"
		}
		return f
	})
}

// earlierMayWork: of a way down, by what is known of it and by how it went.
func earlierMayWork(permanent []cluster.Node, from, to cluster.Builds) Claim {
	return claim("earlier-may-work", func(_, after cluster.Observation) Finding {
		f := upgraded(permanent, to, after)
		if f.Stands == Holds {
			f.Detail = fmt.Sprintf("%s → %s worked here: %s, and every client is connected; nothing was stored with JetStream", from, to, f.Detail)
		}
		return f
	})
}

// running says who runs what: "A and B run 2.15.1".
func running(versions map[string]cluster.Version) string {
	var out []string
	for _, g := range cluster.Alike(versions) {
		verb := "run"
		if len(g.Nodes) == 1 {
			verb = "runs"
		}
		out = append(out, fmt.Sprintf("%s %s %s", List(g.Nodes), verb, g.Of))
	}
	return List(out)
}
