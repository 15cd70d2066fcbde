package advice

import (
	"fmt"
	"slices"
	"strings"

	"nats-roll/cluster"
)

// rule is one thing that is known, and for which pairs of versions.
type rule struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	When     when     `json:"when"`
	Needs    []string `json:"needs"` // conditions, the most general first
	Fact
	Remedy   string `json:"remedy"`
	Verified bool   `json:"verified"`
}

// when says for which pairs a rule holds: all that is given must be true.
type when struct {
	Direction string   `json:"direction"` // up, down, same, mixed (up or down: both versions run side by side), any
	Step      string   `json:"step"`      // one of steps
	Lower     versions `json:"lower"`     // the lower version of the two
	Higher    versions `json:"higher"`
	From      versions `json:"from"`
	To        versions `json:"to"`
}

// steps are conditions that version ranges cannot express.
var steps = map[string]func(pair) bool{
	"":               func(p pair) bool { return !p.majors() },
	"majors":         func(p pair) bool { return p.majors() },
	"uncatalogued":   func(p pair) bool { return len(p.unknown(catalogue())) > 0 },
	"next-line":      func(p pair) bool { return !p.majors() && p.between == 0 && p.low.Minor() != p.high.Minor() },
	"skips-lines":    func(p pair) bool { return !p.majors() && p.between > 0 },
	"level-drop":     func(p pair) bool { return !p.majors() && p.levels[1] < p.levels[0] },
	"loses-features": func(p pair) bool { return p.losses > 0 },
}

func (w when) holds(p pair) bool {
	way := w.Direction == "any" || w.Direction == string(p.direction) ||
		w.Direction == "mixed" && p.direction != Same
	return way && steps[w.Step](p) &&
		w.Lower.has(p.low) && w.Higher.has(p.high) && w.From.has(p.from) && w.To.has(p.to)
}

// pair is a step as the rules see it.
type pair struct {
	from, to  cluster.Version
	low, high cluster.Version
	direction Direction
	between   int    // release lines in between, known or not
	levels    [2]int // JetStream API levels of from and to
	losses    int    // features lost on the way
}

func (b *book) pair(from, to cluster.Version) pair {
	p := pair{from: from, to: to, low: from, high: to, direction: Same}
	switch from.Compare(to) {
	case -1:
		p.direction = Up
	case 1:
		p.direction, p.low, p.high = Down, to, from
	}
	p.between = b.between(p.low.Minor(), p.high.Minor())
	p.levels = [2]int{b.APILevels.Levels.of(from), b.APILevels.Levels.of(to)}
	return p
}

// majors says that the two are of different major versions. What is known about
// neighbours does not reach that far.
func (p pair) majors() bool { return major(p.low.Minor()) != major(p.high.Minor()) }

// unknown lists the versions that the catalogue does not have.
func (p pair) unknown(b *book) []string {
	var out []string
	for _, v := range []cluster.Version{p.from, p.to} {
		if _, ok := b.dates[v]; !ok && !slices.Contains(out, string(v)) {
			out = append(out, string(v))
		}
	}
	return out
}

// versions is a set of versions: alternatives, each with a lower bound that
// belongs to it, an upper bound that does not, or both. The data writes
// ">=2.12.0 <2.12.2 || <2.11.11". Without alternatives it has every version.
type versions []span

type span struct{ from, below cluster.Version }

// has ignores suffixes: a release candidate behaves like its release.
func (vs versions) has(v cluster.Version) bool {
	c := core(v)
	return len(vs) == 0 || slices.ContainsFunc(vs, func(s span) bool {
		return (s.from == "" || c.Compare(s.from) >= 0) && (s.below == "" || c.Compare(s.below) < 0)
	})
}

// UnmarshalText reads the form that the data uses.
func (vs *versions) UnmarshalText(text []byte) error {
	*vs = nil
	for alternative := range strings.SplitSeq(string(text), "||") {
		var s span
		for _, f := range strings.Fields(alternative) {
			bound := &s.from
			n, ok := strings.CutPrefix(f, ">=")
			if !ok {
				bound = &s.below
				n, ok = strings.CutPrefix(f, "<")
			}
			v, err := cluster.ParseVersion(n)
			if !ok || err != nil || *bound != "" {
				return fmt.Errorf("%q in %q is not a bound such as >=2.12.0 or <2.14.0", f, text)
			}
			*bound = v
		}
		if s == (span{}) || s.from != "" && s.below != "" && s.from.Compare(s.below) >= 0 {
			return fmt.Errorf("%q in %q holds for no version", alternative, text)
		}
		*vs = append(*vs, s)
	}
	return nil
}

// core is a version without its suffix: 2.15.0 of 2.15.0-RC.2.
func core(v cluster.Version) cluster.Version {
	if i := strings.IndexAny(string(v), "-+"); i >= 0 {
		return v[:i]
	}
	return v
}
