package advice

import (
	"fmt"
	"slices"
	"strings"
)

// Situation is what a rehearsal has, as far as advice depends on it.
type Situation struct {
	Nodes      int // servers; 0 if not said, which counts as several
	JetStream  bool
	Replicated bool     // streams or consumers with more than one replica
	Mirrors    bool     // or sources
	Has        []string // further conditions and features, by the names in Conditions
	// Unknown says that what is not named is not known, instead of absent: what
	// depends on it is then undecided. Lacks names what is known to be absent.
	Unknown bool
	Lacks   []string
}

// Condition is something that a cluster has or has not, and that advice
// depends on.
type Condition struct {
	Name string `json:"name"`
	Noun string `json:"noun"`           // "mirrors or sources"
	Lack string `json:"lack,omitempty"` // in words, where "no …" will not do
}

// Conditions lists every name that a Situation may hold.
func Conditions() []Condition { return slices.Clone(catalogue().Conditions) }

// Bearing says whether something matters to a rehearsal, and why.
type Bearing struct {
	Matters bool `json:"matters"`
	// Undecided says that it matters as a precaution only: it is not known
	// whether the cluster has what Because names.
	Undecided bool   `json:"undecided,omitempty"`
	Because   string `json:"because,omitempty"`
}

// rank orders: matters, undecided, does not matter.
func (b Bearing) rank() int {
	switch {
	case b.Undecided:
		return 1
	case b.Matters:
		return 0
	default:
		return 2
	}
}

type answer int

const (
	no answer = iota
	maybe
	assumed // so common that it is no reason worth telling
	yes
)

// has answers whether the situation meets a condition. What is lost on the way
// decides the one that depends on the step.
func (s Situation) has(name string, lost []Feature) answer {
	switch {
	case slices.Contains(s.Lacks, name):
		return no
	case slices.Contains(s.Has, name),
		name == "jetstream" && s.JetStream,
		name == "replicas" && s.Replicated,
		name == "mirrors" && s.Mirrors,
		name == "cluster" && s.Nodes > 1,
		name == "newer-features" && slices.ContainsFunc(lost, func(f Feature) bool { return f.rank() == 0 }):
		return yes
	case name == "cluster" && s.Nodes == 0:
		return assumed
	case name == "cluster":
		return no
	case s.Unknown:
		return maybe
	default:
		return no
	}
}

// check refuses names that no condition has.
func (b *book) check(s Situation) error {
	for _, n := range slices.Concat(s.Has, s.Lacks) {
		if _, ok := b.nouns[n]; !ok {
			return fmt.Errorf("no condition is called %q", n)
		}
	}
	return nil
}

// bearing weighs the needs of a rule. The first that is not met is the reason,
// so that "no JetStream" comes before "no mirrors".
func (b *book) bearing(needs []string, s Situation, lost []Feature) Bearing {
	var met, open []string
	for _, n := range needs {
		c := b.nouns[n]
		switch s.has(n, lost) {
		case yes:
			met = append(met, c.Noun)
		case maybe:
			open = append(open, c.Noun)
		case no:
			if c.Lack != "" {
				return Bearing{Because: c.Lack}
			}
			return Bearing{Because: "no " + c.Noun + " in this rehearsal"}
		}
	}
	switch {
	case len(open) > 0:
		return Bearing{Matters: true, Undecided: true, Because: "only with " + list(open)}
	case len(met) > 0:
		return Bearing{Matters: true, Because: "this rehearsal has " + list(met)}
	default:
		return Bearing{Matters: true, Because: "concerns every cluster"}
	}
}

func list(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}
