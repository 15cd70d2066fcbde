package proc

import (
	"syscall"
	"testing"

	"nats-roll/cluster"
)

// A process that leaves the group is not found again, but nobody waits for it.
func TestAnApplicationWithADaemon(t *testing.T) {
	_, e := launch(t, `setsid sh -c 'echo daemon $$; exec sleep 600' & wait`)
	daemon := number(t, said(t, e, "daemon "))
	must(t, syscall.Kill(await(t, e, any1[cluster.ApplicationStarted]).PID, syscall.SIGKILL))
	await(t, e, any1[cluster.ApplicationExited])
	must(t, syscall.Kill(daemon, syscall.SIGKILL))
	waitGone(t, daemon)
}
