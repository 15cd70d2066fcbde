package tui

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/muesli/termenv"

	"nats-roll/tui/view"
)

// y hands the command to the terminal and to a file that is the owner's alone, and
// says so; where the file cannot be written, that.
func TestCopying(t *testing.T) {
	var out bytes.Buffer
	path := filepath.Join(t.TempDir(), "state", "clipboard")
	for _, tc := range []struct {
		file Clipboard
		said string
	}{
		{Clipboard{path, "~/state/clipboard"}, "copied: terminal's clipboard, if any, and ~/state/clipboard"},
		{Clipboard{path, "~/state/clipboard"}, "copied: terminal's clipboard, if any, and ~/state/clipboard"}, // once more
		{Clipboard{filepath.Join(path, "below", "a", "file"), "x"}, "copied, if this terminal has a clipboard; not to a file: "},
	} {
		out.Reset()
		m, cmd := press(screen(walked(t)["2-ready-start-a"], termenv.Ascii, true, view.Size{W: 80, H: 24}), "y")
		st, _ := m.shown()
		next, _ := m.Update(clipboard(&out, tc.file)(m, cmd()))
		if m = next.(Model); !strings.HasPrefix(m.message, tc.said) {
			t.Errorf("said %q, want %q", m.message, tc.said)
		}
		if want := "\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte(st.Shell)) + "\x07"; out.String() != want {
			t.Errorf("the terminal got %q, want %q", out.String(), want)
		}
		data, err := os.ReadFile(path)
		if err != nil || string(data) != st.Shell+"\n" {
			t.Errorf("in the file is %q (%v)", data, err)
		}
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
