//go:build unix && !linux

package proc

import "syscall"

// attributes gives the child its own process group. There is no parent-death
// signal here: when the program is killed with SIGKILL, its servers stay, and
// the next start finds them.
func attributes(bool) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
