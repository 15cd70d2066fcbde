//go:build unix

package proc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"nats-roll/cluster"
)

// patience bounds every wait of these tests.
const patience = 30 * time.Second

// The test binary plays the child when it is started under the server's name;
// its first argument is the part.
func TestMain(m *testing.M) {
	if os.Args[0] == program {
		play(os.Args[1:])
		return
	}
	if dir := os.Getenv("PROC_TEST_PARENT"); dir != "" {
		parent(dir)
		return
	}
	if command := os.Getenv("PROC_TEST_LAUNCH"); command != "" {
		launcher(command)
		return
	}
	if to := os.Getenv("PROC_TEST_DIAL"); to != "" {
		dial(to)
		return
	}
	goleak.VerifyTestMain(m)
}

func play(args []string) {
	say := func(level, text string) {
		fmt.Fprintf(os.Stderr, "[%d] %s [%s] %s\n", os.Getpid(), time.Now().Format(stampLayout), level, text)
	}
	switch args[0] {
	case "serve":
		say("INF", "Server is ready")
		ended := make(chan os.Signal, 1)
		signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
		<-ended
		say("INF", "Server Exiting..")
	case "deaf": // ignores what can be ignored
		signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
		say("INF", "Server is ready")
		select {}
	case "fork": // leaves a child of its own, which ignores the same
		signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
		c := exec.Command("/proc/self/exe")
		c.Args = []string{program, "deaf"}
		if err := c.Start(); err != nil {
			os.Exit(9)
		}
		say("INF", "child "+strconv.Itoa(c.Process.Pid))
		select {}
	case "listen":
		l, err := net.Listen("tcp", "127.0.0.1:"+args[1])
		if err != nil {
			os.Exit(9)
		}
		say("INF", "Listening on "+l.Addr().String())
		select {}
	case "fatal":
		say("FTL", "Error listening on port: 4222")
		os.Exit(1)
	case "panic":
		say("INF", "Server is ready")
		panic("JetStream Cluster Unknown group entry op type: 15")
	case "usage":
		fmt.Println("flag provided but not defined: -x")
		fmt.Println("Usage: nats-server [options]")
	case "flood":
		n, _ := strconv.Atoi(args[1])
		for i := range n {
			say("DBG", fmt.Sprintf("line %d", i))
		}
		fmt.Fprint(os.Stderr, "the last one has no end")
	}
}

// events collects what is told.
type events struct {
	mu   sync.Mutex
	all  []cluster.Event
	more chan struct{}
}

func newEvents() *events { return &events{more: make(chan struct{}, 1)} }

func (e *events) sink(ev cluster.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ev)
	select {
	case e.more <- struct{}{}:
	default:
	}
}

func (e *events) list() []cluster.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]cluster.Event(nil), e.all...)
}

// await waits until an event is told that want accepts.
func await[E cluster.Event](t *testing.T, e *events, want func(E) bool) E {
	t.Helper()
	deadline := time.After(patience)
	for {
		for _, ev := range e.list() {
			if got, ok := ev.(E); ok && want(got) {
				return got
			}
		}
		select {
		case <-e.more:
		case <-deadline:
			var zero E
			t.Fatalf("no %s as wanted in %+v", zero.Kind(), e.list())
			return zero
		}
	}
}

func logged(text string) func(cluster.Logged) bool {
	return func(l cluster.Logged) bool {
		for _, line := range l.Lines {
			if strings.Contains(line.Text, text) {
				return true
			}
		}
		return false
	}
}

func any1[E cluster.Event](E) bool { return true }

// self is this test binary as a build.
func self(t testing.TB) cluster.Build {
	t.Helper()
	file, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return cluster.Build{Version: "2.15.2", Path: file}
}

func supervise(t *testing.T, opts ...Option) (*Supervisor, *events) {
	t.Helper()
	e := newEvents()
	v, err := NewSupervisor(t.TempDir(), e.sink, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return v, e
}

func install(t *testing.T, v *Supervisor, node string, b cluster.Build) {
	t.Helper()
	s := v.Slot(node)
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := s.Install(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func begin(t *testing.T, v *Supervisor, args ...string) {
	t.Helper()
	install(t, v, "A", self(t))
	if err := v.Start(t.Context(), "A", args); err != nil {
		t.Fatal(err)
	}
}

func TestAChildRunsUnderTheServersName(t *testing.T) {
	v, e := supervise(t)
	begin(t, v, "serve", "-D", "-n", "A")
	p := await(t, e, any1[cluster.Started]).Process
	if strings.Join(p.Args, " ") != "nats-server serve -D -n A" {
		t.Errorf("args %q", p.Args)
	}
	if pgid, err := syscall.Getpgid(p.PID); err != nil || pgid != p.PID {
		t.Errorf("group %d, %v: want its own", pgid, err)
	}
	if err := v.Start(t.Context(), "A", []string{"serve"}); err == nil || !strings.Contains(err.Error(), "runs already, pid") {
		t.Errorf("second start: %v", err)
	}
	await(t, e, logged("Server is ready"))
	// Not earlier: the kernel has a process run before it has put its arguments down.
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
	if err == nil && string(cmdline) != "nats-server\x00serve\x00-D\x00-n\x00A\x00" {
		t.Errorf("ps shows %q", cmdline)
	}
	await(t, e, func(u cluster.Used) bool { return u.Usage.Memory > 0 })
}

func TestExitsAreTold(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		stop cluster.Stop
		want cluster.Exit
	}{
		{"as asked", []string{"serve"}, cluster.StopInt, cluster.Exit{Asked: true}},
		{"as asked, TERM", []string{"serve"}, cluster.StopTerm, cluster.Exit{Asked: true}},
		{"killed as asked", []string{"serve"}, cluster.StopKill, cluster.Exit{Asked: true, Code: -1, Signal: "SIGKILL"}},
		{"fatal", []string{"fatal"}, "", cluster.Exit{Code: 1, Reason: "Error listening on port: 4222"}},
		{"panic", []string{"panic"}, "", cluster.Exit{Code: 2, Reason: "panic: JetStream Cluster Unknown group entry op type: 15"}},
		{"usage and status 0", []string{"usage"}, "", cluster.Exit{Reason: "flag provided but not defined: -x"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, e := supervise(t)
			begin(t, v, tc.args...)
			if tc.stop != "" {
				await(t, e, logged("Server is ready"))
				if err := v.Stop(t.Context(), "A", tc.stop, patience); err != nil {
					t.Fatal(err)
				}
			}
			got := await(t, e, any1[cluster.Exited]).Exit
			if got.Asked != tc.want.Asked || got.Code != tc.want.Code || got.Signal != tc.want.Signal || got.Reason != tc.want.Reason || got.Forced {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
			if _, err := os.Stat(v.Slot("A").record()); err == nil {
				t.Error("the record of the process stayed")
			}
			if list := e.list(); list[len(list)-1].Kind() != "exited" {
				t.Errorf("told %s after the end", list[len(list)-1].Kind())
			}
		})
	}
}

func TestWhatDoesNotListenIsKilledWithItsGroup(t *testing.T) {
	v, e := supervise(t)
	begin(t, v, "fork")
	line := await(t, e, logged("child "))
	grandchild, err := strconv.Atoi(strings.TrimPrefix(line.Lines[0].Text, "child "))
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Stop(t.Context(), "A", cluster.StopInt, 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	x := await(t, e, any1[cluster.Exited]).Exit
	if !x.Forced || !x.Asked || x.Signal != "SIGKILL" {
		t.Errorf("exit %+v", x)
	}
	waitGone(t, grandchild)
}

// waitGone waits until a process that is not ours to wait for has gone.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for alive(pid) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("pid %d is still there", pid)
		}
	}
}

// alive says that a process runs; a zombie does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err == nil {
		_, after, _ := strings.Cut(string(stat), ") ")
		return !strings.HasPrefix(after, "Z") && !strings.HasPrefix(after, "X")
	}
	if os.IsNotExist(err) {
		if _, noProc := os.Stat("/proc/self"); noProc == nil {
			return false
		}
	}
	return syscall.Kill(pid, 0) == nil
}

func TestLameDuckIsEndedByInterruptAndIgnoresTerm(t *testing.T) {
	v, e := supervise(t)
	begin(t, v, "deaf") // SIGUSR2 would end this child; what is asked counts
	await(t, e, logged("Server is ready"))
	v.mu.Lock()
	c := v.children["A"]
	v.mu.Unlock()
	c.mu.Lock()
	c.stop = cluster.StopLameDuck
	c.mu.Unlock()
	if err := v.Stop(t.Context(), "A", cluster.StopTerm, patience); err == nil || !strings.Contains(err.Error(), "SIGINT ends it") {
		t.Errorf("TERM in lame duck: %v", err)
	}
	if err := v.Stop(t.Context(), "A", cluster.StopInt, 10*time.Millisecond); err != nil {
		t.Error(err)
	}
}

func TestStopManyTimesAtOnce(t *testing.T) {
	v, e := supervise(t)
	begin(t, v, "serve")
	await(t, e, logged("Server is ready"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := v.Stop(t.Context(), "A", cluster.StopInt, patience); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	exits := 0
	for _, ev := range e.list() {
		if ev.Kind() == "exited" {
			exits++
		}
	}
	if exits != 1 || v.Running("A") {
		t.Errorf("%d exits, running %t", exits, v.Running("A"))
	}
	if err := v.Start(t.Context(), "A", []string{"serve"}); err != nil {
		t.Errorf("start again: %v", err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	v, e := supervise(t)
	for _, n := range []string{"A", "B", "C"} {
		install(t, v, n, self(t))
		if err := v.Start(t.Context(), n, []string{"serve"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"A", "B", "C"} {
		await(t, e, func(x cluster.Exited) bool { return x.Node == n && x.Exit.Asked })
	}
	if err := v.Start(t.Context(), "A", []string{"serve"}); err == nil {
		t.Error("started after the end")
	}
}

func TestEveryLineIsTold(t *testing.T) {
	v, e := supervise(t)
	const n = 5000
	begin(t, v, "flood", strconv.Itoa(n))
	await(t, e, any1[cluster.Exited])
	told, skipped, last := 0, 0, ""
	for _, ev := range e.list() {
		if l, ok := ev.(cluster.Logged); ok {
			if len(l.Lines) > batchLines {
				t.Errorf("a batch of %d", len(l.Lines))
			}
			told, skipped = told+len(l.Lines), skipped+l.Skipped
			if len(l.Lines) > 0 {
				last = l.Lines[len(l.Lines)-1].Text
			}
		}
	}
	if told+skipped != n+1 {
		t.Errorf("told %d and left out %d of %d", told, skipped, n+1)
	}
	if skipped == 0 && last != "the last one has no end" {
		t.Errorf("last line %q", last)
	}
	b, err := os.ReadFile(v.Slot("A").Log())
	if err != nil || strings.Count(string(b), "\n") != n {
		t.Errorf("the file has %d lines, %v", strings.Count(string(b), "\n"), err)
	}
}

func TestWhatCannotRunSaysSo(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		spoil      func(t *testing.T, binary string)
	}{
		{"a text", "exec format error", func(t *testing.T, b string) { overwrite(t, b, "hello") }},
		{"not executable", "permission denied", func(t *testing.T, b string) { must(t, os.Chmod(b, 0o644)) }},
		{"vanished", "no such file", func(t *testing.T, b string) { must(t, os.Remove(b)) }},
		{"a directory", "is a directory", func(t *testing.T, b string) { must(t, os.Remove(b)); must(t, os.Mkdir(b, 0o755)) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, _ := supervise(t)
			install(t, v, "A", self(t))
			tc.spoil(t, v.Slot("A").Binary())
			err := v.Start(t.Context(), "A", nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "start A: ") {
				t.Errorf("got %v, want start A: … %s", err, tc.want)
			}
			if v.Running("A") {
				t.Error("it runs")
			}
		})
	}
}

// A file that somebody has open for writing, as a child of ours may for a moment,
// is waited for, but not for ever.
func TestAFileThatIsBusy(t *testing.T) {
	v, _ := supervise(t)
	install(t, v, "A", self(t))
	writer, err := os.OpenFile(v.Slot("A").Binary(), os.O_WRONLY, 0)
	must(t, err)
	defer writer.Close()
	if err := v.Start(t.Context(), "A", []string{"serve"}); !errors.Is(err, syscall.ETXTBSY) {
		t.Errorf("busy for good: %v", err)
	}
	ctx, end := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, end)
	if err := v.Start(ctx, "A", []string{"serve"}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}

	must(t, os.Remove(v.Slot("A").Log()))
	started := make(chan error, 1)
	go func() { started <- v.Start(t.Context(), "A", []string{"serve"}) }()
	for deadline := time.Now().Add(patience); ; { // it is there once a start was tried
		if _, err := os.Stat(v.Slot("A").Log()); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no start was tried")
		}
		<-time.After(time.Millisecond)
	}
	must(t, writer.Close())
	must(t, <-started)
}

func overwrite(t *testing.T, path, content string) {
	t.Helper()
	must(t, os.Remove(path))
	must(t, os.WriteFile(path, []byte(content), 0o755))
}

// A script that starts the server and goes does not leave it behind.
func TestAScriptsChildrenEndWithIt(t *testing.T) {
	v, e := supervise(t)
	dir := t.TempDir()
	path := dir + "/script"
	must(t, os.WriteFile(path, []byte("#!/bin/sh\nsleep 600 &\necho $! >"+dir+"/pid.next\nmv "+dir+"/pid.next "+dir+"/pid\nexit 3\n"), 0o755))
	install(t, v, "A", cluster.Build{Version: "2.15.2", Path: path})
	must(t, v.Start(t.Context(), "A", nil))
	if x := await(t, e, any1[cluster.Exited]).Exit; x.Code != 3 {
		t.Errorf("exit %+v", x)
	}
	b, err := os.ReadFile(dir + "/pid")
	must(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	must(t, err)
	for deadline := time.Now().Add(patience); alive(pid); {
		if time.Now().After(deadline) {
			t.Fatalf("pid %d lives", pid)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// The ports of a server that a script has started are its node's own.
func TestAScriptsServerListensForIt(t *testing.T) {
	v, e := supervise(t)
	dir := t.TempDir()
	must(t, os.Symlink(self(t).Path, dir+"/nats-server"))
	install(t, v, "A", file(t, "#!/bin/sh\nPATH="+dir+":$PATH\nnats-server \"$@\" &\nwait\n"))
	must(t, v.Start(t.Context(), "A", []string{"listen", "0"}))
	line := await(t, e, logged("Listening on ")).Lines[0].Text
	port, err := strconv.Atoi(line[strings.LastIndex(line, ":")+1:])
	must(t, err)
	if err := v.OwnPorts("A", "127.0.0.1", port); err != nil {
		t.Error(err)
	}
	if err := v.OwnPorts("A", "127.0.0.1", listen(t)); err == nil {
		t.Error("somebody else's port is taken to be its own")
	}
}

// Ports that are looked at from two sides at once are not in each other's way.
func TestPortsAreLookedAtTwice(t *testing.T) {
	v, _ := supervise(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, l.Close())
	port := l.Addr().(*net.TCPAddr).Port
	var looks sync.WaitGroup
	for range 4 {
		looks.Go(func() {
			for range 200 {
				if err := v.OwnPorts("A", "127.0.0.1", port); err != nil {
					t.Error(err)
				}
			}
		})
	}
	looks.Wait()
}

// Who empties the log in another terminal still sees what is written next.
func TestALogThatWasEmptied(t *testing.T) {
	v, e := supervise(t)
	begin(t, v, "serve")
	await(t, e, func(l cluster.Logged) bool { return strings.Contains(l.Lines[len(l.Lines)-1].Text, "ready") })
	log, err := os.OpenFile(v.Slot("A").Log(), os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	_, err = fmt.Fprintln(log, strings.Repeat("more than what comes after ", 20)) // or it may be as long again at once
	must(t, errors.Join(err, log.Close()))
	await(t, e, func(l cluster.Logged) bool { return strings.Contains(l.Lines[len(l.Lines)-1].Text, "more than") })
	must(t, os.Truncate(v.Slot("A").Log(), 0))
	must(t, v.Stop(t.Context(), "A", cluster.StopInt, patience))
	await(t, e, func(l cluster.Logged) bool { return strings.Contains(l.Lines[len(l.Lines)-1].Text, "Exiting") })
}

// What is beside the binary and was changed is not renamed over it.
func TestAStagedFileThatChanged(t *testing.T) {
	s := &Slot{Node: "A", Dir: t.TempDir()}
	b := file(t, "the build")
	must(t, s.Stage(t.Context(), b))
	must(t, os.WriteFile(s.Staged(), []byte("garbage"), 0o755))
	must(t, s.Install(t.Context(), b))
	if got, err := os.ReadFile(s.Binary()); err != nil || string(got) != "the build" {
		t.Errorf("installed %q, %v", got, err)
	}
}
