//go:build unix

package proc

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"nats-roll/cluster"
)

// launcher is a program with an application, until it is killed.
func launcher(command string) {
	v, err := NewSupervisor(os.TempDir(), func(e cluster.Event) {
		if l, ok := e.(cluster.Logged); ok {
			for _, line := range l.Lines {
				fmt.Println(line.Text)
			}
		}
	})
	if err == nil {
		err = v.Launch("app1", command)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	select {}
}

// dial is a client of somebody's.
func dial(to string) {
	c, err := net.Dial("tcp", to)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	_, _ = c.Read(make([]byte, 1))
}

func launch(t *testing.T, command string, env ...string) (*Supervisor, *events) {
	t.Helper()
	v, e := supervise(t)
	must(t, v.Launch("app1", command, env...))
	return v, e
}

// said finds a line that begins so, and returns what follows.
func said(t *testing.T, e *events, begin string) (rest string) {
	t.Helper()
	await(t, e, func(l cluster.Logged) bool {
		for _, line := range l.Lines {
			if after, ok := strings.CutPrefix(line.Text, begin); ok {
				rest = after
				return true
			}
		}
		return false
	})
	return rest
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(s))
	must(t, err)
	return n
}

func TestAnApplicationIsToldOf(t *testing.T) {
	_, e := launch(t, `echo "at $NATS_URL"; echo "and so on" >&2; exit 3`, "NATS_URL=nats://localhost:4222")
	exit := await(t, e, any1[cluster.ApplicationExited])
	if exit.Name != "app1" || exit.Exit.Code != 3 || exit.Exit.Asked || exit.Exit.Reason != "and so on" {
		t.Errorf("exit %+v", exit)
	}
	all := e.list()
	start, ok := all[0].(cluster.ApplicationStarted)
	if !ok || start.Name != "app1" || start.PID != exit.PID || !strings.HasPrefix(start.Command, "echo") || start.At.IsZero() {
		t.Errorf("first is %+v", all[0])
	}
	if said(t, e, "at ") != "nats://localhost:4222" {
		t.Errorf("told %+v", all)
	}
	for _, ev := range all {
		if l, ok := ev.(cluster.Logged); ok && (l.Lines[0].Node != "app1" || l.Lines[0].PID != exit.PID) {
			t.Errorf("a line of %+v", l.Lines[0])
		}
	}
	if all[len(all)-1].Kind() != exit.Kind() {
		t.Errorf("told %s after its end", all[len(all)-1].Kind())
	}
}

func TestAnApplicationsEnd(t *testing.T) {
	for _, tc := range []struct {
		name, command string
		want          cluster.Exit
	}{
		{"not found", "./no-such-program --flag", cluster.Exit{Code: 127, Reason: "no-such-program"}},
		{"not a program", "/dev/null", cluster.Exit{Code: 126, Reason: "/dev/null"}},
		{"no command", "if", cluster.Exit{Code: 2, Reason: "yntax"}},
		{"a panic", `echo "panic: no servers"; echo; echo "goroutine 1 [running]:"; exit 2`, cluster.Exit{Code: 2, Reason: "panic: no servers"}},
		{"at once, in good order", "echo done", cluster.Exit{Reason: "done"}},
		{"without a word", "exit 1", cluster.Exit{Code: 1}},
		{"a last line without an end", `printf 'oh no'; exit 1`, cluster.Exit{Code: 1, Reason: "oh no"}},
		{"killed", "kill -SEGV $$", cluster.Exit{Code: -1, Signal: "SIGSEGV"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, e := launch(t, tc.command)
			got := await(t, e, any1[cluster.ApplicationExited]).Exit
			if got.Code != tc.want.Code || got.Signal != tc.want.Signal || !strings.Contains(got.Reason, tc.want.Reason) || got.Asked || got.Forced {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

// However it is made, an application has its time to end in order.
func TestAnApplicationIsAskedToEnd(t *testing.T) {
	for _, tc := range []struct{ name, command string }{
		{"itself", `trap 'sleep 0.1; echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done`},
		{"a child of the shell", `sh -c 'trap "sleep 0.1; echo bye; exit" TERM; echo ready; while :; do sleep 0.01; done'; true`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, e := launch(t, tc.command)
			said(t, e, "ready")
			v.EndApplications()
			said(t, e, "bye")
			exit := await(t, e, any1[cluster.ApplicationExited]).Exit
			if !exit.Asked || exit.Forced || exit.After < 100*time.Millisecond || exit.Reason != "" {
				t.Errorf("exit %+v", exit)
			}
		})
	}
}

func TestAnApplicationThatDoesNotListenIsKilled(t *testing.T) {
	v, e := supervise(t)
	v.grace = 2 * time.Second // enough for who listens
	must(t, v.Launch("app1", `trap "" TERM; sh -c 'trap "" TERM; while :; do sleep 1; done' & echo child $!; while :; do sleep 1; done`))
	must(t, v.Launch("app2", "echo I listen; sleep 600"))
	child := number(t, said(t, e, "child "))
	said(t, e, "I listen")
	must(t, v.Close(t.Context()))
	waitGone(t, child)
	for name, forced := range map[string]bool{"app1": true, "app2": false} {
		exit := await(t, e, func(x cluster.ApplicationExited) bool { return x.Name == name }).Exit
		if !exit.Asked || exit.Forced != forced || forced && exit.Signal != "SIGKILL" {
			t.Errorf("%s: exit %+v", name, exit)
		}
	}
	if err := v.Launch("app3", "true"); err == nil || !strings.Contains(err.Error(), "start app3: the rehearsal is over") {
		t.Errorf("after the end: %v", err)
	}
}

func TestWhatAnApplicationLeavesEndsWithIt(t *testing.T) {
	_, e := launch(t, `trap "" TERM; sleep 600 & echo child $!; exit 0`)
	child := number(t, said(t, e, "child "))
	await(t, e, any1[cluster.ApplicationExited])
	waitGone(t, child)
}

func TestAnApplicationThatFloods(t *testing.T) {
	const lines = 200_000
	_, e := launch(t, fmt.Sprintf("yes | head -n %d; echo the end", lines-1))
	await(t, e, any1[cluster.ApplicationExited])
	told, skipped := 0, 0
	for _, ev := range e.list() {
		if l, ok := ev.(cluster.Logged); ok {
			told, skipped = told+len(l.Lines), skipped+l.Skipped
		}
	}
	if told+skipped != lines || skipped == 0 {
		t.Errorf("told %d and left out %d of %d", told, skipped, lines)
	}
}

// Not even a kill -9 leaves anything of an application behind.
func TestNoApplicationOutlivesAKilledProgram(t *testing.T) {
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), `PROC_TEST_LAUNCH=trap "" TERM INT HUP; sh -c 'trap "" TERM INT HUP; while :; do sleep 1; done' & echo $$ $!; while :; do sleep 1; done`)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal(lines.Err())
	}
	shell, child, _ := strings.Cut(lines.Text(), " ")
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	waitGone(t, number(t, shell))
	waitGone(t, number(t, child))
}

func TestWhoseConnectionItIs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	accept := func() Socket {
		c, err := l.Accept()
		must(t, err)
		t.Cleanup(func() { c.Close() })
		return Socket{c.RemoteAddr().String(), l.Addr().(*net.TCPAddr).Port}
	}
	self, err := os.Executable()
	must(t, err)
	mine, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	defer mine.Close()
	others := accept()
	v, _ := launch(t, `echo a child of the shell; "$SELF"; true`, "SELF="+self, "PROC_TEST_DIAL="+l.Addr().String())
	first := accept()
	must(t, v.Launch("app2", `exec "$SELF"`, "SELF="+self, "PROC_TEST_DIAL="+l.Addr().String()))
	second := accept()
	got := v.Sockets()
	if len(got) != 2 || got[first] != "app1" || got[second] != "app2" || got[others] != "" {
		t.Errorf("got %v; app1 is %v, app2 %v", got, first, second)
	}
	v.EndApplications()
	if got := v.Sockets(); len(got) != 0 {
		t.Errorf("after their end: %v", got)
	}
}
