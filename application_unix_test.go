//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/shirou/gopsutil/v3/process"
)

// However the program ends, it takes applications with it, and what they have
// started.
func TestNothingOfAnApplicationIsLeft(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			env := around(t)
			file := filepath.Join(t.TempDir(), "pid")
			cmd, out := begin(t, env, "--clients", "0", "--client", fmt.Sprintf(`sh -c 'echo $$ >%[1]s.next; mv %[1]s.next %[1]s; exec sleep 600'; true`, file))
			var pid int
			eventually(t, "the application runs", func() error {
				data, err := os.ReadFile(file)
				if err == nil {
					pid, err = strconv.Atoi(strings.TrimSpace(string(data)))
				}
				return err
			})
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, out)
			_ = cmd.Wait()
			eventually(t, "it has ended", func() error {
				p, err := process.NewProcess(int32(pid))
				if err != nil {
					return nil //nolint:nilerr // there is none
				}
				if status, err := p.Status(); err == nil && status[0] == process.Zombie {
					return nil
				}
				return fmt.Errorf("pid %d lives", pid)
			})
			nothingLeft(t, env)
		})
	}
}
