//go:build unix

package release

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestIdentifyKillsWhatHangsWithItsChildren(t *testing.T) {
	dir := t.TempDir()
	path, pids := filepath.Join(dir, "nats-server"), filepath.Join(dir, "pids")
	script := "#!/bin/sh\nsleep 300 &\necho $$ $! >" + pids + "\nwait\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err := identify(t.Context(), path, 2*time.Second)
	if !errors.Is(err, ErrNotServer) || !strings.Contains(err.Error(), "no answer to --version for 2s") {
		t.Errorf("error is %v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
	raw, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range strings.Fields(string(raw)) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		waitGone(t, pid)
	}
}

// waitGone waits until a process has ended; one that init has not collected yet
// counts.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || strings.Contains(string(stat), ") Z ") {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("process %d still lives", pid)
		}
	}
}
