//go:build unix

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nats-roll/proc/proctest"
	"nats-roll/release/releasetest"
)

const enter = "\r"

// around is what a person has who opens the program for the first time.
func around(t testing.TB) map[string]string {
	releasetest.Build(t, releasetest.Older)
	return surroundings(t.TempDir(), proctest.Offset(t, 2))
}

// The whole tutorial, by Enter alone.
func TestWalkByEnter(t *testing.T) {
	for _, size := range []struct{ cols, rows int }{{80, 24}, {120, 36}, {200, 60}} {
		t.Run(fmt.Sprintf("%dx%d", size.cols, size.rows), func(t *testing.T) {
			t.Parallel()
			env := around(t)
			term := open(t, size.cols, size.rows, env)
			term.wait("Welcome", "begin: Start A")
			term.press(enter)
			steps := []struct{ title, does, seen string }{
				{"1  Start A", "start A", "✓ A complains that nobody listens on"},
				{"2  Start B", "start B", "✓ A and B see each other"},
				{"3  Connect the clients", "connect", "✓ every subscriber is on A"},
				{"4  Start C, the temporary server", "start C", "✓ every client knows A, B and C"},
				{"5  Stop A", "stop A", "✓ A has exited"},
				{"6  Replace A's binary", "replace", "✓ A's binary is 2.15.2"},
				{"7  Start A again", "start A", "✓ A runs 2.15.2"},
				{"8  Stop B", "stop B", "✓ B has exited"},
				{"9  Replace B's binary", "replace", "✓ B's binary is 2.15.2"},
				{"10  Start B again", "start B", "✓ B runs 2.15.2"},
				{"11  Turn C off", "turn C off", "✓ C has exited"},
				{"12  See what happened", "see what happened", "✓ every message is accounted for"},
			}
			for i, s := range steps {
				term.wait(s.title, "⏎ "+s.does, fmt.Sprintf("step %d of 12", i+1))
				term.press(enter)
				next := "next: "
				if i == len(steps)-1 {
					next = "what it all came to"
				}
				term.wait(s.title, "✓ done in", "What was checked", s.seen, next)
				term.press(enter)
			}
			end := term.wait("What it came to", "✓ Verified", "2.15.1 → 2.15.2", "expected =")
			if !regexp.MustCompile(`A +● up \S+ +2\.15\.2 +2\.15\.2 +22`).MatchString(end) {
				t.Errorf("A does not run 2.15.2 with all 22 clients:\n%s", end)
			}
			term.press("q")
			term.wait("Stop 2 servers and quit?")
			term.press("y")
			term.wait("verified: nats-server 2.15.1 → 2.15.2")
			term.ends(0)
			if left := nothingLeft(t, env); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

// to walks to where a step can be done.
func (term *terminal) to(does string) {
	term.t.Helper()
	ready := func(s string) bool { return strings.Contains(s, "⏎ "+does) }
	turns := []string{"begin: ", "⏎ start A", "⏎ start B", "⏎ connect", "⏎ start C", "⏎ stop A", "⏎ replace", "next: "}
	for {
		s := term.until(does, func(s string) bool {
			for _, turn := range turns {
				if strings.Contains(s, turn) {
					return true
				}
			}
			return ready(s)
		})
		if ready(s) {
			return
		}
		term.press(enter)
		term.until("another page", func(now string) bool { return prompt(now) != prompt(s) })
	}
}

// prompt is the line that says what Enter does.
func prompt(screen string) string {
	for _, l := range strings.Split(screen, "\n") {
		if strings.Contains(l, "⏎ ") {
			return l
		}
	}
	return ""
}

// slot is a node's folder.
func (term *terminal) slot(env map[string]string, node string) string {
	term.t.Helper()
	slots, err := filepath.Glob(filepath.Join(env["XDG_STATE_HOME"], "nats-roll", "rehearsals", "*", node))
	if err != nil || len(slots) != 1 {
		term.t.Fatalf("slots of %s: %v, %v", node, slots, err)
	}
	return slots[0]
}

// pid is the process that a node's log says it is.
func (term *terminal) pid(env map[string]string, node string) int {
	term.t.Helper()
	data, err := os.ReadFile(filepath.Join(term.slot(env, node), "server.log"))
	if err != nil {
		term.t.Fatal(err)
	}
	all := regexp.MustCompile(`(?m)^\[(\d+)\]`).FindAllSubmatch(data, -1)
	pid, err := strconv.Atoi(string(all[len(all)-1][1]))
	if err != nil {
		term.t.Fatal(err)
	}
	return pid
}

// Somebody kills B while the plan is at A: that is seen and said, the step
// waits, and Enter brings B back before A is stopped.
func TestTheWrongServerIsKilled(t *testing.T) {
	t.Parallel()
	env := around(t)
	term := open(t, 120, 36, env)
	term.to("stop A")
	if err := syscall.Kill(term.pid(env, "B"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	term.wait("something is missing", "✗ B is up", "B died: ended by SIGKILL", "✗ died 0:")
	term.press(enter)
	term.until("B is back", func(s string) bool {
		return strings.Contains(s, "⏎ stop A") && !strings.Contains(s, "✗ B is up")
	})
	term.press(enter)
	term.wait("5  Stop A", "✓ done in", "✓ A has exited")
	term.press("q")
	term.wait("quit?")
	term.press("n")
	term.until("no question", func(s string) bool { return !strings.Contains(s, "quit?") })
	term.press("\x03\x03") // Ctrl+C asks, and Ctrl+C again means it
	term.ends(0)
	nothingLeft(t, env)
}

// What the step would do is done in another terminal: the step counts, and says
// whose work it was.
func TestAStepDoneByHand(t *testing.T) {
	t.Parallel()
	env := around(t)
	term := open(t, 80, 24, env)
	term.to("stop A")
	if err := syscall.Kill(term.pid(env, "A"), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	term.wait("5  Stop A", "✓ done by hand", "✓ A has exited")
	term.press(enter)
	term.wait("⏎ replace")
	replaceByHand(t, term.slot(env, "A"))
	term.wait("6  Replace A's binary", "✓ done by hand", "✓ A's binary is 2.15.2")
	term.press("s") // out of turn: the page is still that of the binary
	term.until("A is up with the new version", func(s string) bool {
		return regexp.MustCompile(`A +● up \S+ +2\.15\.2 +2\.15\.2`).MatchString(s)
	})
	term.press(enter)
	// Enter leads to the step that goes on, or past it if that is over by now.
	page := term.until("the step that was done by hand, or the one after it", func(s string) bool {
		return strings.Contains(s, "7  Start A again") || strings.Contains(s, "8  Stop B")
	})
	if strings.Contains(page, "8  Stop B") {
		term.press("\x1b[D") // ←
	}
	term.wait("7  Start A again", "✓ done by hand", "next: Stop B")
	term.press(enter)
	term.wait("⏎ stop B")
	term.press("jb") // by its key instead of Enter, and too early
	term.wait("2.15.1   2.15.2", "restart pending")
	term.press("qy")
	term.ends(0)
	nothingLeft(t, env)
}

// replaceByHand does what the step shows: copy beside it, and rename.
func replaceByHand(t *testing.T, slot string) {
	t.Helper()
	self, err := exec.LookPath("nats-roll")
	if err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command("sh", "-c", `cd "$1" && cp "$2" new && mv new nats-server`, "sh", slot, self).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
}

// The terminal is closed, or the program killed, in the middle of the walk.
func TestTheTerminalGoesAway(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(*terminal) error
		code int
	}{
		{"closed", func(term *terminal) error { return term.pty.Close() }, 129},
		{"TERM", func(term *terminal) error { return term.cmd.Process.Signal(syscall.SIGTERM) }, 143},
		{"KILL", func(term *terminal) error { return term.cmd.Process.Kill() }, -9},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			env := around(t)
			term := open(t, 80, 24, env)
			term.to("stop A")
			if err := tc.end(term); err != nil {
				t.Fatal(err)
			}
			term.ends(tc.code)
			ended := tc.code != -9 || childrenEnd
			if ended {
				if left := nothingLeft(t, env); len(left) > 0 && tc.code != -9 {
					t.Errorf("left %v", left)
				}
			}
			// Whatever it was, the next start finds a free field, or makes one.
			again := open(t, 80, 24, env)
			if !ended {
				again.wait("End them? [y/N]")
				again.press("y" + enter)
			}
			again.wait("begin: Start A")
			again.press("q")
			again.ends(0)
			if left := nothingLeft(t, env); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

// A terminal that does not read any more, as that of a connection that hangs,
// keeps nobody from ending the servers.
func TestTheTerminalStopsReading(t *testing.T) {
	t.Parallel()
	env := around(t)
	term := open(t, 120, 36, env)
	term.to("start C")
	term.mu.Lock() // the reader waits for it, and the terminal fills up
	term.press(strings.Repeat("?", 100))
	if err := term.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- term.cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("it does not end")
	}
	term.mu.Unlock()
	if left := nothingLeft(t, env); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// A recording of long ago is watched, forward and back, without a server.
func TestReplayOnATerminal(t *testing.T) {
	t.Parallel()
	env := around(t)
	term := openAs(t, 80, 24, env, "replay", "rehearsal/testdata/events-1.jsonl")
	term.wait("REPLAY", "2026-11-24 22:46, nats-roll dev")
	term.until("it plays", func(s string) bool { return regexp.MustCompile(`step \d+ of 12|the end`).MatchString(s) })
	term.press("g]]]]]")
	term.wait("5  Stop A", "✓ A has exited", "then: Replace A's binary", "paused", "Stop A: verified")
	term.press("x")
	term.wait("this is a recording: nothing can be done to its servers")
	term.press("\x1b[D")
	term.wait("… working", "A is gone: exit status 0")
	term.press("g-- ")
	term.wait("playing ×¼")
	term.press("++++++++")
	term.wait("the end ×64", "What it came to", "✓ Verified", "3,306 expected = 3,293 received")
	if left := nothingLeft(t, env); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	term.press("q")
	term.ends(0)
}

// A taken port is said before the screen opens.
func TestAPortIsTaken(t *testing.T) {
	t.Parallel()
	env := around(t)
	l, err := net.Listen("tcp", net.JoinHostPort("localhost", env["CLIENT_A"]))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	term := open(t, 100, 24, env)
	term.wait(fmt.Sprintf("nats-roll: error: port %s is in use by pid %d", env["CLIENT_A"], os.Getpid()), "nats-roll: hint: stop it, or use --port-offset 1000")
	term.ends(3)
	if _, err := os.Stat(filepath.Join(env["XDG_STATE_HOME"], "nats-roll", "rehearsals")); err == nil || !errors.Is(err, os.ErrNotExist) {
		left, _ := os.ReadDir(filepath.Join(env["XDG_STATE_HOME"], "nats-roll", "rehearsals"))
		if len(left) > 0 {
			t.Errorf("left %v", left)
		}
	}
}

// What stays after --keep is offered to be ended at the next start.
func TestLeftoversAreOffered(t *testing.T) {
	t.Parallel()
	env := around(t)
	term := open(t, 80, 24, env, "--keep")
	term.to("start C")
	term.press("q")
	term.wait("and quit?")
	term.press("y")
	term.wait("A goes on with 2.15.1: pid")
	term.ends(0)
	again := open(t, 100, 24, env)
	again.wait("left its servers running (--keep): A pid", "End them? [y/N]")
	again.press("y" + enter)
	again.wait("begin: Start A")
	again.press("q")
	again.ends(0)
	if left := nothingLeft(t, env); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}
