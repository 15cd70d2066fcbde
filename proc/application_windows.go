package proc

import (
	"errors"
	"os/exec"
	"unsafe"

	"golang.org/x/sys/windows"
)

// shell hands the command to cmd as it stands: cmd has rules of its own for
// quotes.
func shell(command string) *exec.Cmd {
	cmd := exec.Command("cmd")
	cmd.SysProcAttr = attributes(false)
	cmd.SysProcAttr.CmdLine = `cmd /S /C "` + command + `"`
	return cmd
}

// guard: the job ends with this program, which holds its only handle.
type guard struct{}

func (guard) end() {}

// startGuarded starts what shell made.
func startGuarded(cmd *exec.Cmd) (group, guard, error) {
	if err := cmd.Start(); err != nil {
		return group{}, guard{}, err
	}
	g, err := newGroup(cmd.Process, false)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	return g, guard{}, err
}

func (g group) terminate() {
	_ = windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(g.process.Pid))
}

// members are the processes of the job, as many as fit.
func (g group) members() (out []int) {
	var list struct {
		assigned, listed uint32
		ids              [512]uintptr
	}
	err := windows.QueryInformationJobObject(g.job, windows.JobObjectBasicProcessIdList, uintptr(unsafe.Pointer(&list)), uint32(unsafe.Sizeof(list)), nil)
	if err != nil && !errors.Is(err, windows.ERROR_MORE_DATA) {
		return nil
	}
	for _, id := range list.ids[:list.listed] {
		out = append(out, int(id))
	}
	return out
}
