package release

import "syscall"

// endWithParent has the kernel end the child with this program, even if that is
// killed. The signal follows the thread that forked; threads of the Go runtime
// stay until the program ends, unless a goroutine ends that was locked to one.
// (prctl(2), PR_SET_PDEATHSIG; go.dev/issue/27505)
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
