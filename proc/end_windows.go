package proc

import (
	"context"
	"syscall"

	"github.com/shirou/gopsutil/v3/process"
)

// endProcess: a process of another console cannot be sent a Ctrl+C.
func endProcess(p *process.Process, _ syscall.Signal) error { return p.Kill() }

// endGroup: there are no groups; a job object has ended the others.
func endGroup(context.Context, int) {}
