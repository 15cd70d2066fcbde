package view

import (
	"slices"
	"strings"
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

// A word that no line has room for is broken where a person would: after a part of a
// list or of a path. A shell reads the lines as the one that they were.
func TestLongWordsAreBrokenAtTheirJoints(t *testing.T) {
	plain := lipgloss.NewStyle()
	for _, tc := range []struct {
		text string
		w    int
		want []string
	}{
		{"serve -routes nats://localhost:6222,nats://localhost:6333,nats://localhost:6444", 50, []string{
			`$ serve -routes nats://localhost:6222,\`,
			`nats://localhost:6333,nats://localhost:6444`,
		}},
		{"cd ~/.local/state/nats-roll/rehearsals/20261123-093409-26861/B && x", 50, []string{
			`$ cd ~/.local/state/nats-roll/rehearsals/\`,
			`20261123-093409-26861/B && x`,
		}},
		{"get nats://localhosthosthosthost", 20, []string{`$ get nats://localh\`, `osthosthosthost`}},
	} {
		got := commandLine(plain, "$ ", tc.text, tc.w)
		if !slices.Equal(got, tc.want) {
			t.Errorf("%q at %d: %q", tc.text, tc.w, got)
		}
		if joined := strings.ReplaceAll(strings.Join(got, "\n"), "\\\n", ""); joined != "$ "+tc.text {
			t.Errorf("a shell reads %q", joined)
		}
	}
	list := "-routes nats://localhost:6222,nats://localhost:6333"
	if got := wrap(plain, list, 24); !slices.Equal(got, []string{"-routes", "nats://localhost:6222,", "nats://localhost:6333"}) {
		t.Errorf("%q", got)
	}
}
