package proc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/shirou/gopsutil/v3/process"

	"nats-roll/cluster"
)

// A rehearsal's folder holds a lock for as long as its program lives. A folder
// whose lock is free was left behind.
const (
	lockFile = "rehearsal.lock"
	keptFile = "kept"
)

// NewDir makes a folder for one rehearsal below root, and locks it. leave gives
// the lock back; it removes nothing.
func NewDir(root string) (dir string, leave func() error, err error) {
	root, err = filepath.Abs(root)
	if err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", nil, err
	}
	// It has its name only once it is locked, or somebody who looks for
	// leftovers in between would take it for one.
	fresh, err := os.MkdirTemp(root, ".new-")
	if err != nil {
		return "", nil, err
	}
	if err := os.Chmod(fresh, 0o755); err != nil {
		return "", nil, err
	}
	lock := flock.New(filepath.Join(fresh, lockFile))
	ok, err := lock.TryLock()
	if err == nil && !ok {
		err = errors.New("it is another rehearsal's")
	}
	dir = filepath.Join(root, fmt.Sprintf("%s-%d", time.Now().Format("20060102-150405"), os.Getpid()))
	if err == nil {
		err = os.Rename(fresh, dir)
	}
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), lock.Close(), os.RemoveAll(fresh))
	}
	return dir, lock.Close, nil
}

func markKept(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, keptFile), nil, 0o644)
}

// record is what tells a process of ours from another that has its id.
type record struct {
	PID     int      `json:"pid"`
	Created int64    `json:"created"` // milliseconds since 1970, as the system tells it
	Exe     string   `json:"exe"`
	Args    []string `json:"args"`

	// Version and SHA256 are those of the build that it was started from.
	Version cluster.Version `json:"version,omitempty"`
	SHA256  string          `json:"sha256,omitempty"`
}

// writeRecord remembers a process that has just been started.
func writeRecord(s *Slot, pid int, args []string, b cluster.Build) error {
	r := record{PID: pid, Exe: s.Binary(), Args: args, Version: b.Version, SHA256: b.SHA256}
	if p, err := process.NewProcess(int32(pid)); err == nil { //nolint:gosec // a pid fits
		r.Created, _ = p.CreateTime()
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := writeOver(s.nextRecord(), raw); err != nil {
		return err
	}
	return os.Rename(s.nextRecord(), s.record())
}

// closeRecord takes the record of a process that has ended out of sight. The next
// one is written over it, so that a server can be started on a full disk.
func closeRecord(s *Slot) { _ = os.Rename(s.record(), s.nextRecord()) }

// writeOver writes a file, and gives no room that it has back before it is used.
func writeOver(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Truncate(int64(len(data)))
	}
	return errors.Join(err, f.Close())
}

// deleted is what Linux adds to the name of a program whose file has been
// replaced or removed since.
const deleted = " (deleted)"

// createdSlack allows for what two readings of a start time may differ by:
// systems count it from boot, and the clock is corrected now and then.
const createdSlack = 1500 // milliseconds

// find returns the recorded process if it still lives: the same id, started at
// the same time, from the same file. What a script runs is another file; where the
// system tells, it is known by the folder that it was started in.
func (r record) find() (*process.Process, bool) {
	if r.PID <= 0 || r.Created == 0 {
		return nil, false
	}
	p, err := process.NewProcess(int32(r.PID)) //nolint:gosec // a pid fits
	if err != nil {
		return nil, false
	}
	created, err := p.CreateTime()
	if err != nil || created-r.Created > createdSlack || r.Created-created > createdSlack {
		return nil, false
	}
	if status, err := p.Status(); err == nil && len(status) > 0 && status[0] == process.Zombie {
		return nil, false
	}
	if exe, err := p.Exe(); err == nil && sameFile(strings.TrimSuffix(exe, deleted), r.Exe) {
		return p, true
	}
	cwd, err := p.Cwd()
	return p, err == nil && sameFile(cwd, filepath.Dir(r.Exe))
}

// sameFile compares paths as the system may tell them, through links.
func sameFile(a, b string) bool {
	if a == b {
		return true
	}
	ra, erra := resolve(a)
	rb, errb := resolve(b)
	return erra == nil && errb == nil && ra == rb
}

// resolve follows links in the folder; the file itself may be gone.
func resolve(file string) (string, error) {
	dir, err := filepath.EvalSymlinks(filepath.Dir(file))
	return filepath.Join(dir, filepath.Base(file)), err
}

// Leftover is the folder of a rehearsal that is over, and what still runs in it.
type Leftover struct {
	Dir       string
	Kept      bool // left running on purpose, with --keep
	Processes []LeftoverProcess
}

// LeftoverProcess is a server that outlived its rehearsal.
type LeftoverProcess struct {
	Node    string
	PID     int
	Command string
	Build   cluster.Build // version and SHA-256 of what it was started from, as far as recorded
	record  record
}

// Leftovers lists the folders below root whose program is gone.
func Leftovers(ctx context.Context, root string) ([]Leftover, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Leftover
	for _, e := range entries {
		dir := filepath.Join(root, e.Name())
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") || !abandoned(dir) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out = append(out, look(dir))
	}
	return out, nil
}

// Rehearsal is a folder in which servers run.
type Rehearsal struct {
	Leftover
	Over bool // its program is gone; the servers were kept or left
}

// Rehearsals lists the folders below root in which servers run, whether their
// program goes on or not. It takes no lock that a rehearsal which is just
// beginning could want.
func Rehearsals(ctx context.Context, root string) ([]Rehearsal, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Rehearsal
	for _, e := range entries {
		dir := filepath.Join(root, e.Name())
		if _, err := os.Stat(filepath.Join(dir, lockFile)); err != nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if l := look(dir); len(l.Processes) > 0 {
			out = append(out, Rehearsal{Leftover: l, Over: abandoned(dir)})
		}
	}
	return out, nil
}

// abandoned says that dir is a rehearsal's and that nobody holds its lock.
func abandoned(dir string) bool {
	file := filepath.Join(dir, lockFile)
	if _, err := os.Stat(file); err != nil {
		return false
	}
	lock := flock.New(file)
	ok, err := lock.TryLock()
	if err != nil || !ok {
		return false
	}
	return lock.Close() == nil
}

func look(dir string) Leftover {
	l := Leftover{Dir: dir}
	if _, err := os.Stat(filepath.Join(dir, keptFile)); err == nil {
		l.Kept = true
	}
	slots, _ := os.ReadDir(dir)
	for _, e := range slots {
		s := &Slot{Node: e.Name(), Dir: filepath.Join(dir, e.Name())}
		if !e.IsDir() { // nor what a link leads to: that is another's
			continue
		}
		b, err := os.ReadFile(s.record())
		if err != nil {
			continue
		}
		var r record
		if json.Unmarshal(b, &r) != nil {
			continue
		}
		r.Exe = s.Binary() // a record that was copied, or made up, is no proof of its own
		if _, ok := r.find(); ok {
			l.Processes = append(l.Processes, LeftoverProcess{
				Node: s.Node, PID: r.PID, Command: strings.Join(r.Args, " "),
				Build: cluster.Build{Version: r.Version, SHA256: r.SHA256}, record: r,
			})
		}
	}
	return l
}

// End ends the processes, each checked again right before it is signalled, and
// removes the folder.
func (l Leftover) End(ctx context.Context) error {
	if err := l.EndServers(ctx); err != nil {
		return err
	}
	return os.RemoveAll(l.Dir)
}

// EndServers is End for a folder that stays.
func (l Leftover) EndServers(ctx context.Context) error {
	for _, p := range l.Processes {
		if err := p.end(ctx); err != nil {
			return err
		}
	}
	return nil
}

// endPoll is how often it is looked whether a process that is no child of ours
// has gone; the system tells nobody but its parent.
const endPoll = 10 * time.Millisecond

func (p LeftoverProcess) end(ctx context.Context) error {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		found, ok := p.record.find()
		if !ok {
			return nil
		}
		if err := endProcess(found, sig); err != nil {
			return fmt.Errorf("end %s, pid %d: %w", p.Node, p.PID, err)
		}
		if p.gone(ctx, killGrace) {
			endGroup(ctx, int(found.Pid))
			return nil
		}
	}
	return fmt.Errorf("end %s, pid %d: it is still there after %s", p.Node, p.PID, cluster.StopKill.Signal())
}

func (p LeftoverProcess) gone(ctx context.Context, patience time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(endPoll)
	defer tick.Stop()
	for {
		if _, ok := p.record.find(); !ok {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}
