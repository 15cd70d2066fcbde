//go:build unix

package proc

import (
	"context"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v3/process"
)

// endProcess signals the whole group, as Ctrl+C in a terminal does: the process
// can be a script that waits for its server.
func endProcess(p *process.Process, sig syscall.Signal) error {
	if sameGroup(int(p.Pid), int(p.Pid)) {
		return syscall.Kill(-int(p.Pid), sig)
	}
	return p.SendSignal(sig)
}

// endGroup ends what is left of a group whose leader, a script, has ended: a
// shell's children in the background ignore SIGINT until they say otherwise. The
// group's id is not given to another while somebody is in it.
func endGroup(ctx context.Context, leader int) {
	ctx, cancel := context.WithTimeout(ctx, killGrace)
	defer cancel()
	tick := time.NewTicker(endPoll)
	defer tick.Stop()
	for syscall.Kill(-leader, 0) == nil {
		select {
		case <-ctx.Done():
			_ = syscall.Kill(-leader, syscall.SIGKILL)
			return
		case <-tick.C:
		}
	}
}
