package upgrade

import "nats-roll/cluster"

// Chapter is a kind of rehearsal: what makes its plan, and of what when nobody says
// so. A new one is a file with a Chapter in it, and a line in Chapters.
type Chapter struct {
	Name  string
	About string // in a few words
	Takes string // how long it takes on screen, for one who reads: "5 minutes"; a guess, until somebody has walked it
	Plan  func(Spec) Plan
	Down  bool // from the newer build to the older one
	// Flags is what flags of the command line are by default in this chapter.
	Flags map[string]string
	// Fixed lists flags that cannot be anything else than Flags says, or than their
	// default where that says nothing.
	Fixed []string
	// Shape says what else is special about the servers; it may be nil.
	Shape func(*cluster.Topology)
}

// Chapters lists them, the default first.
var Chapters = []Chapter{
	{Name: "rolling", About: "the tutorial's upgrade", Takes: "5 minutes", Plan: Rolling},
	{Name: "downgrade", About: "the way back, which the text calls the same path", Takes: "5 minutes", Plan: Downgrade, Down: true},
	seeded,
	spreadChapter,
	parityChapter,
	jetStreamChapter,
	recommendedChapter,
	free,
}

// FindChapter finds a chapter by its name.
func FindChapter(name string) (Chapter, bool) {
	for _, c := range Chapters {
		if c.Name == name {
			return c, true
		}
	}
	return Chapter{}, false
}
