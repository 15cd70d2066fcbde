//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// terminal is a pseudo-terminal with the program in it, and what a person sees.
type terminal struct {
	t    testing.TB
	cmd  *exec.Cmd
	pty  *os.File
	done chan struct{} // closed when the program has closed its side

	mu      sync.Mutex
	screen  vt10x.Terminal
	changed chan struct{} // closed, and made anew, when something was drawn
}

// open begins a rehearsal on ports of its own.
func open(t testing.TB, cols, rows int, env map[string]string, args ...string) *terminal {
	t.Helper()
	return openAs(t, cols, rows, env, append(args, "--port-offset", env["OFFSET"])...)
}

func openAs(t testing.TB, cols, rows int, env map[string]string, args ...string) *terminal {
	t.Helper()
	term := &terminal{
		t: t, done: make(chan struct{}), cmd: command(t, env, args...),
		screen: vt10x.New(vt10x.WithSize(cols, rows)), changed: make(chan struct{}),
	}
	var err error
	term.pty, err = pty.StartWithSize(term.cmd, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)})
	if err != nil {
		t.Fatal(err)
	}
	go term.read()
	t.Cleanup(func() {
		_ = term.cmd.Process.Kill() // no more than a precaution: tests end it themselves
		_ = term.pty.Close()
		<-term.done
	})
	return term
}

func (term *terminal) read() {
	defer close(term.done)
	buf := make([]byte, 1<<16)
	rest := 0 // bytes of a character that has not come whole
	for {
		n, err := term.pty.Read(buf[rest:])
		n += rest
		whole := n - split(buf[:n])
		term.mu.Lock()
		_, _ = term.screen.Write(buf[:whole])
		rest = copy(buf, buf[whole:n])
		close(term.changed)
		term.changed = make(chan struct{})
		term.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// split is how many bytes at the end begin a character that goes on in the next
// read.
func split(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if c := b[len(b)-n:]; utf8.RuneStart(c[0]) {
			if utf8.FullRune(c) {
				return 0
			}
			return n
		}
	}
	return 0
}

// shows is the screen as text, without trailing blanks, and a channel that is
// closed when it changes.
func (term *terminal) shows() (string, <-chan struct{}) {
	term.mu.Lock()
	defer term.mu.Unlock()
	lines := strings.Split(term.screen.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n"), term.changed
}

// wait waits until the screen shows every text.
func (term *terminal) wait(texts ...string) string {
	term.t.Helper()
	return term.until(fmt.Sprintf("%q", texts), func(s string) bool {
		for _, text := range texts {
			if !strings.Contains(s, text) {
				return false
			}
		}
		return true
	})
}

func (term *terminal) until(what string, so func(string) bool) string {
	term.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	done := term.done
	for {
		s, changed := term.shows()
		if so(s) {
			return s
		}
		select {
		case <-changed:
		case <-done:
			done = nil // look once more at what came last
			if s, _ := term.shows(); !so(s) {
				term.t.Fatalf("the program ended; %s is not on the screen:\n%s", what, s)
			}
		case <-deadline.C:
			term.t.Fatalf("%s is not on the screen:\n%s", what, s)
		}
	}
}

func (term *terminal) press(keys string) {
	term.t.Helper()
	if _, err := io.WriteString(term.pty, keys); err != nil {
		term.t.Fatal(err)
	}
}

// ends waits for the end of the program, and for its exit code.
func (term *terminal) ends(code int) {
	term.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- term.cmd.Wait() }()
	var err error
	select {
	case err = <-ended:
	case <-time.After(patience):
		s, _ := term.shows()
		term.t.Fatalf("it does not end; the screen:\n%s", s)
	}
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			got = -int(ws.Signal())
		}
	}
	if got != code {
		s, _ := term.shows()
		term.t.Errorf("exit code %d (%v), want %d; the screen:\n%s", got, err, code, s)
	}
}
