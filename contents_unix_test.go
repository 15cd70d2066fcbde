//go:build unix

package main

import (
	"testing"
)

// C ends a rehearsal and begins another chapter on the same screen; what was walked
// to its end is remembered.
func TestAnotherChapterOnTheSameScreen(t *testing.T) {
	t.Parallel()
	env := around(t)
	verified := command(t, env, "run", "--port-offset", env["OFFSET"], "--clients", "2")
	if out, err := verified.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	term := open(t, 80, 24, env, "--clients", "2")
	term.wait("Welcome", "begin: Start A")
	term.press(enter)
	term.wait("1  Start A", "⏎ start A")
	term.press(enter)
	term.wait("✓ done in", "next: ")
	term.press("C")
	term.wait("Chapters", "▌ ▸ ✓ rolling", "○ downgrade", "✓  1  Start A")
	term.press("j" + enter)
	term.wait("End this rehearsal and begin “downgrade”?")
	term.press("n")
	term.wait("no: nothing was done", "▌   ○ downgrade")
	term.press(enter)
	term.wait("End this rehearsal and begin “downgrade”?")
	term.press("y")
	term.wait("Rolling downgrade", "Welcome", "begin: Start A")
	term.press("C")
	term.wait("✓ rolling", "▌ ▸ ○ downgrade")
	term.press("q")
	term.ends(0)
	if left := nothingLeft(t, env); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// With --keep the servers would stand in the way of those of the next chapter.
func TestNoOtherChapterWithKeep(t *testing.T) {
	t.Parallel()
	env := around(t)
	term := open(t, 80, 24, env, "--keep")
	term.wait("Welcome", "begin: Start A")
	term.press("Cj" + enter)
	term.wait("End this rehearsal and begin “downgrade”?")
	term.press("y")
	term.wait("with --keep the servers stay, and their ports are taken")
	term.press("q")
	term.ends(0)
}
