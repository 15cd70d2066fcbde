package release

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"time"

	"nats-roll/cluster"
)

// answerLimit is how much of what a file prints is kept. A version is one line.
const answerLimit = 4 << 10

// askVersion runs the file with --version. Its errors wrap ErrNotServer or are
// the system's.
func askVersion(ctx context.Context, path string, timeout time.Duration) (cluster.Version, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var stdout, stderr head
	err := runIdle(ctx, func() *exec.Cmd {
		stdout, stderr = head{}, head{}
		cmd := command(ctx, path, "--version")
		cmd.Args[0] = program
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		return cmd
	})
	if ctx.Err() != nil {
		return "", notServer("gives no answer to --version for %s", timeout)
	}
	out := strings.TrimSpace(stdout.String())
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case err != nil && cutOff(path):
		return "", notServer("is cut off: it ends in the middle of the program")
	case exited:
		reason := "ends with " + exit.String() + " when asked for its version"
		if s := firstLine(stderr.String()); s != "" {
			reason += fmt.Sprintf(": %q", fmt.Sprintf("%.80s", s))
		}
		return "", notServer("%s", reason)
	case wrongFormat(err):
		return "", notServer("cannot run here: %s", describe(path))
	case errors.Is(err, fs.ErrNotExist): // the file is there: Identify has looked
		return "", notServer("cannot run here: the interpreter or loader that it names is missing")
	case err != nil:
		return "", err
	case out == "":
		return "", notServer("prints no version")
	}
	v, err := cluster.VersionOfBanner(out)
	if err != nil {
		return "", notServer("prints %q, no nats-server version", fmt.Sprintf("%.40s", firstLine(out)))
	}
	return v, nil
}

func notServer(format string, args ...any) error {
	return &reasoned{fmt.Sprintf(format, args...), ErrNotServer}
}

// reasoned is an error with words of its own for a kind of failure.
type reasoned struct {
	reason string
	kind   error
}

func (e *reasoned) Error() string { return e.reason }
func (e *reasoned) Unwrap() error { return e.kind }

// head keeps the beginning of what is written to it.
type head struct{ bytes.Buffer }

func (h *head) Write(p []byte) (int, error) {
	if room := answerLimit - h.Len(); room > 0 {
		h.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}
