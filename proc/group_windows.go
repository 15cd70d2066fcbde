package proc

import (
	"errors"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"nats-roll/cluster"
)

// exe is the ending of executable files.
const exe = ".exe"

// attributes makes the child the root of a console process group, so that a
// CTRL_BREAK can be sent to it alone.
func attributes(bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// group is a child and, unless it is kept, the job object that ends it with
// this program.
type group struct {
	process *os.Process
	job     windows.Handle
}

func newGroup(p *os.Process, keep bool) (group, error) {
	g := group{process: p}
	if keep {
		return g, nil
	}
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return g, err
	}
	var limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err == nil {
		err = assign(job, p.Pid)
	}
	if err != nil {
		_ = windows.CloseHandle(job)
		return g, err
	}
	g.job = job
	return g, nil
}

func assign(job windows.Handle, pid int) error {
	h, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(h) }()
	return windows.AssignProcessToJobObject(job, h)
}

// signal: a server on Windows ends on os.Interrupt, which is what Go makes of
// CTRL_BREAK; it has no lame duck as a plain process. (nats-server
// server/signal_windows.go)
func (g group) signal(how cluster.Stop) error {
	switch how {
	case cluster.StopLameDuck, cluster.StopTerm:
		return errors.New(string(how) + " is not available on Windows")
	case cluster.StopKill:
		return g.process.Kill()
	case cluster.StopInt:
	}
	if err := windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(g.process.Pid)); err != nil {
		return g.process.Kill()
	}
	return nil
}

// sameGroup cannot be told: a job object has no list that others could ask for.
func sameGroup(int, int) bool { return false }

func (g group) kill() {
	if g.job != 0 {
		_ = windows.TerminateJobObject(g.job, 1)
		return
	}
	_ = g.process.Kill()
}

func (g group) close() {
	if g.job != 0 {
		_ = windows.CloseHandle(g.job)
	}
}

// hold: Windows has no signals for that.
func (group) hold(bool) error {
	return errors.New("a process cannot be stopped in its tracks on Windows")
}

// nudge: nor for that.
func (group) nudge(sig cluster.Signal) error {
	return errors.New("SIG" + string(sig) + " is not available on Windows")
}

// signalOf: nothing ends by a signal here.
func signalOf(*os.ProcessState) string { return "" }
