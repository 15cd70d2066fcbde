package upgrade

// Chapter is a kind of rehearsal: what makes its plan, and between which builds
// when nobody says so.
type Chapter struct {
	Name  string
	About string // in a few words
	Plan  func(Spec) Plan
	Down  bool // from the newer build to the older one
}

// Chapters lists them, the default first.
var Chapters = []Chapter{
	{Name: "rolling", About: "the tutorial's upgrade", Plan: Rolling},
	{Name: "downgrade", About: "the way back, which the text calls the same path", Plan: Downgrade, Down: true},
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
