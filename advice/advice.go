// Package advice owns what is known about the step between two nats-server
// versions: which releases exist and which still get patches, what must not be
// rolled, what is lost on the way down, and where each sentence comes from.
//
// The knowledge is data, versions.json, in which every rule says for which
// pairs it holds and what a cluster must have for it to matter. This package
// only applies the rules: it asks nobody, changes nothing, and gives the same
// answer every time. How advice is printed belongs to report and tui, whether a
// rehearsal goes on in spite of it to cli, and where builds come from to
// release.
package advice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"nats-roll/cluster"
)

// Direction is which way a step goes.
type Direction string

// A step goes up, down, or nowhere.
const (
	Up   Direction = "up"
	Down Direction = "down"
	Same Direction = "same"
)

// Severity says how much a finding weighs, if it matters.
type Severity string

// Info is good to know, Warn can cost something, Block must not be done.
const (
	Info  Severity = "info"
	Warn  Severity = "warn"
	Block Severity = "block"
)

var weight = map[Severity]int{Block: 0, Warn: 1, Info: 2}

// Fact is a sentence and where it comes from: addresses, or what was reproduced
// with real servers.
type Fact struct {
	Text    string   `json:"text,omitempty"`
	Sources []string `json:"sources,omitempty"`
}

// Finding is a rule that holds for the step.
type Finding struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	Fact
	Remedy   string `json:"remedy,omitempty"` // what to do about it, if anything
	Verified bool   `json:"verified"`         // reproduced with real servers
	Bearing
}

// Feature is something that the newer servers have and the older ones lose.
type Feature struct {
	Name  string          `json:"name"`
	Title string          `json:"title"`
	Since cluster.Version `json:"since"`
	Level int             `json:"level,omitempty"` // the JetStream API level it needs
	Fact                  // what becomes of it on the older servers
	// Silent says that the older server gives no error: it just does less.
	Silent   bool `json:"silent"`
	Verified bool `json:"verified"`
	Bearing
}

// Routes is how many route connections two servers keep, with the default
// pool_size: two old ones, one of each, two new ones.
type Routes struct {
	Before int `json:"before"`
	Mixed  int `json:"mixed"`
	After  int `json:"after"`
	Fact
}

// Advice is all that is known about one step.
type Advice struct {
	From      cluster.Version `json:"from"`
	To        cluster.Version `json:"to"`
	Direction Direction       `json:"direction"`
	// Beside: no server steps from one to the other; they run side by side.
	Beside bool `json:"beside,omitempty"`

	// Supported says that the release line of To still gets patches, and Support
	// how both lines stand. Policy is the rule of today. TextSays is the
	// tutorial's own sentence, which speaks of downgrades only; InText says that
	// this step is one which that sentence covers.
	Supported bool `json:"supported"`
	Support   Fact `json:"support"`
	Policy    Fact `json:"policy"`
	TextSays  Fact `json:"text_says"`
	InText    bool `json:"in_text"`

	// Adjacent says that no release line lies between the two, and Between how
	// many do; across major versions it is neither. Via are the
	// versions to stop at: the newest known patch of each line between, and of
	// the older line itself where the newer one asks for more than the step
	// starts from. They are the same with and without JetStream; ViaFor says
	// whether they matter here.
	Adjacent bool              `json:"adjacent"`
	Between  int               `json:"between"`
	Via      []cluster.Version `json:"via,omitempty"`
	ViaWhy   Fact              `json:"via_why"`
	ViaFor   Bearing           `json:"via_for"`

	// Floor is the lowest version to come back to from the newer of the two;
	// empty if none is known. Back says what is.
	Floor cluster.Version `json:"floor,omitempty"`
	Back  Fact            `json:"back"`

	Routes   Routes    `json:"routes"`
	Lost     []Feature `json:"lost,omitempty"` // going down, those that matter first
	Findings []Finding `json:"findings"`       // block, warn, info; of each those that matter first
}

// Blocking lists the findings for which this step must not be made here. What
// is undecided, because the situation is not known, is not among them.
func (a Advice) Blocking() []Finding {
	var out []Finding
	for _, f := range a.Findings {
		if f.Severity == Block && f.Matters && !f.Undecided {
			out = append(out, f)
		}
	}
	return out
}

// For gathers what is known about going from one version to another in this
// situation. Versions need not be in the catalogue. The error is about
// something that is no version, or about a condition that does not exist.
func For(from, to cluster.Version, s Situation) (Advice, error) {
	b := catalogue()
	var p pair
	for _, v := range []struct {
		asked cluster.Version
		read  *cluster.Version
	}{{from, &p.from}, {to, &p.to}} {
		var err error
		if *v.read, err = cluster.ParseVersion(string(v.asked)); err != nil {
			return Advice{}, fmt.Errorf("advise on %s to %s: %w", from, to, err)
		}
	}
	if err := b.check(s); err != nil {
		return Advice{}, fmt.Errorf("advise on %s to %s: %w", from, to, err)
	}
	p = b.pair(p.from, p.to)

	a := Advice{
		From: p.from, To: p.to, Direction: p.direction,
		Supported: b.maintained(p.to.Minor()), Support: b.support(p),
		Policy: b.Policy.clone(), TextSays: b.Tutorial.clone(), InText: b.inText(p),
		Adjacent: p.between == 0 && !p.majors(),
		Between:  p.between,
		Via:      b.via(p),
		Routes: Routes{
			Before: b.Routes.PerPair.of(p.from), Mixed: b.Routes.PerPair.of(p.low), After: b.Routes.PerPair.of(p.to),
			Fact: b.Routes.clone(),
		},
		Lost: b.lost(p, s),
	}
	if l, ok := b.line(p.high.Minor()); ok {
		a.Floor, a.Back = l.Floor, l.Back.clone()
	}
	if len(a.Via) > 0 {
		a.ViaWhy, a.ViaFor = b.Via.clone(), b.bearing([]string{"jetstream", "cluster"}, s, nil)
	}
	p.losses = len(a.Lost)
	for _, r := range b.Rules {
		if r.When.holds(p) {
			a.Findings = append(a.Findings, b.finding(r, p, s, a.Lost))
		}
	}
	slices.SortStableFunc(a.Findings, compare)
	return a, nil
}

func (b *book) finding(r rule, p pair, s Situation, lost []Feature) Finding {
	f := Finding{
		ID: r.ID, Severity: r.Severity, Fact: r.clone(), Remedy: r.Remedy, Verified: r.Verified,
		Bearing: b.bearing(r.Needs, s, lost),
	}
	f.Text = strings.NewReplacer("{unknown}", strings.Join(p.unknown(b), " and "), "{date}", b.AsOf).Replace(f.Text)
	return f
}

// lost lists what the lower of the two versions does not have, going down.
func (b *book) lost(p pair, s Situation) []Feature {
	if p.direction != Down || p.majors() {
		return nil
	}
	var out []Feature
	for _, f := range b.Features {
		if core(p.high).Compare(f.Since) < 0 || core(p.low).Compare(f.Since) >= 0 {
			continue
		}
		for _, l := range f.Lost {
			if l.On.has(p.low) {
				out = append(out, Feature{
					Name: f.Name, Title: f.Title, Since: f.Since, Level: f.Level,
					Fact: Fact{Text: l.Effect, Sources: slices.Clone(l.Sources)}, Silent: l.Silent, Verified: l.Verified,
					Bearing: b.bearing(append(slices.Clone(f.Needs), f.Name), s, nil),
				})
				break
			}
		}
	}
	slices.SortStableFunc(out, func(x, y Feature) int { return cmp.Compare(x.rank(), y.rank()) })
	return out
}

// support says how the release lines of both versions stand.
func (b *book) support(p pair) Fact {
	text := b.standing(p.to.Minor())
	if p.from.Minor() != p.to.Minor() {
		text += "; " + b.standing(p.from.Minor())
	}
	return Fact{Text: text + ".", Sources: slices.Clone(b.Policy.Sources)}
}

func (b *book) standing(minor string) string {
	l, listed := b.line(minor)
	switch {
	case b.maintained(minor):
		return minor + " gets patches"
	case listed:
		last := l.newest()
		return fmt.Sprintf("%s gets no patches any more, its last release is %s of %s", minor, last, l.Releases[last])
	case b.skips(minor):
		return minor + " was never released"
	case order(minor, Latest().Minor()) > 0:
		return minor + " is newer than the catalogue of " + b.AsOf
	default:
		return minor + " gets no patches any more"
	}
}

// inText says that the tutorial's sentence covers the step: down by one patch
// from the current release.
func (b *book) inText(p pair) bool {
	prev, ok := Previous(p.from)
	return ok && p.direction == Down && p.from == Latest() && p.to == prev && p.to.Minor() == p.from.Minor()
}

// via lists where to stop on the way.
func (b *book) via(p pair) []cluster.Version {
	if p.majors() {
		return nil
	}
	var out []cluster.Version
	high, _ := b.line(p.high.Minor())
	own, _ := b.line(p.low.Minor())
	if p.direction == Up && own.Minor != "" && high.UpgradeFrom.Minor() == own.Minor && core(p.low).Compare(high.UpgradeFrom) < 0 {
		out = append(out, own.newest())
	}
	for _, l := range b.Lines {
		if order(p.low.Minor(), l.Minor) < 0 && order(l.Minor, p.high.Minor()) < 0 {
			out = append(out, l.newest())
		}
	}
	if p.direction == Down {
		slices.Reverse(out)
	}
	return out
}
