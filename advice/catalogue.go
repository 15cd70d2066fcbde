package advice

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"nats-roll/cluster"
)

//go:embed versions.json
var raw []byte

// Release is one nats-server release. Which exist cannot be counted: there is
// no 2.13, and no patch 13 in any line.
type Release struct {
	Version   cluster.Version `json:"version"`
	Date      string          `json:"date"`      // 2026-10-26
	Supported bool            `json:"supported"` // its line still gets patches
}

// book is versions.json, and what is worked out from it once.
type book struct {
	Schema     int      `json:"schema"`
	AsOf       string   `json:"as_of"`
	Dates      string   `json:"dates"` // where the dates of releases come from
	Policy     Fact     `json:"policy"`
	Maintained []string `json:"maintained"`
	Tutorial   Fact     `json:"tutorial"`
	Via        Fact     `json:"via"`
	Routes     struct {
		Fact
		PerPair scale `json:"per_pair"`
	} `json:"routes"`
	APILevels struct {
		Fact
		Levels scale `json:"levels"`
	} `json:"api_levels"`
	Skipped []struct {
		Minor   string   `json:"minor"`
		Sources []string `json:"sources"`
	} `json:"skipped"`
	Lines      []line      `json:"lines"` // oldest first
	Conditions []Condition `json:"conditions"`
	Rules      []rule      `json:"rules"`
	Features   []feature   `json:"features"`

	releases []Release // oldest version first
	dates    map[cluster.Version]string
	nouns    map[string]Condition
}

// line is a minor version and its patches.
type line struct {
	Minor       string                     `json:"minor"`
	Releases    map[cluster.Version]string `json:"releases"`
	UpgradeFrom cluster.Version            `json:"upgrade_from"` // the lowest version to come from
	Floor       cluster.Version            `json:"floor"`        // the lowest version to go back to
	Back        Fact                       `json:"back"`
}

// feature is what servers before Since do not have, and what they make of it.
type feature struct {
	Name  string          `json:"name"`
	Title string          `json:"title"`
	Since cluster.Version `json:"since"`
	Level int             `json:"level"`
	Needs []string        `json:"needs"`
	Lost  []struct {
		On       versions `json:"on"`
		Effect   string   `json:"effect"`
		Silent   bool     `json:"silent"`
		Verified bool     `json:"verified"`
		Sources  []string `json:"sources"`
	} `json:"lost"`
}

// scale is a number that depends on the version.
type scale []struct {
	Versions versions `json:"versions"`
	Number   int      `json:"number"`
}

func (s scale) of(v cluster.Version) int {
	for _, e := range s {
		if e.Versions.has(v) {
			return e.Number
		}
	}
	return 0
}

func (f Fact) clone() Fact { return Fact{Text: f.Text, Sources: slices.Clone(f.Sources)} }

// catalogue is read when first asked for: most commands never do.
var catalogue = sync.OnceValue(func() *book {
	b, err := read(raw)
	if err != nil {
		panic("advice: versions.json: " + err.Error()) // the file is part of the program, and tested
	}
	return b
})

func read(data []byte) (*book, error) {
	var b book
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		return nil, err
	}
	b.dates = map[cluster.Version]string{}
	for _, l := range b.Lines {
		for v, date := range l.Releases {
			if got, err := cluster.ParseVersion(string(v)); err != nil || got != v || v.Minor() != l.Minor {
				return nil, fmt.Errorf("%q is no release of %s", v, l.Minor)
			}
			b.dates[v] = date
			b.releases = append(b.releases, Release{Version: v, Date: date, Supported: b.maintained(l.Minor)})
		}
	}
	slices.SortFunc(b.releases, func(x, y Release) int { return x.Version.Compare(y.Version) })
	for _, f := range b.Features { // using one is a condition, too
		b.Conditions = append(b.Conditions, Condition{Name: f.Name, Noun: f.Title})
	}
	b.nouns = map[string]Condition{}
	for _, c := range b.Conditions {
		b.nouns[c.Name] = c
	}
	return &b, nil
}

// AsOf is the day up to which releases are known: "2026-11-23".
func AsOf() string { return catalogue().AsOf }

// Releases lists every known release, the oldest version first.
func Releases() []Release { return slices.Clone(catalogue().releases) }

// Known says that the catalogue has exactly this version.
func Known(v cluster.Version) bool {
	_, ok := catalogue().dates[v]
	return ok
}

// Latest is the newest known version.
func Latest() cluster.Version {
	r := catalogue().releases
	return r[len(r)-1].Version
}

// LatestOf is the newest known patch of a release line such as "2.14".
func LatestOf(minor string) (cluster.Version, bool) {
	l, ok := catalogue().line(strings.TrimPrefix(minor, "v"))
	if !ok {
		return "", false
	}
	return l.newest(), true
}

// Previous is the known release before this version, in the order of versions:
// that before 2.15.0 is the newest 2.14. The version itself need not be known.
func Previous(v cluster.Version) (cluster.Version, bool) {
	before := ""
	for _, r := range catalogue().releases {
		if r.Version.Compare(v) >= 0 {
			break
		}
		before = string(r.Version)
	}
	return cluster.Version(before), before != ""
}

// NewerThan lists the known releases of a higher version, the lowest first.
func NewerThan(v cluster.Version) []Release {
	return slices.DeleteFunc(Releases(), func(r Release) bool { return r.Version.Compare(v) <= 0 })
}

func (b *book) maintained(minor string) bool { return slices.Contains(b.Maintained, minor) }

func (b *book) line(minor string) (line, bool) {
	i := slices.IndexFunc(b.Lines, func(l line) bool { return l.Minor == minor })
	if i < 0 {
		return line{}, false
	}
	return b.Lines[i], true
}

func (l line) newest() cluster.Version {
	var out cluster.Version
	for v := range l.Releases {
		if out == "" || v.Compare(out) > 0 {
			out = v
		}
	}
	return out
}

func (b *book) skips(minor string) bool {
	for _, s := range b.Skipped {
		if s.Minor == minor {
			return true
		}
	}
	return false
}

// between counts the release lines that lie between two. Lines outside the
// catalogue are taken to be numbered without gaps.
func (b *book) between(low, high string) int {
	if major(low) != major(high) {
		return 0
	}
	n := max(number(high)-number(low)-1, 0)
	for _, s := range b.Skipped {
		if order(low, s.Minor) < 0 && order(s.Minor, high) < 0 {
			n--
		}
	}
	return n
}

// order compares release lines as numbers: 2.9 comes before 2.10.
func order(a, b string) int {
	return cluster.Version(a + ".0").Compare(cluster.Version(b + ".0"))
}

func major(minor string) string { m, _, _ := strings.Cut(minor, "."); return m }

// number is the second number of a release line. One that is too great for an
// int becomes the greatest, which is far enough.
func number(minor string) int {
	_, n, _ := strings.Cut(minor, ".")
	i, _ := strconv.Atoi(n)
	return i
}
