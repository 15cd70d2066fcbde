//go:build unix

package proc

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"github.com/shirou/gopsutil/v3/process"
)

// shell runs a command as soon as its guard stands, and never without.
func shell(command string) *exec.Cmd {
	cmd := exec.Command("sh", "-c", `read -r _ <&3 && exec 3<&- && exec sh -c "$1"`, "sh", command)
	cmd.SysProcAttr = attributes(false)
	return cmd
}

// guard is a shell that waits for the end of a pipe which only this program
// holds open, and kills a group then: when this program is killed, nobody else is
// left to do it. (Linux has a parent-death signal, but whoever asked for it gets
// it, and none of its children.)
type guard struct {
	cmd  *exec.Cmd
	hold *os.File
}

// startGuarded starts what shell made.
func startGuarded(cmd *exec.Cmd) (group, guard, error) {
	r, gate, err := os.Pipe()
	if err != nil {
		return group{}, guard{}, err
	}
	defer gate.Close() // which ends the shell, if nothing was written
	cmd.ExtraFiles = []*os.File{r}
	err = cmd.Start()
	r.Close()
	if err != nil {
		return group{}, guard{}, err
	}
	g := group{process: cmd.Process}
	watch, err := newGuard(g)
	if err == nil {
		_, err = gate.WriteString("\n")
	}
	if err != nil {
		watch.end()
		gate.Close()
		_ = cmd.Wait()
	}
	return g, watch, err
}

func newGuard(g group) (guard, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return guard{}, err
	}
	defer r.Close()
	cmd := exec.Command("sh", "-c", `read -r _ || kill -KILL "-$1"`, "sh", strconv.Itoa(g.process.Pid))
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl+C is not for it
	if err := cmd.Start(); err != nil {
		w.Close()
		return guard{}, err
	}
	return guard{cmd: cmd, hold: w}, nil
}

// end lets the guard go.
func (g guard) end() {
	if g.cmd == nil {
		return
	}
	_, _ = g.hold.WriteString("\n")
	g.hold.Close()
	_ = g.cmd.Wait()
}

func (g group) terminate() { _ = syscall.Kill(-g.process.Pid, syscall.SIGTERM) }

// members are the living processes of the group.
func (g group) members() (out []int) {
	if syscall.Kill(-g.process.Pid, 0) != nil {
		return nil
	}
	pids, _ := process.Pids()
	for _, pid := range pids {
		if id, err := syscall.Getpgid(int(pid)); err == nil && id == g.process.Pid && !dead(pid) {
			out = append(out, int(pid))
		}
	}
	return out
}

// dead says that a process has ended, and that its parent has not noticed.
func dead(pid int32) bool {
	p, err := process.NewProcess(pid)
	if err != nil {
		return true
	}
	status, err := p.Status()
	return err == nil && len(status) > 0 && status[0] == process.Zombie
}
