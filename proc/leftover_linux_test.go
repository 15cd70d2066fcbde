package proc

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The kernel ends a server whose program was killed, so that not even a
// kill -9 leaves one behind; the folder is found.
func TestNoServerOutlivesAKilledProgram(t *testing.T) {
	root := t.TempDir()
	cmd, server := spawn(t, root)
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	waitGone(t, server)
	found := leftovers(t, root)
	if len(found) != 1 || found[0].Kept || len(found[0].Processes) != 0 {
		t.Fatalf("found %+v", found)
	}
	must(t, found[0].End(t.Context()))
}

// What was kept is found and ended when it was given as a script, too, with the
// server that the script waits for.
func TestAScriptThatWasKeptIsFoundAndEnded(t *testing.T) {
	root, bin := t.TempDir(), t.TempDir()
	must(t, os.Symlink(self(t).Path, bin+"/nats-server"))
	script := file(t, "#!/bin/sh\nPATH="+bin+":$PATH\nnats-server serve &\necho $! >"+bin+"/pid.next\nmv "+bin+"/pid.next "+bin+"/pid\nwait\n")
	cmd, pid := spawn(t, root, "PROC_TEST_KEEP=1", "PROC_TEST_SERVER="+script.Path)
	must(t, cmd.Wait())
	var server int
	for deadline := time.Now().Add(patience); server == 0 && time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
		b, _ := os.ReadFile(bin + "/pid")
		server, _ = strconv.Atoi(strings.TrimSpace(string(b)))
	}
	found := leftovers(t, root)
	if len(found) != 1 || len(found[0].Processes) != 1 || found[0].Processes[0].PID != pid {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		t.Fatalf("found %+v, not pid %d", found, pid)
	}
	must(t, found[0].End(t.Context()))
	waitGone(t, pid)
	waitGone(t, server)
}

// A server that a script has put into the background, and that does not hear
// SIGINT, is ended all the same once the script is gone.
func TestWhatAScriptLeavesIsEnded(t *testing.T) {
	root, bin := t.TempDir(), t.TempDir()
	script := file(t, "#!/bin/sh\nsleep 600 &\necho $! >"+bin+"/pid.next\nmv "+bin+"/pid.next "+bin+"/pid\nwait\n")
	cmd, pid := spawn(t, root, "PROC_TEST_KEEP=1", "PROC_TEST_SERVER="+script.Path)
	must(t, cmd.Wait())
	var deaf int
	for deadline := time.Now().Add(patience); deaf == 0 && time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
		b, _ := os.ReadFile(bin + "/pid")
		deaf, _ = strconv.Atoi(strings.TrimSpace(string(b)))
	}
	found := leftovers(t, root)
	if len(found) != 1 {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		t.Fatalf("found %+v", found)
	}
	must(t, found[0].End(t.Context()))
	waitGone(t, pid)
	waitGone(t, deaf)
}
