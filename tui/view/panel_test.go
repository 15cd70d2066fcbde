package view

import (
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"nats-roll/tui/theme"
)

// Where there is little room, the beginning of the reasons stays and says that there
// is more of it, and the last checks give way.
func TestReasonsKeepTheirBeginning(t *testing.T) {
	parts := []part{
		{rank: 3, text: true, keep: 2, lines: []string{"one two", "three four", "five six"}},
		{rank: 1, whole: true, lines: []string{"$ do it"}},
		{rank: 1, lines: []string{"head", "a", "b", "c"}},
	}
	for h, want := range map[int]string{
		8: "one two|three four|five six|$ do it|head|a|b|c",
		7: "one two|three …|$ do it|head|a|b|c",
		5: "one two|three …|$ do it|head|a",
		3: "one two|three …|$ do it",
	} {
		lines, more := arrange(parts, h)
		if got := strings.Join(lines, "|"); got != want || more != (h < 8) {
			t.Errorf("%d lines: %s, more %v; want %s", h, got, more, want)
		}
	}
}

// What a command reads is not shown as commands.
func TestALongCommandsText(t *testing.T) {
	got := strings.Join(command(lipgloss.NewStyle(), "$ ", "cat > f <<'EOF'\na: \"b\"\nEOF\nkill -HUP 1", 40), "|")
	if want := "$ cat > f <<'EOF'|> a: \"b\"|> EOF|$ kill -HUP 1"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

// A long title leaves room for how it went.
func TestAPanelsTitleGivesWay(t *testing.T) {
	var th theme.Theme
	top := ansi.Strip(Panel(th, strings.Repeat("long ", 9), "✓ done", false, nil, Size{40, 3})[0])
	if !strings.Contains(top, "… ") || !strings.Contains(top, "✓ done") || ansi.StringWidth(top) != 40 {
		t.Errorf("%q", top)
	}
}
