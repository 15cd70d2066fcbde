package advice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"nats-roll/cluster"
)

// Steps is the advice on one rehearsal: one step, unless servers have builds of
// their own.
type Steps []Advice

// ForAll gathers what is known about several steps in one situation, each told
// once, and about two versions that run side by side on the way, the lower one
// first, unless one of the steps leads from one to the other.
func ForAll(steps [][2]cluster.Version, beside [2]cluster.Version, s Situation) (Steps, error) {
	var out Steps
	add := func(from, to cluster.Version, beside bool) error {
		if slices.ContainsFunc(out, func(a Advice) bool {
			return a.From == from && a.To == to || beside && a.From == to && a.To == from
		}) {
			return nil
		}
		a, err := For(from, to, s)
		if a.Beside = beside; beside {
			a.Supported = a.Supported && catalogue().maintained(from.Minor())
		}
		out = append(out, a)
		return err
	}
	for _, st := range steps {
		if err := add(st[0], st[1], false); err != nil {
			return nil, err
		}
	}
	if beside[0] != beside[1] {
		if err := add(beside[0], beside[1], true); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Blocking lists the findings for which the rehearsal must not be made.
func (s Steps) Blocking() []Finding {
	var out []Finding
	for _, a := range s {
		out = append(out, a.Blocking()...)
	}
	return unique(out)
}

// Findings lists those of every step, each once, the heaviest first.
func (s Steps) Findings() []Finding {
	var out []Finding
	for _, a := range s {
		out = append(out, a.Findings...)
	}
	slices.SortStableFunc(out, compare)
	return unique(out)
}

func compare(x, y Finding) int {
	return cmp.Or(cmp.Compare(weight[x.Severity], weight[y.Severity]), cmp.Compare(x.rank(), y.rank()))
}

func unique(fs []Finding) []Finding {
	var out []Finding
	for _, f := range fs {
		if !slices.ContainsFunc(out, func(g Finding) bool { return g.ID == f.ID && g.Text == f.Text }) {
			out = append(out, f)
		}
	}
	return out
}

// Brief is what has to be known before the first kill, in few lines: how each
// step stands, and the findings that matter to this rehearsal. The rest is
// counted.
func (s Steps) Brief() []Remark {
	var out []Remark
	for _, a := range s {
		if a.Direction == Same {
			continue
		}
		r := Remark{Severity: Info, Text: a.standing()}
		if len(s) > 1 {
			r.Text = a.name() + ": " + r.Text
		}
		if !a.Supported {
			r.Severity = Warn
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil
	}
	others, lack := 0, ""
	for _, f := range s.Findings() {
		switch {
		case !f.Matters || f.Undecided:
			others++
			if strings.HasPrefix(f.Because, "no JetStream") {
				lack = ", which has no JetStream among other things"
			}
		case f.Severity == Info:
		default:
			out = append(out, Remark{f.Severity, f.Text})
		}
	}
	if others > 0 {
		out = append(out, Remark{Info, fmt.Sprintf("%d more findings do not concern this rehearsal%s: %s", others, lack, s.Command())})
	}
	return out
}

func (a Advice) name() string {
	if a.Beside {
		return fmt.Sprintf("%s beside %s", a.From, a.To)
	}
	return fmt.Sprintf("%s → %s", a.From, a.To)
}

// Command prints the rest, of the step that has most of it.
func (s Steps) Command() string {
	most := slices.MaxFunc(s, func(a, b Advice) int { return cmp.Compare(len(a.Findings), len(b.Findings)) })
	return fmt.Sprintf("nats-roll advise %s %s", most.From, most.To)
}
