//go:build unix

package proc

import (
	"syscall"

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
