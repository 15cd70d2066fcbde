//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"nats-roll/proc/proctest"
	"nats-roll/release/releasetest"
)

// badBuild is a row of docs/BAD-BUILDS.md: something that is given as a build
// and is none, or is a bad one.
type badBuild struct {
	given string // in words, for the document
	put   put
	flags string // beside those that the document names
	code  int

	quoted    string // what of standard output is told of, where there is no error; a regular expression
	meanwhile put    // done when both builds have been looked at, before they are used
	disk      disk   // what the program writes to
	humble    bool   // without the right of root to read everything
	slow      bool   // waits for a time limit, and takes little meanwhile
	linux     bool   // elsewhere the system has other words
}

// put arranges ./nats-server, and what else a row needs, in the row's folder.
type put func(t *testing.T, dir string)

// The document is what the program does and says: every row of it is tried here.
func TestBadBuilds(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	cores := make(chan struct{}, 2*runtime.NumCPU())
	try := func(name string, b badBuild, flags string, o *outcome) {
		running.Go(func() {
			if !b.slow {
				cores <- struct{}{}
				defer func() { <-cores }()
			}
			t.Run(name, func(t *testing.T) { *o = b.try(t, flags) })
		})
	}
	atOnce, later, back := make([]outcome, len(foundAtOnce())), make([]outcome, len(foundLater())), make([]outcome, len(foundLater()))
	for i, b := range foundLater() { // the slow ones are among them
		try(b.given, b, "--keep "+b.flags, &later[i])
		if b.code != 0 {
			try(b.given+", and the way back", b, "--keep --on-failure rollback "+b.flags, &back[i])
		}
	}
	for i, b := range foundAtOnce() {
		try(b.given, b, b.flags, &atOnce[i])
	}
	running.Wait()

	first := table{name: "at once", head: "| given | what is said | exit |", all: true}
	for i, b := range foundAtOnce() {
		o := atOnce[i]
		first.add(o.tried, b.given, o.said, fmt.Sprint(b.code))
		if o.tried && o.found != atOnceWords {
			t.Errorf("%s: found %s", b.given, o.found)
		}
	}
	second := table{name: "later", head: "| given | found | what is said | exit | then | with the way back |", all: true}
	for i, b := range foundLater() {
		stop, back := later[i], back[i]
		then := back.After + back.failing()
		switch {
		case b.code == 0:
			then = "–"
		case stop.tried && back.tried && (back.found != stop.found || !strings.HasPrefix(back.said, strings.TrimSuffix(stop.said, "`"))):
			t.Errorf("%s: with the way back, it is found %s: %s", b.given, back.found, back.said)
		}
		second.add(stop.tried && then != "", b.given, stop.found, stop.said, fmt.Sprint(b.code), stop.After, then)
	}
	const file = "docs/BAD-BUILDS.md"
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, tab := range []table{first, second} {
		doc = tab.compare(t, doc)
	}
	if *update {
		if err := os.WriteFile(file, doc, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// try runs the program once with the bad build, and looks at what it leaves.
func (b badBuild) try(t *testing.T, flags string) outcome {
	if runtime.GOOS != "linux" && (b.linux || b.humble && os.Geteuid() == 0) {
		t.Skip("another system says something else")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	env := surroundings(dir, proctest.Offset(t, 2))
	env["DIR"] = dir
	env["XDG_CACHE_HOME"], env["TMPDIR"] = filepath.Join(dir, "cache"), filepath.Join(dir, "tmp")
	env["OLD"], env["NEW"] = releasetest.Build(t, releasetest.Older).Path, filepath.Join(dir, "new", "nats-server")
	for _, folder := range []string{"state", "cache", "tmp", "new"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link(t, env["OLD"], filepath.Join(dir, "old"))
	link(t, self(t), env["NEW"])
	if b.put(t, dir); b.meanwhile == nil {
		write(t, filepath.Join(dir, "go"), "", 0o644)
	}
	if mirror, err := os.ReadFile(filepath.Join(dir, "mirror")); err == nil {
		env["NATS_ROLL_MIRROR"] = string(mirror)
	}
	a := attempt{
		Dir: dir, Env: env, Disk: b.disk, Humble: b.humble,
		Args: append([]string{
			"run", "--port-offset", env["OFFSET"], "--no-spare", "--clients", "0", "--rate", "0", "--from", "./old", "--to", "./nats-server",
		}, strings.Fields(flags)...),
	}
	if b.meanwhile != nil {
		a.meanwhile = func() { b.meanwhile(t, dir); write(t, filepath.Join(dir, "go"), "", 0o644) }
	}
	began := time.Now()
	o, err := a.elsewhere()
	if err != nil {
		t.Fatal(err)
	}
	if o.Code != b.code {
		t.Errorf("exit code %d, want %d: %s%s", o.Code, b.code, o.Out, o.Err)
	}
	for _, w := range o.Wrong {
		t.Error(w)
	}
	o.read(b.quoted, a)
	t.Logf("%.1f s, found %s: %s; then %s", time.Since(began).Seconds(), o.found, o.said, o.After)
	return o
}

// table is one of the document's; a comment there names it.
type table struct {
	name, head string
	rows       []string
	all        bool // every row was tried
}

func (tab *table) add(tried bool, cells ...string) {
	if !tried {
		tab.all = false
		return
	}
	tab.rows = append(tab.rows, "| "+strings.Join(cells, " | ")+" |")
}

// compare looks for the rows that were tried in the document. If all of them
// were, there are no others, and -update writes them.
func (tab *table) compare(t *testing.T, doc []byte) []byte {
	t.Helper()
	before, rest, found := strings.Cut(string(doc), "<!-- "+tab.name+" -->\n")
	old, after, ended := strings.Cut(rest, "\n\n")
	if !found || !ended {
		t.Fatalf("the document has no place for the table %q", tab.name)
	}
	rule := strings.Repeat("|---", strings.Count(tab.head, "|")-1) + "|"
	lines := append([]string{tab.head, rule}, tab.rows...)
	if *update && tab.all && mounts() != nil {
		return []byte(before + "<!-- " + tab.name + " -->\n" + strings.Join(lines, "\n") + "\n\n" + after)
	}
	has := map[string]bool{}
	for l := range strings.SplitSeq(old, "\n") {
		has[roomless(l)] = true
	}
	for _, l := range lines {
		if !has[roomless(l)] {
			t.Errorf("not in the document, which -update writes: %s", l)
		}
		delete(has, roomless(l))
	}
	for l := range has {
		if tab.all {
			t.Errorf("in the document, and not so: %s", l)
		}
	}
	return doc
}
