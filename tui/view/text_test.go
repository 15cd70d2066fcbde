package view

import (
	"slices"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"nats-roll/tui/theme"
)

// A file's text within a command is shown as it is, or counted.
func TestCommandWithAFile(t *testing.T) {
	text := "cat > a.conf <<'EOF'\nusers: [\n  { user: orders, password: secret }\n]\nEOF\nkill -INT 1"
	plain := func(lines []string) []string {
		var out []string
		for _, l := range lines {
			out = append(out, ansi.Strip(l))
		}
		return out
	}
	th := theme.New(lipgloss.NewRenderer(nil))
	want := []string{"$ cat > a.conf <<'EOF'", "> users: [", ">   { user: orders, password:", "  secret }", "> ]", "> EOF", "$ kill -INT 1"}
	if got := plain(command(th.Command, "$ ", text, 30)); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	want = []string{"$ cat > a.conf <<'EOF'", "  … the file's 3 lines", "$ kill -INT 1"}
	if got := plain(briefCommand(th.Command, "$ ", text, 30)); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// A prompt that is too long loses what it says last, and no half word is left.
func TestAPromptIsNotCut(t *testing.T) {
	for w, want := range map[int]string{
		60: "⏎ stop A   h hint  C chapters",
		20: "⏎ stop A   h hint",
		17: "⏎ stop A   h hint",
		16: "⏎ stop A",
		6:  "⏎ sto…",
	} {
		if got := whole("⏎ stop A   h hint  C chapters", w); got != want {
			t.Errorf("%d: %q, want %q", w, got, want)
		}
	}
}
