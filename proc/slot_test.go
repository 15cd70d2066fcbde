package proc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nats-roll/cluster"
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

// What replacing a binary of the embedded server's size costs.
func BenchmarkInstall(b *testing.B) {
	build := file(b, strings.Repeat("nats-server", 4<<20))
	s := &Slot{Node: "A", Dir: b.TempDir()}
	b.SetBytes(44 << 20)
	for b.Loop() {
		if err := s.Install(b.Context(), build); err != nil {
			b.Fatal(err)
		}
	}
}
