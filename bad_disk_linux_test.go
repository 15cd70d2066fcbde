package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// mounts is how a process is started that may mount a disk which nobody else
// sees: as root, or as one who is root in a name space of its own. It is nil where
// neither is allowed.
var mounts = sync.OnceValue(func() *syscall.SysProcAttr {
	mine := syscall.SysProcIDMap{HostID: os.Getuid(), Size: 1}
	group := syscall.SysProcIDMap{HostID: os.Getgid(), Size: 1}
	order, _ := json.Marshal(attempt{Dir: os.TempDir(), Disk: disk{At: ".", Size: 1 << 20}})
	for _, attr := range []*syscall.SysProcAttr{
		{Cloneflags: syscall.CLONE_NEWNS},
		{
			Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{mine}, GidMappings: []syscall.SysProcIDMap{group},
		},
	} {
		cmd := exec.Command("confined")
		cmd.Stdin, cmd.SysProcAttr = strings.NewReader(string(order)), attr
		if cmd.Run() == nil {
			return attr
		}
	}
	return nil
})

// confine prepares this process, and those that it starts, for the attempt.
func (a attempt) confine() error {
	if a.Humble && os.Geteuid() == 0 {
		for _, right := range []uintptr{unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH} {
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, right, 0, 0, 0); err != nil {
				return os.NewSyscallError("prctl", err)
			}
		}
	}
	if a.Disk.At == "" {
		return a.limit()
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return os.NewSyscallError("mount", err)
	}
	size := "size=" + strconv.FormatInt(a.Disk.Size, 10)
	return os.NewSyscallError("mount", unix.Mount("tmpfs", filepath.Join(a.Dir, a.Disk.At), "tmpfs", 0, size))
}
