// Package proc owns child processes: a slot on disk for each node, the server
// that runs from it, how it ended, what it wrote and what it takes; the user's own
// applications; and what earlier rehearsals left behind. It is the only package
// that starts them and the only one that signals anything, and it signals only
// what it started, checked by process id, start time and executable.
//
// A Supervisor owns one goroutine that starts children (on Linux the
// parent-death signal follows the thread that forked, so that thread must live
// as long as the supervisor), one that looks at the files in the slots, and for
// each child one that waits for its end, one that reads its log and one that
// measures it; for each application one that waits for its end and one that reads
// what it writes. Close ends all of them and waits.
package proc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"nats-roll/cluster"
)

// killGrace is how long Close lets servers end by themselves.
const killGrace = 3 * time.Second

// Option adjusts a Supervisor.
type Option func(*Supervisor)

// Keep lets servers outlive the program.
func Keep(keep bool) Option { return func(v *Supervisor) { v.keep = keep } }

// Identified lets a Supervisor say what file lies in a slot when somebody else
// has put it there. Without it, only what Install put there is told.
func Identified(by Identify) Option { return func(v *Supervisor) { v.identify = by } }

// Supervisor starts and ends the servers of one rehearsal.
type Supervisor struct {
	dir  string
	sink cluster.Sink
	keep bool

	identify Identify // may be nil
	door     Door     // may be nil
	starts   chan func()
	look     chan struct{}
	watching context.Context // until Close
	unwatch  context.CancelFunc
	running  sync.WaitGroup

	mu       sync.Mutex
	slots    map[string]*Slot
	children map[string]*child // the living ones, by node
	closed   bool

	applications map[string]*application // the living ones, by name
	grace        time.Duration           // that they have to end by themselves
}

// NewSupervisor makes a supervisor whose slots are folders in dir. It tells
// what happens to the sink, from several goroutines.
func NewSupervisor(dir string, sink cluster.Sink, opts ...Option) (*Supervisor, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	v := &Supervisor{
		dir: abs, sink: sink,
		starts: make(chan func()), look: make(chan struct{}, 1), slots: map[string]*Slot{}, children: map[string]*child{}, applications: map[string]*application{}, grace: applicationGrace,
	}
	for _, o := range opts {
		o(v)
	}
	if v.keep {
		if err := markKept(abs); err != nil {
			return nil, err
		}
	}
	v.watching, v.unwatch = context.WithCancel(context.Background())
	v.running.Go(v.fork)
	if v.identify != nil {
		v.running.Go(v.watch)
	}
	return v, nil
}

// watch looks at the files in the slots now and then, and when it is asked to.
func (v *Supervisor) watch() {
	beat := time.NewTimer(0)
	defer beat.Stop()
	for {
		select {
		case <-v.watching.Done():
			return
		case <-v.look:
		case <-beat.C:
		}
		v.mu.Lock()
		slots := slices.Collect(maps.Values(v.slots))
		v.mu.Unlock()
		for _, s := range slots {
			s.Look(v.watching)
			v.invite(s)
		}
		beat.Reset(cluster.Beat(time.Now(), lookPause))
	}
}

// lookPause is the time between two looks at the files in the slots.
const lookPause = time.Second

// Look has the files in the slots looked at soon. It does not wait.
func (v *Supervisor) Look() {
	select {
	case v.look <- struct{}{}:
	default:
	}
}

// fork runs every start on one thread. The thread is not given back: it ends
// with the goroutine, and by then there is no child left.
func (v *Supervisor) fork() {
	runtime.LockOSThread()
	for start := range v.starts {
		start()
	}
}

// Slot is the node's slot.
func (v *Supervisor) Slot(node string) *Slot {
	v.mu.Lock()
	defer v.mu.Unlock()
	s, ok := v.slots[node]
	if !ok {
		s = &Slot{Node: node, Dir: filepath.Join(v.dir, node), identify: v.identify, sink: v.sink}
		v.slots[node] = s
	}
	return s
}

// Running says that the node has a live process.
func (v *Supervisor) Running(node string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.children[node] != nil
}

// OwnPorts says whether the node's ports are free, or listened on by the node's
// own process. Its error is a *PortError.
//
// A free port is found by listening on it: nobody else does at the same moment, and no
// server is started.
func (v *Supervisor) OwnPorts(node, host string, ports ...int) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if c := v.children[node]; c != nil {
		return listens(c.pid, ports...)
	}
	return CheckPorts(host, ports...)
}

// ErrRunning says that a slot has a live process already.
var ErrRunning = errors.New("it runs already")

// Start starts the slot's binary with these arguments and tells
// cluster.Started, and cluster.Exited when it ends. The context bounds the
// start, not the life of the process.
func (v *Supervisor) Start(ctx context.Context, node string, args []string) error {
	s := v.Slot(node)
	if v.identify != nil {
		s.Look(ctx)
	}
	for pause := time.Millisecond; ; pause *= 2 {
		err := v.start(ctx, s, args)
		if !busy(err) || pause > busyFor {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// busyFor is the longest pause before a file that is busy is tried once more. A
// binary that was copied just now may still be open for writing in a child that
// was forked meanwhile and has not yet become its own program
// (go.dev/issue/22315).
const busyFor = time.Second / 2

func (v *Supervisor) start(ctx context.Context, s *Slot, args []string) error {
	node := s.Node
	build, ok := s.Installed()
	if !ok {
		return fmt.Errorf("start %s: there is no %s in %s", node, program, s.Dir)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c := newChild(s, build, args, v.sink)
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.closed:
		return fmt.Errorf("start %s: the rehearsal is over", node)
	case v.children[node] != nil:
		return fmt.Errorf("start %s: %w, pid %d", node, ErrRunning, v.children[node].pid)
	}
	failed := make(chan error)
	v.starts <- func() { failed <- c.start(v.keep) }
	if err := <-failed; err != nil {
		return fmt.Errorf("start %s: %w", node, explainStart(s.Binary(), err))
	}
	v.take(c)
	return nil
}

// take puts a process in its node's place and looks after it until its end. It
// is called with v.mu held.
func (v *Supervisor) take(c *child) {
	node := c.slot.Node
	v.children[node] = c
	v.sink(cluster.Started{Node: node, Process: c.process()})
	v.running.Go(func() {
		c.run()
		c.tell()
		v.mu.Lock()
		delete(v.children, node)
		v.mu.Unlock()
		close(c.buried)
	})
}

// explainStart says in one line why a file cannot be run.
func explainStart(file string, err error) error {
	if st, serr := os.Stat(file); serr == nil && st.IsDir() {
		return fmt.Errorf("%s is a directory", file)
	}
	return err
}

// Stop asks the node's process to end, waits up to grace, kills its process
// group then, and waits for its end. A Stop while another is in progress sends
// its own signal too: SIGINT ends a lame duck. Stopping what is down is fine.
func (v *Supervisor) Stop(ctx context.Context, node string, how cluster.Stop, grace time.Duration) error {
	v.mu.Lock()
	c := v.children[node]
	v.mu.Unlock()
	if c == nil {
		return nil
	}
	if err := c.ask(how); err != nil {
		return fmt.Errorf("stop %s: %w", node, err)
	}
	patience := time.NewTimer(grace)
	defer patience.Stop()
	for {
		select {
		case <-c.buried:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-patience.C:
			c.force()
		}
	}
}

// Close ends applications and then every child, and waits until nothing of the
// supervisor runs: first SIGINT, then SIGKILL for whole process groups. With Keep
// it only lets go of the children.
func (v *Supervisor) Close(ctx context.Context) error {
	v.mu.Lock()
	first := !v.closed
	v.closed = true
	var left []*child
	for _, c := range v.children {
		left = append(left, c)
	}
	v.mu.Unlock()
	v.EndApplications()
	var wg sync.WaitGroup
	for _, c := range left {
		wg.Go(func() {
			if c.guest == nil {
				_ = c.group.hold(false) // or it would hear nothing
			}
			if v.keep || c.guest != nil {
				c.letGo()
				return
			}
			stop, cancel := context.WithTimeout(ctx, killGrace)
			defer cancel()
			if c.ask(cluster.StopInt) == nil {
				select {
				case <-c.buried:
					return
				case <-stop.Done():
				}
			}
			c.force()
			<-c.buried
		})
	}
	wg.Wait()
	v.unwatch()
	if first {
		close(v.starts)
	}
	v.running.Wait()
	return nil
}
