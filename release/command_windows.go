package release

import (
	"errors"
	"io/fs"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// ownGroup keeps a Ctrl+C in the terminal from the child. The context's end
// kills the child alone; what the go command started ends by itself.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// executable is for the start to find out: Windows has no such bit.
func executable(fs.FileInfo) bool { return true }

func wrongFormat(err error) bool {
	return errors.Is(err, windows.ERROR_BAD_EXE_FORMAT) || errors.Is(err, windows.ERROR_EXE_MACHINE_TYPE_MISMATCH)
}

func textBusy(err error) bool { return errors.Is(err, windows.ERROR_SHARING_VIOLATION) }
