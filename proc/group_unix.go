//go:build unix

package proc

import (
	"os"
	"syscall"

	"nats-roll/cluster"
)

// exe is the ending of executable files.
const exe = ""

// group is a child's process group. Every child leads its own, so that Ctrl+C
// in the terminal, which goes to the foreground group, does not reach servers.
type group struct{ process *os.Process }

func newGroup(p *os.Process, _ bool) (group, error) { return group{process: p}, nil }

// signal asks the server itself, not what it may have started.
func (g group) signal(how cluster.Stop) error {
	sig := syscall.SIGINT
	switch how {
	case cluster.StopTerm:
		sig = syscall.SIGTERM
	case cluster.StopLameDuck:
		sig = syscall.SIGUSR2
	case cluster.StopKill:
		sig = syscall.SIGKILL
	case cluster.StopInt:
	}
	return g.process.Signal(sig)
}

// hold stops the server in its tracks, or lets it go on. No process can refuse that.
func (g group) hold(on bool) error {
	if on {
		return g.process.Signal(syscall.SIGSTOP)
	}
	return g.process.Signal(syscall.SIGCONT)
}

// nudge sends a signal that is not to end the server.
func (g group) nudge(sig cluster.Signal) error {
	if sig == cluster.SignalReload {
		return g.process.Signal(syscall.SIGHUP)
	}
	return g.process.Signal(syscall.SIGTERM)
}

// sameGroup says that a process is in a child's group: it is the server, and the
// child a script that started it.
func sameGroup(pid, child int) bool {
	group, err := syscall.Getpgid(pid)
	return err == nil && group == child
}

// kill ends everything in the group. The caller knows that the leader has not
// been waited for, so the id is still the group's own.
func (g group) kill() { _ = syscall.Kill(-g.process.Pid, syscall.SIGKILL) }

func (g group) close() {}

// signalOf is the name of the signal that ended a process.
func signalOf(s *os.ProcessState) string {
	ws, ok := s.Sys().(syscall.WaitStatus)
	if !ok || !ws.Signaled() {
		return ""
	}
	switch ws.Signal() {
	case syscall.SIGKILL:
		return "SIGKILL"
	case syscall.SIGTERM:
		return "SIGTERM"
	case syscall.SIGINT:
		return "SIGINT"
	case syscall.SIGHUP:
		return "SIGHUP"
	case syscall.SIGSEGV:
		return "SIGSEGV"
	case syscall.SIGABRT:
		return "SIGABRT"
	default:
		return ws.Signal().String()
	}
}
