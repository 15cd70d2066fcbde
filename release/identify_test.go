//go:build unix

package release_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"nats-roll/release"
	"nats-roll/release/embedded"
)

func TestIdentifyGoesByTheOutputNotTheName(t *testing.T) {
	path := place(t, "2.9.0-old.bin")
	b, err := release.Identify(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	if b.Version != embedded.Version || b.SHA256 != hex.EncodeToString(sum[:]) || b.Size != int64(len(raw)) || b.Path != path || b.Source != "path" {
		t.Errorf("identified %+v", b)
	}
}

func TestIdentifyTellsWhatIsWrong(t *testing.T) {
	self, err := os.ReadFile(place(t, "self"))
	if err != nil {
		t.Fatal(err)
	}
	foreign := byte(183) // EM_AARCH64
	if runtime.GOARCH == "arm64" {
		foreign = 62 // EM_X86_64
	}
	elf := append([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00"), foreign, 0, 1, 0, 0, 0)
	for name, tc := range map[string]struct {
		content string
		mode    fs.FileMode
		kind    error
		says    string
	}{
		"truncated":       {string(self[:len(self)/3]), 0o755, release.ErrNotServer, ""},
		"other processor": {string(append(elf, make([]byte, 40)...)), 0o755, release.ErrNotServer, "it is an ELF program for "},
		"other system":    {"\xcf\xfa\xed\xfe\x0c\x00\x00\x01" + string(make([]byte, 24)), 0o755, release.ErrNotServer, "it is a macOS program for arm64"},
		"windows":         {"MZ\x90\x00" + string(make([]byte, 60)), 0o755, release.ErrNotServer, "it is a Windows program"},
		"archive":         {"\x1f\x8b\x08\x00\x00", 0o755, release.ErrNotServer, "it is an archive"},
		"empty":           {"", 0o755, release.ErrNotServer, "the file is empty"},
		"no shebang":      {"echo nats-server: v2.14.9\n", 0o755, release.ErrNotServer, "text file without a #! line"},
		"no interpreter":  {"#!/no/such/shell\n", 0o755, release.ErrNotServer, "is missing"},
		"no permission":   {"#!/bin/sh\necho nats-server: v2.14.9\n", 0o644, fs.ErrPermission, "is not executable"},
		"says nothing":    {"#!/bin/sh\nexit 0\n", 0o755, release.ErrNotServer, "prints no version"},
		"fails":           {"#!/bin/sh\necho 'no \033[31mway' >&2; exit 3\n", 0o755, release.ErrNotServer, "exit status 3"},
		"version, fails":  {"#!/bin/sh\necho nats-server: v2.14.9; exit 1\n", 0o755, release.ErrNotServer, "exit status 1"},
		"other program":   {"#!/bin/sh\necho 'nats-streaming 0.25.6'\n", 0o755, release.ErrNotServer, "no nats-server version"},
		"garbage version": {"#!/bin/sh\necho 'nats-server: v2.14.9;\033[2J'\n", 0o755, release.ErrNotServer, "no nats-server version"},
		"talks much":      {"#!/bin/sh\nhead -c 3000000 /dev/zero\n", 0o755, release.ErrNotServer, "no nats-server version"},
		"vanishes":        {"#!/bin/sh\nrm -- \"$0\"; echo nats-server: v2.14.9\n", 0o755, fs.ErrNotExist, "vanished"},
		"changes itself":  {"#!/bin/sh\necho >>\"$0\"; echo nats-server: v2.14.9\n", 0o755, release.ErrNotServer, "changed while"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "nats-server")
			if err := os.WriteFile(path, []byte(tc.content), tc.mode); err != nil {
				t.Fatal(err)
			}
			b, err := release.Identify(t.Context(), path)
			if err == nil {
				t.Fatalf("identified as %+v", b)
			}
			wantError(t, err, tc.kind, path, tc.says)
		})
	}
	t.Run("missing", func(t *testing.T) {
		_, err := release.Identify(t.Context(), filepath.Join(t.TempDir(), "nats-server"))
		wantError(t, err, fs.ErrNotExist, "no such file")
	})
	t.Run("directory", func(t *testing.T) {
		_, err := release.Identify(t.Context(), t.TempDir())
		wantError(t, err, release.ErrNotServer, "is a directory")
	})
	t.Run("named pipe", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "nats-server")
		if err := syscall.Mkfifo(path, 0o755); err != nil {
			t.Fatal(err)
		}
		_, err := release.Identify(t.Context(), path)
		wantError(t, err, release.ErrNotServer, "not a regular file")
	})
}

func TestIdentifyEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	path := filepath.Join(t.TempDir(), "nats-server")
	started := filepath.Join(t.TempDir(), "started")
	if err := syscall.Mkfifo(started, 0o600); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\necho >" + started + "\nsleep 300\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = os.ReadFile(started) // returns when the script runs
		cancel()
	}()
	if _, err := release.Identify(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want %v", err, context.Canceled)
	}
}
