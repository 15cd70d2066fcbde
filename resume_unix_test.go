//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nats-roll/proc/proctest"
	"nats-roll/release/releasetest"
)

// endings are the ways in which a rehearsal ends in the middle.
var endings = map[string]func(*testing.T, *terminal){
	"killed": func(t *testing.T, term *terminal) {
		if err := term.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		term.ends(-9)
	},
	"closed": func(t *testing.T, term *terminal) {
		if err := term.pty.Close(); err != nil {
			t.Fatal(err)
		}
		term.ends(129)
	},
	"quit": func(_ *testing.T, term *terminal) {
		term.press("qy")
		term.ends(0)
	},
}

// The program is killed, the terminal closed, or somebody quits in the middle: the
// next start offers to go on, and going on brings everything about again.
func TestGoOnWhereItStopped(t *testing.T) {
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := around(t)
			term := open(t, 80, 24, env)
			term.goTo(6, "Replace A's binary", "replace")
			kept(t, env, 6)
			end(t, term)
			again := reopen(t, 100, 30, env, name)
			again.wait("you got to step 6 of 12, Replace A's binary.", "begin: Start A", "o go on")
			again.press("o")
			again.wait("6  Replace A's binary", "⏎ replace", "○ down")
			again.press(enter)
			again.wait("✓ A's binary is 2.15.2", "next: Start A again")
			// And one step back, on real servers.
			again.press("u")
			again.wait("Take back replace A's binary?")
			again.press("y")
			again.wait("6  Replace A's binary", "⏎ replace", "2.15.1")
			again.press("qy")
			again.ends(0)
			nothingLeft(t, env)
		})
	}
}

// reopen starts the program again after it ended in that way.
func reopen(t *testing.T, cols, rows int, env map[string]string, how string) *terminal {
	t.Helper()
	term := open(t, cols, rows, env)
	if how == "killed" && !childrenEnd {
		term.wait("End them? [y/N]")
		term.press("y" + enter)
	}
	return term
}

// placeIn is the file that keeps the place.
func placeIn(env map[string]string) string {
	return filepath.Join(env["XDG_STATE_HOME"], "nats-roll", "place.json")
}

// kept waits until a step's place is: it is written beside what is shown, and who is killed
// in between goes on from the step before.
func kept(t *testing.T, env map[string]string, number int) {
	t.Helper()
	eventually(t, "the place is kept", func() error {
		data, err := os.ReadFile(placeIn(env))
		if err == nil && !strings.Contains(string(data), fmt.Sprintf(`"number": %d,`, number)) {
			return fmt.Errorf("not step %d: %s", number, data)
		}
		return err
	})
}

// goTo leafs from the introduction to a step, and has what comes before it done.
func (term *terminal) goTo(number int, title, does string) {
	term.t.Helper()
	term.wait("begin: Start A")
	term.press(strings.Repeat("\x1b[C", number))
	term.wait(fmt.Sprintf("%d  %s", number, title), "J do what comes before it")
	term.press("J")
	term.wait("without stopping", "y yes")
	term.press("y")
	term.wait(fmt.Sprintf("%d  %s", number, title), "⏎ "+does)
}

// What ends verified is not offered again; and a rehearsal can be gone through to
// the end, and back from it, with J.
func TestNothingToGoOnWith(t *testing.T) {
	t.Parallel()
	env := around(t)
	term := open(t, 80, 24, env)
	term.wait("begin: Start A")
	term.press(strings.Repeat("\x1b[C", 12))
	term.wait("12  See what happened", "J do what comes before it")
	term.press("J")
	term.wait("Do 11 steps without stopping", "turn C off")
	term.press("y")
	term.wait("12  See what happened", "⏎ see what happened")
	term.press(enter)
	term.wait("✓ every message is accounted for", "what it all came to")
	term.press("\x1b[D\x1b[D")
	term.wait("10  Start B again")
	term.press("J")
	term.wait("Take back 3 steps", "Clients connect and count anew.")
	term.press("y")
	term.wait("10  Start B again", "⏎ start B again")
	kept(t, env, 10)
	term.press("\x1b[C\x1b[CJy")
	term.wait("12  See what happened", "⏎ see what happened")
	term.press(enter)
	term.wait("✓ every message is accounted for")
	term.press(enter)
	term.wait("✓ Verified", "Taken back")
	term.press("qy")
	term.ends(0)
	if _, err := os.Stat(placeIn(env)); !os.IsNotExist(err) {
		t.Errorf("the place is still there: %v", err)
	}
	again := open(t, 80, 24, env)
	if s := again.wait("begin: Start A"); strings.Contains(s, "Last time") {
		t.Errorf("it offers what is over:\n%s", s)
	}
	again.press("o")
	again.wait("there is nothing to go on with")
	again.press("q")
	again.ends(0)
}

// A rehearsal that was begun with flags is gone on with, with the same flags, unless
// those that are given now are against them.
func TestGoOnWithTheFlagsOfTheLastTime(t *testing.T) {
	t.Parallel()
	releasetest.Build(t, releasetest.Older)
	env := surroundings(t.TempDir(), proctest.Offset(t, 3))
	term := open(t, 80, 24, env, "--nodes", "3", "--clients", "2")
	term.goTo(2, "Start B", "start B")
	term.press("qy")
	term.ends(0)
	for _, args := range [][]string{{"--chapter", "downgrade"}, {"--nodes", "2"}, {"--to", "2.15.1"}} {
		other := open(t, 80, 24, env, args...)
		if s := other.wait("begin: Start A"); strings.Contains(s, "Last time") {
			t.Errorf("%q is offered what is against it:\n%s", args, s)
		}
		other.press("q")
		other.ends(0)
	}
	// And as often as one likes: what was said at first is not forgotten.
	for _, args := range [][]string{{"--clients", "2"}, nil, nil} {
		again := open(t, 100, 30, env, args...)
		again.wait("--nodes 3 --clients 2", "you got to step 2 of 16, Start B.", "begin: Start A")
		again.press("o")
		again.wait("2  Start B", "⏎ start B", "step 2 of 16", "● up")
		kept(t, env, 2)
		again.press("qy")
		again.ends(0)
	}
	nothingLeft(t, env)
}
