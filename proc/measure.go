package proc

import (
	"time"

	"github.com/shirou/gopsutil/v3/process"

	"nats-roll/cluster"
)

// measurePause is the time between two looks at what a process takes.
const measurePause = time.Second

// measure tells what a process takes while it lives. It looks at this one
// process only: walking the process tree again and again is what makes
// supervisors slow.
func measure(node string, pid int, sink cluster.Sink, ended, released <-chan struct{}) {
	p, err := process.NewProcess(int32(pid)) //nolint:gosec // a pid fits
	if err != nil {
		return // it has ended already
	}
	beat := time.NewTimer(0)
	defer beat.Stop()
	var told cluster.Usage
	for {
		select {
		case <-ended:
			return
		case <-released:
			return
		case <-beat.C:
		}
		u, ok := usage(p)
		if ok && differs(u, told) {
			told = u
			sink(cluster.Used{Node: node, PID: pid, Usage: u})
		}
		beat.Reset(cluster.Beat(time.Now(), measurePause))
	}
}

func usage(p *process.Process) (cluster.Usage, bool) {
	cpu, err := p.Percent(0) // since the last call
	if err != nil {
		return cluster.Usage{}, false
	}
	mem, err := p.MemoryInfo()
	if err != nil {
		return cluster.Usage{}, false
	}
	u := cluster.Usage{CPU: cpu, Memory: mem.RSS}
	if files, err := p.NumFDs(); err == nil {
		u.Files = int(files)
	}
	return u, true
}

// differs says that a person would see the difference.
func differs(a, b cluster.Usage) bool {
	const mib = 1 << 20
	return abs(a.CPU-b.CPU) >= 0.1 || a.Memory/mib != b.Memory/mib || a.Files != b.Files
}

func abs(f float64) float64 {
	if f < 0 {
		return -f
	}
	return f
}
