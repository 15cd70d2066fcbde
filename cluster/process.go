package cluster

import (
	"fmt"
	"strings"
	"time"
)

// Stop is a way to end a server.
type Stop string

// The ways to end a server. INT is the tutorial's Ctrl+C.
// TERM exits with status 1 before 2.11 and with 0 since; it is ignored while
// lame duck is in progress. (nats-server server/signal.go)
const (
	StopInt      Stop = "int"
	StopTerm     Stop = "term"
	StopLameDuck Stop = "ldm"
	StopKill     Stop = "kill"
)

// Stops lists every way, the tutorial's first.
var Stops = []Stop{StopInt, StopTerm, StopLameDuck, StopKill}

// ParseStop reads the value of --stop.
func ParseStop(s string) (Stop, error) {
	for _, k := range Stops {
		if string(k) == s {
			return k, nil
		}
	}
	return "", fmt.Errorf("unknown way to stop a server %q: use int, term, ldm or kill", s)
}

// Signal is the Unix name of what is sent.
func (s Stop) Signal() string {
	switch s {
	case StopTerm:
		return "SIGTERM"
	case StopLameDuck:
		return "SIGUSR2"
	case StopKill:
		return "SIGKILL"
	default:
		return "SIGINT"
	}
}

// Command is what a person would type to stop the process.
func (s Stop) Command(pid string) string {
	return fmt.Sprintf("kill -%s %s", strings.TrimPrefix(s.Signal(), "SIG"), pid)
}

// Signal is what a process can be sent that is not to end it.
type Signal string

// SignalReload makes a server read its configuration again. SignalTerm is one that
// it ignores while lame duck is in progress. (nats-server server/signal.go)
const (
	SignalReload Signal = "HUP"
	SignalTerm   Signal = "TERM"
)

// Process is a server process that was started in a node's slot.
type Process struct {
	PID     int       `json:"pid"`
	Build   Build     `json:"build"` // the file it was started from
	Args    []string  `json:"args,omitempty"`
	Started time.Time `json:"started"`
	Stop    Stop      `json:"stop,omitempty"`   // how it was asked to end
	Asked   time.Time `json:"asked,omitzero"`   // when it was asked
	Ignored time.Time `json:"ignored,omitzero"` // when it was sent SIGTERM in lame duck mode
	Exit    *Exit     `json:"exit,omitempty"`   // nil while it lives
	Held    bool      `json:"held,omitempty"`   // it was sent SIGSTOP, and does nothing until SIGCONT
	Guest   bool      `json:"guest,omitempty"`  // somebody else started it, from the file in the slot; it is never signalled
}

// Alive says that the process was started and has not exited.
func (p Process) Alive() bool { return p.PID != 0 && p.Exit == nil }

// Exit is how a process ended.
type Exit struct {
	At     time.Time     `json:"at"`
	Code   int           `json:"code"`             // -1 when a signal ended it, or when nobody can tell
	Signal string        `json:"signal,omitempty"` // "SIGKILL"
	Asked  bool          `json:"asked"`            // we had asked for it
	After  time.Duration `json:"after"`            // since it was asked, or since it started
	Forced bool          `json:"forced,omitempty"` // it ignored the asked signal for the whole grace and was killed
	Reason string        `json:"reason,omitempty"` // the server's own last words: its [FTL] line or panic
}

// String tells it in words: "exit status 0, 4 ms after SIGINT".
func (e Exit) String() string {
	switch {
	case e.Signal != "":
		return "ended by " + e.Signal
	case e.Code < 0:
		return "ended"
	}
	return fmt.Sprintf("exit status %d", e.Code)
}

// Usage is what a process takes from the machine.
type Usage struct {
	CPU    float64 `json:"cpu"`    // per cent of one core since the last look
	Memory uint64  `json:"memory"` // resident bytes
	Files  int     `json:"files"`  // open file descriptors; 0 where the system does not tell
}
