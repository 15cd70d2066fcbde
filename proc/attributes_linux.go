package proc

import "syscall"

// attributes gives the child its own process group and, unless it is to be
// kept, asks the kernel to kill it when the thread that started it is gone:
// SIGKILL, because a server in lame duck ignores SIGTERM. (prctl(2),
// PR_SET_PDEATHSIG)
func attributes(keep bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	if !keep {
		a.Pdeathsig = syscall.SIGKILL
	}
	return a
}
