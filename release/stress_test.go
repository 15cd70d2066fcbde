package release_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nats-roll/release"
)

// The environment of a fetching child, and of one who wants all rounds.
const (
	fetchInto = "RELEASE_TEST_FETCH_INTO"
	fetchFrom = "RELEASE_TEST_FETCH_FROM"
	stress    = "NATS_ROLL_STRESS" // 50 rounds and 100 kills, instead of a few
)

// fetcher is a program that fetches the published version into a store.
func fetcher(dir, mirror string) {
	resolver(release.Options{Dir: dir, Source: "release", Mirror: mirror}, string(published))
}

// resolver is a program that gets a build when its standard input ends, and says
// what it was given.
func resolver(o release.Options, selector string) {
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	b, err := release.New(o).Resolve(context.Background(), selector, nil)
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println(b.SHA256)
	os.Exit(0)
}

// child is a resolver that stands at its start.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startFetcher(t *testing.T, dir, mirror string) *child {
	t.Helper()
	return startChild(t, os.Args[0], fetchInto+"="+dir, fetchFrom+"="+mirror)
}

func startChild(t *testing.T, program string, env ...string) *child {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd, in, bufio.NewReader(out)}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line := c.line(); line != "ready" {
		t.Fatalf("the child says %q", line)
	}
	return c
}

func (c *child) line() string {
	line, _ := c.out.ReadString('\n')
	return strings.TrimSpace(line)
}

func rounds(few, all int) int {
	if os.Getenv(stress) != "" {
		return all
	}
	return few
}

// spoilt puts a store into a state from which the version has to be fetched, in
// a way that depends on the round. It says whether the entry is damaged.
func spoilt(t *testing.T, dir string, round int) (damaged bool) {
	t.Helper()
	s := release.NewStore(dir)
	e, err := s.Check(t.Context(), published)
	switch {
	case errors.Is(err, release.ErrAbsent):
		return false
	case err != nil:
		return true
	}
	switch round % 3 {
	case 0:
		err = s.Remove(t.Context(), published, nil)
	case 1: // another server that says the same of itself
		damaged, err = true, os.WriteFile(e.Path+".new", []byte("#!/bin/sh\necho nats-server: v"+string(published)+"\n"), 0o755)
		err = errors.Join(err, os.Rename(e.Path+".new", e.Path))
	default:
		damaged, err = true, os.Truncate(e.Path, e.Size/2)
	}
	if err != nil {
		t.Fatal(err)
	}
	return damaged
}

// Two programs that fetch one version into one store at once are both given the
// right file, and it is downloaded once.
func TestTwoProgramsFetchAtOnce(t *testing.T) {
	m := newMirror(t)
	program := compiled(t, published)
	m.publish(published, ".tar.gz", tarGz(t, usual(program)))
	want := fmt.Sprintf("%x", sha256.Sum256(program))
	o := m.options(t)
	n := rounds(6, 50)
	for round := range n {
		spoilt(t, o.Dir, round)
		before := m.requests(".tar.gz")
		both := []*child{startFetcher(t, o.Dir, o.Mirror), startFetcher(t, o.Dir, o.Mirror)}
		for _, c := range both {
			if err := c.in.Close(); err != nil {
				t.Fatal(err)
			}
		}
		for i, c := range both {
			if got := c.line(); got != want {
				t.Errorf("round %d, program %d was given %q, want %s", round, i, got, want)
			}
			if err := c.cmd.Wait(); err != nil {
				t.Errorf("round %d, program %d: %v", round, i, err)
			}
		}
		if got := m.requests(".tar.gz") - before; got != 1 {
			t.Errorf("round %d: %d downloads", round, got)
		}
		if e, err := release.NewStore(o.Dir).Check(t.Context(), published); err != nil || e.SHA256 != want {
			t.Errorf("round %d: the store has %+v, %v", round, e, err)
		}
		if left, _ := filepath.Glob(filepath.Join(o.Dir, "*", "*", ".fetch-*")); len(left) > 0 {
			t.Errorf("round %d: left %q", round, left)
		}
	}
	t.Logf("%d rounds", n)
}

// A program that is killed while it fetches, at whatever moment, leaves a store
// that gives out the right file or none, and into which the next one fetches.
func TestAKilledFetchSpoilsNothing(t *testing.T) {
	m := newMirror(t)
	program := compiled(t, published)
	archive := tarGz(t, usual(program))
	m.publish(published, ".tar.gz", archive)
	want := fmt.Sprintf("%x", sha256.Sum256(program))
	var slow atomic.Bool // the mirror takes some 50 ms for an archive
	m.wrap = func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if !slow.Load() || !strings.HasSuffix(r.URL.Path, ".tar.gz") {
				next(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Content-Length", fmt.Sprint(len(archive)))
			for part := archive; len(part) > 0; {
				k := min(len(part), len(archive)/10+1)
				if _, err := w.Write(part[:k]); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				part = part[k:]
				select {
				case <-r.Context().Done():
					return
				case <-time.After(5 * time.Millisecond):
				}
			}
		}
	}
	o := m.options(t)
	offline := release.Options{Dir: o.Dir, Source: "release", Offline: true}

	// How long it takes when it is let be: the kills fall into that time.
	// The shortest of a few, since the first one finds everything cold.
	slow.Store(true)
	whole := time.Hour
	for range 3 {
		spoilt(t, o.Dir, 0)
		c := startFetcher(t, o.Dir, o.Mirror)
		began := time.Now()
		_ = c.in.Close()
		if got := c.line(); got != want {
			t.Fatalf("given %q", got)
		}
		whole = min(whole, time.Since(began))
		_ = c.cmd.Wait()
	}

	seen := map[string]int{}
	n := rounds(20, 100)
	for round := range n {
		damaged := spoilt(t, o.Dir, round)
		slow.Store(true)
		c := startFetcher(t, o.Dir, o.Mirror)
		var other *child // one that is let be, and wants the same
		if round%4 == 3 {
			other = startFetcher(t, o.Dir, o.Mirror)
			_ = other.in.Close()
		}
		after := rand.N(whole * 11 / 10)
		_ = c.in.Close()
		time.Sleep(after) // the moment is what is tried, nothing is waited for
		if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		_ = c.cmd.Wait()
		slow.Store(false)
		if other != nil {
			if got := other.line(); got != want {
				t.Errorf("round %d, killed after %s: the other program was given %q", round, after, got)
			}
			_ = other.cmd.Wait()
		}

		left, _ := filepath.Glob(filepath.Join(o.Dir, "*", "*", ".fetch-*"))
		e, err := release.NewStore(o.Dir).Check(t.Context(), published)
		switch {
		case err == nil && e.SHA256 == want && other != nil:
			seen["another's"]++
		case err == nil && e.SHA256 == want:
			seen["complete"]++
		case err == nil:
			t.Fatalf("round %d, killed after %s: the store has %+v", round, after, e)
		case errors.Is(err, release.ErrChecksum) && damaged:
			seen["not begun"]++
		case !errors.Is(err, release.ErrAbsent):
			t.Fatalf("round %d, killed after %s: %v", round, after, err)
		case len(left) > 0:
			seen["under way"]++
		default:
			seen["not begun"]++
		}
		// Whoever asks meanwhile is given the right file or none.
		b, err := release.New(offline).Resolve(t.Context(), string(published), nil)
		if err == nil && b.SHA256 != want || err != nil && !errors.Is(err, release.ErrOffline) {
			t.Fatalf("round %d, killed after %s: offline %+v, %v", round, after, b, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		b, err = release.New(o).Resolve(ctx, string(published), nil)
		cancel()
		if err != nil || b.SHA256 != want {
			t.Fatalf("round %d, killed after %s: then %+v, %v", round, after, b, err)
		}
		if left, _ := filepath.Glob(filepath.Join(o.Dir, "*", "*", ".fetch-*")); len(left) > 0 {
			t.Errorf("round %d: left %q", round, left)
		}
	}
	t.Logf("%d kills within %s: %v", n, whole.Round(time.Millisecond), seen)
	if seen["under way"] == 0 {
		t.Errorf("no kill met a fetch that was under way: %v", seen)
	}
}
