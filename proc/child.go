package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v3/process"

	"nats-roll/cluster"
)

// child is one process from its start to its end.
type child struct {
	slot  *Slot
	build cluster.Build
	cmd   *exec.Cmd
	sink  cluster.Sink
	tail  *tail
	group group // what is killed when it does not listen

	guest    *process.Process // somebody else's, if it is one
	pid      int
	began    time.Time
	released chan struct{} // closed by letGo
	ended    chan struct{} // closed when the process has been waited for
	buried   chan struct{} // closed when its exit has been told

	mu     sync.Mutex
	stop   cluster.Stop
	asked  time.Time
	forced bool
	over   bool // the process has been waited for: its pid may be another's
	exit   cluster.Exit
}

func newChild(s *Slot, b cluster.Build, args []string, sink cluster.Sink) *child {
	cmd := exec.Command(s.Binary())
	cmd.Args = append([]string{program}, args...)
	cmd.Dir = s.Dir
	return &child{
		slot: s, build: b, cmd: cmd, sink: sink,
		released: make(chan struct{}), ended: make(chan struct{}), buried: make(chan struct{}),
	}
}

// start runs on the supervisor's own thread. The log is the child's own file:
// it never waits for a reader.
func (c *child) start(keep bool) error {
	log, err := os.OpenFile(c.slot.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	st, err := log.Stat()
	if err != nil {
		return err
	}
	c.cmd.Stdout, c.cmd.Stderr = log, log
	c.cmd.SysProcAttr = attributes(keep)
	c.began = time.Now()
	if err := c.cmd.Start(); err != nil {
		return err
	}
	c.pid = c.cmd.Process.Pid
	if c.group, err = newGroup(c.cmd.Process, keep); err == nil {
		err = writeRecord(c.slot, c.pid, c.cmd.Args, c.build)
	}
	if err != nil {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
		return err
	}
	c.tail = newTail(c.slot.Node, c.pid, c.slot.Log(), st.Size(), c.sink)
	return nil
}

func (c *child) process() cluster.Process {
	return cluster.Process{PID: c.pid, Build: c.build, Args: c.cmd.Args, Started: c.began, Guest: c.guest != nil}
}

// run reads the log and measures until the process has ended, or until it is
// let go.
func (c *child) run() {
	var helpers sync.WaitGroup
	defer helpers.Wait()
	helpers.Go(func() { measure(c.slot.Node, c.pid, c.sink, c.ended, c.released) })
	if c.guest != nil {
		c.stay()
		return
	}
	helpers.Go(func() { c.tail.run(c.ended, c.released) })
	waited := make(chan struct{})
	go func() { // ends with the process; with the program, when it was let go
		defer close(waited)
		err := c.cmd.Wait()
		c.group.kill() // what it started and left: a script is no server, but its child is one
		c.mu.Lock()
		c.over = true
		c.exit = c.verdict(err)
		c.mu.Unlock()
		close(c.ended)
	}()
	select {
	case <-waited:
	case <-c.released:
	}
}

// tell tells the end, after every line that the process wrote.
func (c *child) tell() {
	select {
	case <-c.ended:
	default:
		return // let go
	}
	if c.guest == nil {
		c.group.close()
		closeRecord(c.slot)
		c.exit.Reason = c.tail.reason(c.exit)
	}
	c.sink(cluster.Exited{Node: c.slot.Node, PID: c.pid, Exit: c.exit})
}

// verdict reads the exit. It is called with c.mu held.
func (c *child) verdict(err error) cluster.Exit {
	e := cluster.Exit{At: time.Now(), Asked: c.stop != "", Forced: c.forced}
	e.Code, e.Signal = exitStatus(err)
	e.After = e.At.Sub(c.began)
	if e.Asked {
		e.After = e.At.Sub(c.asked)
	}
	return e
}

// ask sends the signal, if the process has not ended.
func (c *child) ask(how cluster.Stop) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.over:
		return nil
	case c.guest != nil:
		return fmt.Errorf("it was started by hand, pid %d, and nats-roll ends only what it started: stop it in its own terminal", c.pid)
	case c.stop == cluster.StopLameDuck && (how == cluster.StopTerm || how == cluster.StopLameDuck):
		// nats-server server/signal.go: SIGTERM is swallowed in lame duck mode. It is
		// sent all the same: who asks may want to see that.
		if how == cluster.StopTerm && c.group.signal(how) == nil {
			c.sink(cluster.StopIgnored{Node: c.slot.Node, PID: c.pid, Stop: how, At: time.Now()})
		}
		return fmt.Errorf("it is in lame duck mode and ignores %s; SIGINT ends it", how.Signal())
	}
	at := time.Now()
	switch err := c.group.signal(how); {
	case errors.Is(err, os.ErrProcessDone):
		return nil // it ended before, of what was asked earlier or by itself
	case err != nil:
		return err
	}
	// The end is judged under the same lock, so it is told after this.
	c.stop, c.asked = how, at
	c.sink(cluster.StopAsked{Node: c.slot.Node, PID: c.pid, Stop: how, At: at})
	c.tail.wake()
	return nil
}

// force kills the whole group.
func (c *child) force() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over && c.guest == nil {
		c.forced = true
		c.group.kill()
	}
}

// letGo stops looking after the process and leaves it running.
func (c *child) letGo() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.released:
	default:
		close(c.released)
	}
}

// exitStatus reads what Wait has returned.
func exitStatus(err error) (code int, signal string) {
	state, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return 0, ""
	case !ok:
		return -1, ""
	}
	return state.ExitCode(), signalOf(state.ProcessState)
}
