//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"nats-roll/proc/proctest"
	"nats-roll/release/releasetest"
	"nats-roll/upgrade"
)

// long are chapters that take their time. TestChainGoOn goes on in them, too.
var long = map[string]bool{"spread": true, "recommended": true, "jetstream": true, "break-it": true}

// The program is killed in the middle of a chapter: the next start offers to go on,
// and going on leads to where it was, from where the chapter can be walked to its end.
func TestGoOnInAChapter(t *testing.T) {
	for _, c := range upgrade.Chapters {
		if long[c.Name] {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			goesOn(t, c.Name, "killed", c.Name == "rolling")
		})
	}
}

// goesOn walks the first half of a chapter, has the program end in that way, and walks
// the other half. With twice, it ends once more on the way back to where it was, which
// it does not forget.
func goesOn(t *testing.T, chapter, how string, twice bool) {
	t.Helper()
	releasetest.Build(t, releasetest.Older)
	env := surroundings(t.TempDir(), proctest.Offset(t, 3))
	out, err := exec.Command("nats-roll", "plan", "--chapter", chapter, "--format", "json").Output()
	var plan upgrade.Outline
	if err == nil {
		err = json.Unmarshal(out, &plan)
	}
	if err != nil {
		t.Fatal(err)
	}
	all := len(plan.Steps)
	half := all/2 + 1
	flags := []string{"--chapter", chapter}
	if chapter == "spread" {
		flags = append(flags, "--clients", "60") // by itself it has 300, who have nothing to do with going on
	}
	term := open(t, 120, 36, env, flags...)
	term.wait("begin: ")
	title, number := term.jump(half, half, all)
	kept(t, env, number)
	endings[how](t, term)

	goOn := func() *terminal {
		again := reopen(t, 120, 36, env, how)
		again.wait("begin: ", "Last time, with --", "o go on")
		again.press("o")
		return again
	}
	if twice {
		second := goOn()
		second.until("on the way", func(s string) bool { number, _ := where(s); return number > 1 })
		kept(t, env, number) // the goal, and not the way
		endings[how](t, second)
	}
	again := goOn()
	again.jump(all-again.canDo(title), all, all)
	again.press(enter)
	again.wait("what it all came to")
	again.press(enter)
	again.wait("What it came to", "✓ Verified")
	again.press("qy")
	again.ends(0)
	nothingLeft(t, env)
	if _, err := os.Stat(placeIn(env)); !os.IsNotExist(err) {
		t.Errorf("the place is still there: %v", err)
	}
}

// jump leafs so many pages on, to a step, and has what comes before it done. It returns
// the step's title, and its number then: turns can change places on the way.
func (term *terminal) jump(pages, to, all int) (title string, number int) {
	term.t.Helper()
	term.press(strings.Repeat("\x1b[C", pages))
	_, title = where(term.wait(fmt.Sprintf("step %d of %d", to, all), "J do what comes"))
	term.press("J")
	term.wait("Do ", "y yes")
	term.press("y")
	return title, term.canDo(title)
}

// canDo waits until the step with this title can be done, and returns its number. Each
// step on the way has its time.
func (term *terminal) canDo(title string) int {
	term.t.Helper()
	for at := 0; ; {
		s := term.until(fmt.Sprintf("%q after step %d", title, at), func(s string) bool {
			number, is := where(s)
			return is == title && strings.Contains(s, "⏎ ") || number > 0 && number != at
		})
		number, is := where(s)
		if is == title && strings.Contains(s, "⏎ ") {
			return number
		}
		at = number
	}
}

// head is the panel of a step.
var head = regexp.MustCompile(`─ (\d+)  (.+?) ─`)

// where is the number and the title of the step that is read.
func where(screen string) (number int, title string) {
	if m := head.FindStringSubmatch(screen); m != nil {
		number, _ = strconv.Atoi(m[1])
		title = m[2]
	}
	return number, title
}
