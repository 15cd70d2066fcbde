package release

import (
	"context"
	"os/exec"
	"time"
)

// command is a child process in a group of its own, which is killed when the
// context ends. Whoever inherited its output is waited for only briefly.
func command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = 2 * time.Second
	ownGroup(cmd)
	return cmd
}

// runIdle runs a command, again when its file is still open for writing
// somewhere: a file that this process has just written can be held for a moment
// by a child that another goroutine is starting (go.dev/issue/22315).
func runIdle(ctx context.Context, fresh func() *exec.Cmd) error {
	for pause := time.Millisecond; ; pause *= 2 {
		err := fresh().Run()
		if !textBusy(err) || pause > time.Second {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
