package main_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "nats-roll"

// allowed says which packages of this module each package may import, and why
// it may. What is not listed is not allowed: think about whose the code is, and
// then change the code or, with a reason, this table.
var allowed = map[string]map[string]string{
	"": {
		"cli":              "main hands over to the command line",
		"release/embedded": "called nats-server, main is the linked-in server",
	},
	"advice": {"cluster": "the nouns"},
	"cli": {
		"advice":           "words for versions, and what is known about a step",
		"cluster":          "flags become a topology and a workload",
		"fleet":            "wires the clients into the driver",
		"parity":           "compares configuration files",
		"local":            "wires the driver for this machine",
		"proc":             "ports, folders and leftovers are looked at before and after",
		"redact":           "errors may quote an address with a password",
		"rehearsal":        "one session is one lab",
		"release":          "wires the sources of builds",
		"release/embedded": "is told which version is linked in",
		"report":           "prints and writes what a rehearsal came to",
		"tui":              "shows the screen",
		"tui/theme":        "reads the colour flags",
		"upgrade":          "makes the plan and the runner",
	},
	"cluster":  {},
	"glossary": {},
	"fleet":    {"cluster": "the nouns"},
	"local": {
		"cluster": "the nouns",
		"monitor": "asks the servers that run",
		"proc":    "starts and stops them",
		"upgrade": "is a driver",
	},
	"monitor":             {"cluster": "the nouns"},
	"proc":                {"cluster": "the nouns"},
	"proc/proctest":       {"cluster": "the nouns", "proc": "looks at ports"},
	"redact":              {},
	"rehearsal":           {"cluster": "the nouns", "redact": "the event log is for others", "upgrade": "folds the plan's events"},
	"release":             {"cluster": "the nouns"},
	"release/embedded":    {"cluster": "names its version"},
	"release/releasetest": {"cluster": "the nouns", "release": "gets builds for tests", "release/embedded": "lets test binaries be servers"},
	"report": {
		"advice":    "puts what is known about a step into words",
		"cluster":   "the nouns",
		"redact":    "reports are for others",
		"rehearsal": "reads states",
		"upgrade":   "reads plans",
	},
	"tui": {
		"cluster":   "the nouns",
		"glossary":  "finds the words that are on the screen",
		"rehearsal": "draws states",
		"tui/theme": "colours",
		"tui/view":  "panels",
		"upgrade":   "knows the status of steps",
	},
	"tui/theme": {},
	"tui/view":  {"advice": "draws what is known about the step", "cluster": "the nouns", "glossary": "draws its words", "rehearsal": "draws states", "tui/theme": "colours", "upgrade": "draws steps"},
	"parity":    {},
	"upgrade": {
		"advice":  "a plan carries what is known about its step",
		"cluster": "the nouns",
		"parity":  "a check compares the servers' configurations",
	},
	"upgrade/upgradetest": {"cluster": "the nouns", "rehearsal": "folds what drivers tell", "upgrade": "tests drivers"},
}

// homes says where a library may be imported; a name stands for all below it.
var homes = map[string][]string{
	"github.com/charmbracelet/bubbletea": {"tui"},
	"github.com/charmbracelet/bubbles":   {"tui"},
	"github.com/charmbracelet/lipgloss":  {"tui", "tui/theme", "tui/view"},
	"github.com/muesli/termenv":          {"tui/theme"},
	"github.com/nats-io/nats.go":         {"fleet"},
	"github.com/nats-io/nats-server/v2":  {"parity", "release/embedded"},
	"github.com/shirou/gopsutil/v3":      {"proc"},
	"github.com/spf13":                   {"cli"},
	"os/exec":                            {"proc", "release"},
	"net/http":                           {"monitor", "release"},
}

// still says what the pure packages do without.
var still = map[string][]string{
	"advice":   {"os", "net", "net/http", "os/exec"},
	"cluster":  {"os", "net", "net/http", "sync"},
	"glossary": {"os", "net", "net/http", "sync"},
	"upgrade":  {"os", "net", "net/http", "os/exec"},
	"tui/view": {"os", "net", "sync"},
}

type edge struct{ from, to string }

// imports reads every import of the module's code that is not a test.
func imports(t *testing.T) []edge {
	t.Helper()
	var out []edge
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && file != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		from := strings.TrimPrefix(path.Dir(filepath.ToSlash(file)), ".")
		for _, i := range f.Imports {
			to, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			out = append(out, edge{from, to})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestImportsKeepTheirDirection(t *testing.T) {
	for _, e := range imports(t) {
		own, ok := allowed[e.from]
		if !ok {
			t.Fatalf("package %q is in no table: add it to allowed, with what it owns in its package comment", e.from)
		}
		if to, ours := strings.CutPrefix(e.to, module+"/"); ours {
			if _, ok := own[to]; !ok {
				t.Errorf("%s imports %s, which the table does not allow", e.from, to)
			}
		}
		for lib, where := range homes {
			if (e.to == lib || strings.HasPrefix(e.to, lib+"/")) && !slices.Contains(where, e.from) {
				t.Errorf("%s imports %s, whose place is %s", e.from, e.to, strings.Join(where, ", "))
			}
		}
		if slices.Contains(still[e.from], e.to) {
			t.Errorf("%s imports %s, and does without it", e.from, e.to)
		}
	}
}

func TestTheTableOfImportsIsNotStale(t *testing.T) {
	used := map[edge]bool{}
	for _, e := range imports(t) {
		used[e] = true
	}
	for from, list := range allowed {
		for to, why := range list {
			if !used[edge{from, module + "/" + to}] {
				t.Errorf("nothing in %q imports %q any more: take it out of the table", from, to)
			}
			if why == "" {
				t.Errorf("%q may import %q without a reason", from, to)
			}
		}
	}
}
