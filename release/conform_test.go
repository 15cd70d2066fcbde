package release_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v3/process"

	"nats-roll/cluster"
	"nats-roll/release"
)

// goods are a file and what is around it: its name, folder, archive or tag says
// that it is this version, whatever it says itself.
type goods struct {
	named  cluster.Version
	file   string
	source string // that it was compiled from; a real server is known by its version
}

func made(t *testing.T, v cluster.Version, source string) goods {
	t.Helper()
	return goods{v, built(t, source), source}
}

// world is a source that was given some goods, and the folder where it keeps
// what it brings.
type world struct {
	release.Source
	store string
}

// harness puts a source before the suite.
type harness struct {
	name    string
	version cluster.Version // of the real server that it is given
	origin  string          // Build.Source, where that is not the source's name
	real    func(t testing.TB) goods
	give    func(t *testing.T, g goods) world
	// without says why a part of the suite does not apply.
	without map[string]string
}

// unheardOf is a version that nobody has; misnomer one that a name lies about.
const (
	unheardOf = cluster.Version("2.99.99")
	misnomer  = cluster.Version("2.9.0")
)

// The parts that a harness may be without.
const (
	absent    = "says that it does not have it"
	byTheFile = "goes by the file and not by its name"
	refuses   = "refuses what is no server"
	hangs     = "ends what gives no answer"
)

// part is something that every source does.
type part struct {
	name string
	run  func(t *testing.T, h harness)
}

var parts = []part{
	{"gives exactly what was asked for", givesExactly},
	{absent, saysAbsent},
	{byTheFile, goesByTheFile},
	{refuses, refusesNoServer},
	{"ends with its context", endsWithContext},
	{hangs, endsWhatHangs},
}

// conforms has a source pass the suite.
func conforms(t *testing.T, h harness) {
	for name := range h.without {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			t.Errorf("the suite has no part %q to be without", name)
		}
	}
	for _, p := range parts {
		if why, ok := h.without[p.name]; ok {
			t.Logf("without %q: %s", p.name, why)
			continue
		}
		t.Run(p.name, func(t *testing.T) { p.run(t, h) })
	}
}

// get asks a source, and checks what is true of every answer.
func get(t *testing.T, ctx context.Context, s release.Source, v cluster.Version, p release.Progress) (cluster.Build, error) {
	t.Helper()
	b, err := s.Get(ctx, v, p)
	switch {
	case err != nil && b != (cluster.Build{}):
		t.Errorf("a build beside an error: %+v, %v", b, err)
	case err == nil && b.Version != v:
		t.Errorf("asked for %s, got %+v", v, b)
	}
	return b, err
}

// givesExactly has several ask at once, before anybody has it, and one more after.
func givesExactly(t *testing.T, h harness) {
	g := h.real(t)
	w := h.give(t, g)
	var all [4]cluster.Build
	var errs [4]error
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i], errs[i] = get(t, t.Context(), w, h.version, nil) })
	}
	wg.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	b := all[0]
	for _, other := range all[1:] {
		if other != b {
			t.Errorf("at once, one got %+v and another %+v", b, other)
		}
	}
	if again, err := get(t, t.Context(), w, h.version, nil); err != nil || again != b {
		t.Errorf("the second time %+v, %v; the first %+v", again, err, b)
	}
	origin := h.origin
	if origin == "" {
		origin = w.Name()
	}
	if b.Source != origin {
		t.Errorf("it is from %q, want %q", b.Source, origin)
	}
	info, err := os.Stat(b.Path)
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(b.Path) || runtime.GOOS != "windows" && info.Mode().Perm()&0o111 == 0 {
		t.Errorf("the file %s is %v", b.Path, info.Mode())
	}
	if sum := sumOf(t, b.Path); b.SHA256 != sum || b.Size != info.Size() {
		t.Errorf("sha256 %s, %d bytes; the file has %s, %d", b.SHA256, b.Size, sum, info.Size())
	}
	cmd := exec.CommandContext(t.Context(), b.Path, "--version")
	cmd.Args[0] = "nats-server"
	if said, err := cmd.Output(); err != nil || string(said) != "nats-server: "+h.version.Tag()+"\n" {
		t.Errorf("its file says %q, %v", said, err)
	}
}

func saysAbsent(t *testing.T, h harness) {
	w := h.give(t, h.real(t))
	_, err := get(t, t.Context(), w, unheardOf, nil)
	wantRefusal(t, w, err, unheardOf)
}

func goesByTheFile(t *testing.T, h harness) {
	w := h.give(t, made(t, misnomer, saying(banner(published))))
	_, err := get(t, t.Context(), w, misnomer, nil)
	wantRefusal(t, w, err, misnomer)
	// Some find it under its true version; nobody finds another.
	if _, err := get(t, t.Context(), w, published, nil); err != nil {
		wantRefusal(t, w, err, published)
	}
}

func refusesNoServer(t *testing.T, h harness) {
	w := h.give(t, made(t, h.version, saying("hello")))
	_, err := get(t, t.Context(), w, h.version, nil)
	wantRefusal(t, w, err, h.version)
}

// wantRefusal checks an error for what is not to be had: ErrAbsent, or one that
// says what was wanted, or which file is no good, where it was looked for, and
// what to do.
func wantRefusal(t *testing.T, w world, err error, want cluster.Version) {
	t.Helper()
	e, ok := errors.AsType[*release.Error](err)
	switch {
	case err == nil:
		t.Error("no error")
	case !ok && !errors.Is(err, release.ErrAbsent):
		t.Errorf("%T %v", err, err)
	case ok && (e.Want != string(want) && !exists(e.Want) || e.Source != w.Name() || e.Hint == ""):
		t.Errorf("%#v", e)
	default:
		t.Log(err)
	}
}

func sumOf(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(raw))
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// endsWithContext ends it before it begins, at each word that it says, and in
// the middle of what takes long.
func endsWithContext(t *testing.T, h harness) {
	t.Run("before", func(t *testing.T) {
		ctx, end := context.WithCancelCause(t.Context())
		end(errOver)
		if !interrupted(t, ctx, h, h.real(t), nil) {
			t.Error("no error")
		}
	})
	var whole time.Duration
	for word := 1; whole == 0 && !t.Failed(); word++ {
		t.Run(fmt.Sprint("at word ", word), func(t *testing.T) {
			ctx, end := context.WithCancelCause(t.Context())
			defer end(nil)
			said, began := 0, time.Now()
			ended := interrupted(t, ctx, h, h.real(t), func(string) {
				if said++; said == word {
					end(errOver)
				}
			})
			if ended != (said >= word) {
				t.Errorf("ended: %v, after %d words", ended, said)
			}
			if !ended {
				whole = time.Since(began)
			}
		})
	}
	for _, tenths := range []time.Duration{3, 6, 9} {
		t.Run(fmt.Sprintf("after %d tenths", tenths), func(t *testing.T) {
			ctx, end := context.WithTimeoutCause(t.Context(), whole*tenths/10, errOver)
			defer end()
			interrupted(t, ctx, h, h.real(t), nil)
		})
	}
}

// endsWhatHangs ends it while a file that was asked for its version, and what
// that file has started, say nothing.
func endsWhatHangs(t *testing.T, h harness) {
	ctx, end := context.WithCancelCause(t.Context())
	defer end(nil)
	asked := make(chan bool, 1)
	g := made(t, h.version, sleeper)
	go func() {
		asked <- soon(time.Minute, func() bool {
			return slices.ContainsFunc(marked(t), func(line string) bool { return strings.HasSuffix(line, " asleep") })
		})
		end(errOver)
	}()
	interrupted(t, ctx, h, g, nil)
	if !<-asked {
		t.Error("nothing was asked")
	}
}

// sleeper is a program that gives no answer, nor does what it starts.
const sleeper = `package main

import (
	"os"
	"os/exec"
	"time"
)

func main() {
	if os.Args[1] == "--version" {
		self, _ := os.Executable()
		_ = exec.Command(self, os.Getenv("RELEASE_TEST_MARK"), "asleep").Start()
	}
	time.Sleep(5 * time.Minute)
}
`

var errOver = errors.New("it is over")

// interrupted asks with a context that ends, and looks whether the error is that
// one's own and whether anything was left. It says whether it was in time.
func interrupted(t *testing.T, ctx context.Context, h harness, g goods, p release.Progress) bool {
	t.Helper()
	w := h.give(t, g)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv(mark, markOf(t))
	before := within(t, w.store)
	_, err := get(t, ctx, w, h.version, p)
	if err != nil && err != errOver { //nolint:errorlint // the context's own
		t.Errorf("error %T %v", err, err)
	}
	if left := within(t, temp); len(left) > 0 {
		t.Errorf("left in the folder for temporary files: %q", left)
	}
	if after := within(t, w.store); err != nil && !slices.Equal(before, after) {
		t.Errorf("the store held %q, and holds %q", before, after)
	}
	if !soon(20*time.Second, func() bool { return len(marked(t)) == 0 }) { // what was killed takes a moment
		t.Errorf("still there: %q", marked(t))
	}
	return err != nil
}

// within lists the files and folders below a folder, but for the store's locks,
// which stay.
func within(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == ".locks":
			return fs.SkipDir
		case path != dir:
			out = append(out, path)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return out
}

// mark is in the environment of the processes that a test starts, and of those
// that they start.
const mark = "RELEASE_TEST_MARK"

func markOf(t *testing.T) string { return fmt.Sprintf("%s-%d", t.Name(), os.Getpid()) }

// marked are the command lines of the test's processes.
func marked(t *testing.T) (out []string) {
	t.Helper()
	all, err := process.Processes()
	if err != nil {
		t.Error(err)
	}
	for _, p := range all {
		line, _ := p.Cmdline()
		env, _ := p.Environ() // not every system tells, nor of every process
		if strings.Contains(line, markOf(t)) || slices.Contains(env, mark+"="+markOf(t)) {
			out = append(out, line)
		}
	}
	return out
}

// soon waits for a condition, and says whether it came.
func soon(patience time.Duration, met func() bool) bool {
	for deadline := time.Now().Add(patience); !met(); {
		if time.Now().After(deadline) {
			return false
		}
		<-time.After(10 * time.Millisecond)
	}
	return true
}
