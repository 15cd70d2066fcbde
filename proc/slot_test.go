package proc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nats-roll/cluster"
	"nats-roll/release/releasetest"
)

func file(t testing.TB, content string) cluster.Build {
	t.Helper()
	path := filepath.Join(t.TempDir(), "build")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(content))
	return cluster.Build{Version: "2.15.2", Path: path, SHA256: hex.EncodeToString(sum[:])}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestInstallRenamesOverWhatWasThere(t *testing.T) {
	s := &Slot{Node: "A", Dir: t.TempDir()}
	one, two := file(t, "one"), file(t, "two")
	for _, b := range []cluster.Build{one, two} {
		if err := s.Stage(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		held, err := os.Open(s.Binary()) // as a running process holds it
		if err == nil {
			defer held.Close()
		}
		if err := s.Install(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if held != nil {
			old := make([]byte, 3)
			if _, err := held.Read(old); err != nil || string(old) != "one" {
				t.Errorf("the old file reads %q, %v", old, err)
			}
		}
	}
	got, err := os.ReadFile(s.Binary())
	if err != nil || string(got) != "two" {
		t.Errorf("the slot holds %q, %v", got, err)
	}
	if b, ok := s.Installed(); !ok || b != two {
		t.Errorf("installed %+v", b)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir, "*.next*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// A copy is whole and a file of its own, whatever its size: who writes to a node's
// file does not write to the store.
func TestASlotHasItsOwnFile(t *testing.T) {
	for _, size := range []int{0, 1, copyAtOnce - 1, copyAtOnce, 2*copyAtOnce + 1} {
		content := make([]byte, size)
		_, _ = rand.NewChaCha8([32]byte{}).Read(content)
		b := file(t, string(content))
		s := &Slot{Node: "A", Dir: t.TempDir()}
		for range 2 { // into an empty slot, and over what is there
			if err := s.Install(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(s.Binary())
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("of %d bytes, %d came, %v", size, len(got), err)
			}
			from, fromErr := os.Stat(b.Path)
			to, toErr := os.Stat(s.Binary())
			if err := errors.Join(fromErr, toErr); err != nil || os.SameFile(from, to) {
				t.Errorf("the slot has the store's own file, %v", err)
			}
		}
	}
}

func TestWhatChangedIsNotInstalled(t *testing.T) {
	s := &Slot{Node: "A", Dir: t.TempDir()}
	good := file(t, "good")
	if err := s.Install(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	swapped := file(t, "before")
	if err := os.WriteFile(swapped.Path, []byte("after"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Install(t.Context(), swapped); err == nil || !strings.Contains(err.Error(), "changed since it was looked at") {
		t.Errorf("swapped: %v", err)
	}
	if err := os.Remove(swapped.Path); err != nil {
		t.Fatal(err)
	}
	if err := s.Install(t.Context(), swapped); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("vanished: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stage(ended, file(t, "x")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if b, _ := s.Installed(); b != good {
		t.Errorf("the slot changed to %+v", b)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir, "*.next*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// The way back takes the file that was replaced, for as long as it is what it was:
// the place that it once came from may be gone.
func TestWhatWasReplacedIsKept(t *testing.T) {
	holds := func(t *testing.T, s *Slot, want string) {
		t.Helper()
		if got, err := os.ReadFile(s.Binary()); err != nil || string(got) != want {
			t.Errorf("the slot holds %q, %v: want %q", got, err, want)
		}
	}
	for _, tc := range []struct {
		name   string
		spoil  func(t *testing.T, s *Slot) // what happens to the kept file
		wanted bool                        // that the way back works all the same
	}{
		{"untouched", func(*testing.T, *Slot) {}, true},
		{"gone", func(t *testing.T, s *Slot) { must(t, os.Remove(s.previous())) }, false},
		{"touched", func(t *testing.T, s *Slot) {
			must(t, os.Chtimes(s.previous(), time.Time{}, time.Unix(1, 0)))
		}, false},
		{"other bytes at the same time", func(t *testing.T, s *Slot) {
			was, err := os.Stat(s.previous())
			must(t, err)
			must(t, os.WriteFile(s.previous(), []byte("OLD"), 0o755))
			must(t, os.Chtimes(s.previous(), time.Time{}, was.ModTime()))
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &Slot{Node: "A", Dir: t.TempDir()}
			old, next := file(t, "old"), file(t, "next")
			must(t, s.Install(t.Context(), old))
			must(t, s.Install(t.Context(), next))
			must(t, s.Install(t.Context(), next)) // once more: what is kept stays
			must(t, os.Remove(old.Path))
			must(t, os.Remove(next.Path))
			tc.spoil(t, s)
			err := s.Install(t.Context(), old)
			if !tc.wanted {
				if !errors.Is(err, os.ErrNotExist) {
					t.Errorf("installed what was spoilt: %v", err)
				}
				holds(t, s, "next")
				return
			}
			must(t, err)
			holds(t, s, "old")
			must(t, s.Install(t.Context(), next)) // and forth again
			holds(t, s, "next")
			// What is staged can be the kept file by another name: it is not written to.
			must(t, s.Stage(t.Context(), old))
			must(t, s.Stage(t.Context(), file(t, "third")))
			must(t, s.Install(t.Context(), old))
			holds(t, s, "old")
		})
	}
}

// What a real server's binary costs: to fill a slot that is empty, to bring the
// next one beside the one that is there, and to swap the two.
func BenchmarkSlot(b *testing.B) {
	build := releasetest.Build(b, releasetest.Older)
	do := func(b *testing.B, err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Run("fill", func(b *testing.B) {
		b.SetBytes(build.Size)
		dir := b.TempDir()
		for b.Loop() {
			s := &Slot{Node: "A", Dir: filepath.Join(dir, "A")}
			do(b, s.Install(b.Context(), build))
			b.StopTimer()
			do(b, os.RemoveAll(s.Dir))
			b.StartTimer()
		}
	})
	s := &Slot{Node: "A", Dir: b.TempDir()}
	do(b, s.Install(b.Context(), build))
	b.Run("stage", func(b *testing.B) {
		b.SetBytes(build.Size)
		for b.Loop() {
			do(b, s.Stage(b.Context(), build))
			b.StopTimer()
			do(b, os.Remove(s.Staged()))
			b.StartTimer()
		}
	})
	b.Run("swap", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			do(b, s.Stage(b.Context(), build))
			b.StartTimer()
			do(b, s.Install(b.Context(), build))
		}
	})
}
