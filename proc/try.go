package proc

import (
	"context"
	"errors"
	"os/exec"
	"time"
)

// tryFor bounds a program that is only asked something.
const tryFor = 3 * time.Second

// Try runs a program that is on PATH and tells how it ended and what it said. The
// path is empty if there is none. One that runs on is ended, with exit status 0: it
// has taken what it was given.
func Try(ctx context.Context, name string, args ...string) (path string, code int, said string) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", 0, ""
	}
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = tryFor // somebody else may hold its output open
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		return path, exit.ExitCode(), clean(string(out))
	}
	if err != nil && ctx.Err() == nil {
		return path, -1, err.Error()
	}
	return path, 0, clean(string(out))
}
