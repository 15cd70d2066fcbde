package proc

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	psnet "github.com/shirou/gopsutil/v3/net"

	"nats-roll/cluster"
)

const (
	// applicationGrace is how long applications may take to end by themselves.
	applicationGrace = 5 * time.Second

	// drainGrace is how long is read on from an application that has ended. Only a
	// process that has left its group can have more to say.
	drainGrace = 200 * time.Millisecond

	// groupPause is the time between two looks whether all of a group has ended.
	groupPause = 10 * time.Millisecond
)

// application is a program of the user's own: the shell that runs its command,
// and everything in that shell's process group or, on Windows, job.
//
// Nothing of it outlives this program, however that ends; see guard. What leaves
// its group on purpose, as a daemon does, is not found again.
type application struct {
	name  string
	cmd   *exec.Cmd
	group group
	guard guard
	tail  *tail
	out   *os.File // what it writes is read here
	sink  cluster.Sink
	began time.Time
	ended chan struct{} // closed when its exit has been told

	mu     sync.Mutex
	over   bool // its group has ended: the id may be another's
	asked  time.Time
	forced bool
}

// Launch runs a command of the user's through the shell, with env added to the
// environment. It tells cluster.ApplicationStarted, what it writes as
// cluster.Logged, and cluster.ApplicationExited when it ends.
func (v *Supervisor) Launch(name, command string, env ...string) error {
	a := &application{name: name, cmd: shell(command), sink: v.sink, ended: make(chan struct{})}
	a.cmd.Env = append(os.Environ(), env...)
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.closed:
		return fmt.Errorf("start %s: the rehearsal is over", name)
	case v.applications[name] != nil:
		return fmt.Errorf("start %s: %w", name, ErrRunning)
	}
	failed := make(chan error)
	v.starts <- func() { failed <- a.start() }
	if err := <-failed; err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	v.applications[name] = a
	v.sink(cluster.ApplicationStarted{Name: name, Command: command, PID: a.cmd.Process.Pid, At: a.began})
	v.running.Go(func() {
		a.run()
		v.mu.Lock()
		delete(v.applications, name)
		v.mu.Unlock()
		close(a.ended)
	})
	return nil
}

// start runs on the supervisor's own thread.
func (a *application) start() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer w.Close()
	a.cmd.Stdout, a.cmd.Stderr, a.out = w, w, r
	a.began = time.Now()
	if a.group, a.guard, err = startGuarded(a.cmd); err != nil {
		r.Close()
		return err
	}
	a.tail = newTail(a.name, a.cmd.Process.Pid, "", 0, a.sink)
	return nil
}

// run reads what it writes until it has ended, and tells its end.
func (a *application) run() {
	read := make(chan struct{})
	go func() {
		defer close(read)
		a.read()
	}()
	err := a.cmd.Wait()
	e := a.bury()
	e.Code, e.Signal = exitStatus(err)
	_ = a.out.SetReadDeadline(time.Now().Add(drainGrace)) // not on Windows, where a job leaves nobody
	<-read
	a.out.Close()
	if !e.Asked {
		e.Reason = cmp.Or(a.tail.last, a.tail.final)
	}
	a.sink(cluster.ApplicationExited{Name: a.name, PID: a.cmd.Process.Pid, Exit: e})
}

// bury sees to it that what the shell has started ends with it. If it was asked
// to, that has its time, too.
func (a *application) bury() cluster.Exit {
	for a.dwells() {
		<-time.After(groupPause)
	}
	at := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	a.group.kill()
	a.group.close()
	a.guard.end()
	e := cluster.Exit{At: at, After: at.Sub(a.began), Asked: !a.asked.IsZero(), Forced: a.forced}
	if e.Asked {
		e.After = at.Sub(a.asked)
	}
	return e
}

// dwells says that some of it is still busy with its end.
func (a *application) dwells() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.asked.IsZero() && !a.forced && len(a.group.members()) > 0
}

// read tells what it writes, in batches, and no more than a pipeful in each: who
// floods waits.
func (a *application) read() {
	pipeful := make([]byte, 64<<10)
	for {
		n, err := a.out.Read(pipeful)
		a.tail.take(pipeful[:n])
		if err != nil {
			a.tail.flush()
			return
		}
		<-time.After(tailFast)
	}
}

// ask asks all of it to end.
func (a *application) ask() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.over && a.asked.IsZero() {
		a.asked = time.Now()
		a.group.terminate()
	}
}

func (a *application) force() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.over {
		a.forced = true
		a.group.kill()
	}
}

// EndApplications asks every application to end, kills what has not ended after
// a while, and waits for all of it.
func (v *Supervisor) EndApplications() {
	var wg sync.WaitGroup
	for _, a := range v.launched() {
		wg.Go(func() {
			a.ask()
			select {
			case <-a.ended:
			case <-time.After(v.grace):
				a.force()
				<-a.ended
			}
		})
	}
	wg.Wait()
}

func (v *Supervisor) launched() (out []*application) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, a := range v.applications {
		out = append(out, a)
	}
	return out
}

// Socket is a TCP connection of a process on this machine: its address, and the
// port that it is connected to.
type Socket struct {
	Addr string
	Port int
}

// Sockets tells which TCP connections are applications', by their names.
func (v *Supervisor) Sockets() map[Socket]string {
	out := map[Socket]string{}
	for _, a := range v.launched() {
		for _, pid := range a.group.members() {
			conns, err := psnet.ConnectionsPid("tcp", int32(pid)) //nolint:gosec // a pid fits
			if err != nil {
				continue // not allowed to look, or gone by now
			}
			for _, c := range conns {
				out[Socket{net.JoinHostPort(c.Laddr.IP, strconv.Itoa(int(c.Laddr.Port))), int(c.Raddr.Port)}] = a.name
			}
		}
	}
	return out
}
