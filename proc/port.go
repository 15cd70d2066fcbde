package proc

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	psnet "github.com/shirou/gopsutil/v3/net"
	"github.com/shirou/gopsutil/v3/process"
)

// Owner is the process that listens on a port.
type Owner struct {
	PID  int
	Name string
}

// PortError says that a port is taken, and by whom if that can be seen.
type PortError struct {
	Port  int
	Owner Owner // zero when the system does not tell
	Err   error
}

func (e *PortError) Error() string {
	switch {
	case e.Owner.PID != 0:
		return fmt.Sprintf("port %d is in use by pid %d (%s)", e.Port, e.Owner.PID, e.Owner.Name)
	case errors.Is(e.Err, syscall.EADDRINUSE):
		return fmt.Sprintf("port %d is in use", e.Port)
	default:
		return fmt.Sprintf("port %d cannot be used: %v", e.Port, e.Err)
	}
}

// Unwrap gives what the system said.
func (e *PortError) Unwrap() error { return e.Err }

// CheckPorts returns a *PortError for the first port that cannot be listened on.
func CheckPorts(host string, ports ...int) error {
	for _, port := range ports {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			owner, _ := OwnerOfPort(port)
			return &PortError{Port: port, Owner: owner, Err: err}
		}
		if err := l.Close(); err != nil {
			return &PortError{Port: port, Err: err}
		}
	}
	return nil
}

// listens says whether a process, or one that it has started, listens on all
// these ports. Ports of a process that cannot be looked into are taken to be its
// own.
func listens(pid int, ports ...int) error {
	conns, err := psnet.ConnectionsPid("tcp", int32(pid)) //nolint:gosec // a pid fits
	if err != nil {
		return nil //nolint:nilerr // not allowed to look, or gone by now: its exit tells
	}
	own := map[int]bool{}
	for _, c := range conns {
		if c.Status == "LISTEN" {
			own[int(c.Laddr.Port)] = true
		}
	}
	for _, port := range ports {
		if own[port] {
			continue
		}
		if owner, ok := OwnerOfPort(port); ok && owner.PID != pid && !sameGroup(owner.PID, pid) {
			return &PortError{Port: port, Owner: owner, Err: syscall.EADDRINUSE}
		}
	}
	return nil
}

// OwnerOfPort finds the process that listens on a TCP port. It looks through
// every process, so it is for when something is wrong.
func OwnerOfPort(port int) (Owner, bool) {
	conns, err := psnet.Connections("tcp")
	if err != nil {
		return Owner{}, false
	}
	for _, c := range conns {
		if c.Status != "LISTEN" || int(c.Laddr.Port) != port || c.Pid == 0 {
			continue
		}
		o := Owner{PID: int(c.Pid), Name: "unknown"}
		if p, err := process.NewProcess(c.Pid); err == nil {
			if name, err := p.Name(); err == nil {
				o.Name = clean(name)
			}
		}
		return o, true
	}
	return Owner{}, false
}
