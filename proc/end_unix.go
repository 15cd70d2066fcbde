//go:build unix

package proc

import (
	"syscall"

	"github.com/shirou/gopsutil/v3/process"
)

func endProcess(p *process.Process, sig syscall.Signal) error { return p.SendSignal(sig) }
