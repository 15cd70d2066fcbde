//go:build unix

package release

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
)

func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd.SysProcAttr)
	cmd.Cancel = func() error {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
			return err
		}
		return os.ErrProcessDone
	}
}

func executable(i fs.FileInfo) bool { return i.Mode().Perm()&0o111 != 0 }

func wrongFormat(err error) bool { return errors.Is(err, syscall.ENOEXEC) }

func textBusy(err error) bool { return errors.Is(err, syscall.ETXTBSY) }
