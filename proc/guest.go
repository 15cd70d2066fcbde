package proc

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/process"

	"nats-roll/cluster"
)

// A guest is a server that somebody started by hand, in another terminal, from
// the file in a node's slot. It stands in the node's place like a child and is
// watched like one, but it is never signalled: it is not ours. Its log is in
// its own terminal, and its exit status is told to its own parent.

// guestPause is the time between two looks whether a guest still lives.
const guestPause = 100 * time.Millisecond

// doorPause is how long somebody at the door who is no guest is not looked at
// again.
const doorPause = 5 * time.Second

// Door is where the server of a node can be seen to be there: the port that it
// is asked at.
type Door func(node string) (host string, port int)

// Guests lets a Supervisor notice servers that somebody else starts from a slot.
func Guests(door Door) Option { return func(v *Supervisor) { v.door = door } }

// invite takes in a server that listens at the door of a slot without a child,
// if it runs the slot's own file.
func (v *Supervisor) invite(s *Slot) {
	if v.door == nil || v.Running(s.Node) || time.Since(s.refused) < doorPause {
		return
	}
	host, port := v.door(s.Node)
	address := net.JoinHostPort(host, fmt.Sprint(port))
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return // nobody
	}
	conn.Close()
	s.refused = time.Now() // unless it is let in below; looking for the owner takes a while
	owner, ok := OwnerOfPort(port)
	if !ok {
		return
	}
	p, err := process.NewProcess(int32(owner.PID)) //nolint:gosec // a pid fits
	if err != nil {
		return
	}
	exe, err := p.Exe()
	if err != nil || !sameFile(strings.TrimSuffix(exe, deleted), s.Binary()) {
		return
	}
	created, err := p.CreateTime()
	if err != nil {
		return
	}
	var build cluster.Build // not known, if its file is not there any more
	if s.Look(v.watching); !strings.HasSuffix(exe, deleted) {
		build, _ = s.Installed()
	}
	args, _ := p.CmdlineSlice()
	c := newChild(s, build, nil, v.sink)
	c.guest, c.pid, c.began = p, owner.PID, time.UnixMilli(created)
	if len(args) > 0 {
		c.cmd.Args = append([]string{filepath.Base(args[0])}, args[1:]...)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed || v.children[s.Node] != nil {
		return
	}
	v.take(c)
}

// lives says that the guest is still the process that was seen.
func (c *child) lives() bool {
	p, err := process.NewProcess(int32(c.pid)) //nolint:gosec // a pid fits
	if err != nil {
		return false
	}
	created, err := p.CreateTime()
	if err != nil || created != c.began.UnixMilli() {
		return false
	}
	status, err := p.Status()
	return err != nil || len(status) == 0 || status[0] != process.Zombie
}

// stay waits for the end of a guest.
func (c *child) stay() {
	tick := time.NewTicker(guestPause)
	defer tick.Stop()
	for c.lives() {
		select {
		case <-c.released:
			return
		case <-tick.C:
		}
	}
	c.mu.Lock()
	c.over = true
	c.exit = cluster.Exit{At: time.Now(), Code: -1, After: time.Since(c.began)}
	c.mu.Unlock()
	close(c.ended)
}
