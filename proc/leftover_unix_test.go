//go:build unix

package proc

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/shirou/gopsutil/v3/process"

	"nats-roll/cluster"
)

// parent is a program that starts a server, says so, and waits to be killed.
func parent(root string) {
	keep := os.Getenv("PROC_TEST_KEEP") != ""
	dir, _, err := NewDir(root)
	if err == nil {
		var v *Supervisor
		if v, err = NewSupervisor(dir, func(cluster.Event) {}, Keep(keep)); err == nil {
			server := os.Getenv("PROC_TEST_SERVER")
			if server == "" {
				server, err = os.Executable()
			}
			s := v.Slot("A")
			if err == nil {
				err = s.Install(context.Background(), cluster.Build{Version: "2.15.2", Path: server})
			}
			if err == nil {
				err = v.Start(context.Background(), "A", []string{"deaf"})
			}
			if err == nil {
				fmt.Println(v.children["A"].pid)
				if keep {
					if v.Close(context.Background()) != nil {
						os.Exit(1)
					}
					os.Exit(0)
				}
				select {}
			}
		}
	}
	fmt.Println(err)
	os.Exit(1)
}

// spawn runs a parent and returns the process of its server.
func spawn(t *testing.T, root string, env ...string) (cmd *exec.Cmd, server int) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(env, "PROC_TEST_PARENT="+root)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	server, err = strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the parent says %q", line)
	}
	return cmd, server
}

func leftovers(t *testing.T, root string) []Leftover {
	t.Helper()
	found, err := Leftovers(t.Context(), root)
	must(t, err)
	return found
}

func TestARunningRehearsalIsNoLeftover(t *testing.T) {
	root := t.TempDir()
	_, server := spawn(t, root)
	if found := leftovers(t, root); len(found) != 0 {
		t.Errorf("found %+v", found)
	}
	if !alive(server) {
		t.Error("its server is gone")
	}
	runs := rehearsals(t, root)
	if len(runs) != 1 || runs[0].Over || runs[0].Kept || len(runs[0].Processes) != 1 {
		t.Fatalf("runs: %+v", runs)
	}
	if p := runs[0].Processes[0]; p.Node != "A" || p.PID != server || p.Build.Version != "2.15.2" {
		t.Errorf("runs: %+v", p)
	}
}

func rehearsals(t *testing.T, root string) []Rehearsal {
	t.Helper()
	found, err := Rehearsals(t.Context(), root)
	must(t, err)
	return found
}

func TestWhatWasKeptIsFoundAndEnded(t *testing.T) {
	root := t.TempDir()
	cmd, server := spawn(t, root, "PROC_TEST_KEEP=1")
	must(t, cmd.Wait())
	found := leftovers(t, root)
	if len(found) != 1 || !found[0].Kept || len(found[0].Processes) != 1 || found[0].Processes[0].PID != server || found[0].Processes[0].Node != "A" {
		t.Fatalf("found %+v", found)
	}
	if !alive(server) {
		t.Fatal("it did not outlive its program")
	}
	if runs := rehearsals(t, root); len(runs) != 1 || !runs[0].Over || !runs[0].Kept {
		t.Errorf("runs: %+v", runs)
	}
	must(t, found[0].End(t.Context())) // deaf to SIGINT: it takes the kill
	waitGone(t, server)
	if _, err := os.Stat(found[0].Dir); !os.IsNotExist(err) {
		t.Errorf("the folder stayed: %v", err)
	}
	if found := leftovers(t, root); len(found) != 0 {
		t.Errorf("found again: %+v", found)
	}
	if runs := rehearsals(t, root); len(runs) != 0 {
		t.Errorf("still runs: %+v", runs)
	}
}

// A process that only has the recorded id is somebody else's.
func TestAnotherProcessWithTheIDIsLeftAlone(t *testing.T) {
	v, e := supervise(t)
	begin(t, v, "serve")
	pid := await(t, e, any1[cluster.Started]).Process.PID
	b, err := os.ReadFile(v.Slot("A").record())
	must(t, err)
	var own record
	must(t, json.Unmarshal(b, &own))
	if _, ok := own.find(); !ok {
		t.Fatalf("does not find its own %+v", own)
	}
	earlier, elsewhere := own, own
	earlier.Created -= 60_000
	elsewhere.Exe = "/usr/bin/nats-server"
	for name, r := range map[string]record{"another start": earlier, "another file": elsewhere, "no start": {PID: pid, Exe: own.Exe}} {
		if _, ok := r.find(); ok {
			t.Errorf("%s: taken for ours", name)
		}
		must(t, LeftoverProcess{Node: "A", PID: pid, record: r}.end(t.Context()))
	}
	// Also when its file was replaced meanwhile, it is ours.
	install(t, v, "A", self(t))
	if _, ok := own.find(); !ok {
		t.Error("lost it when its file was replaced")
	}
	if !v.Running("A") || !alive(pid) {
		t.Error("it was ended")
	}
}

func TestForeignFoldersAreLeftAlone(t *testing.T) {
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "photos", "A"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "notes.txt"), nil, 0o644))
	if found := leftovers(t, root); len(found) != 0 {
		t.Errorf("found %+v", found)
	}
	if found, err := Leftovers(t.Context(), filepath.Join(root, "missing")); err != nil || len(found) != 0 {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestTheOwnerOfATakenPortIsNamed(t *testing.T) {
	l := listen(t)
	err := CheckPorts("127.0.0.1", l)
	want := fmt.Sprintf("port %d is in use by pid %d (", l, os.Getpid())
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s…", err, want)
	}
}

// A record is no proof of its own: one that was copied with its folder, one
// that a link leads to, and one that somebody made up are nobody's servers.
func TestCopiedLinkedAndForgedRecordsProveNothing(t *testing.T) {
	root := t.TempDir()
	_, server := spawn(t, root)
	live := rehearsals(t, root)[0].Dir
	record, err := os.ReadFile(filepath.Join(live, "A", "process.json"))
	must(t, err)
	other := exec.Command("sleep", "600")
	must(t, other.Start())
	t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
	forged := recordOf(t, other.Process.Pid)
	for name, content := range map[string][]byte{"copied": record, "forged": forged} {
		must(t, os.MkdirAll(filepath.Join(root, name, "A"), 0o755))
		must(t, os.WriteFile(filepath.Join(root, name, lockFile), nil, 0o644))
		must(t, os.WriteFile(filepath.Join(root, name, "A", "process.json"), content, 0o644))
	}
	must(t, os.MkdirAll(filepath.Join(root, "linked"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "linked", lockFile), nil, 0o644))
	must(t, os.Symlink(filepath.Join(live, "A"), filepath.Join(root, "linked", "A")))
	found := leftovers(t, root)
	if len(found) != 3 {
		t.Fatalf("found %+v", found)
	}
	for _, l := range found {
		if len(l.Processes) != 0 {
			t.Errorf("%s: %+v", filepath.Base(l.Dir), l.Processes)
		}
		must(t, l.End(t.Context()))
	}
	if !alive(server) || !alive(other.Process.Pid) {
		t.Error("somebody was ended")
	}
	if _, err := os.Stat(filepath.Join(live, "A", "process.json")); err != nil {
		t.Error(err)
	}
}

// recordOf is a true record of a process that is not ours.
func recordOf(t *testing.T, pid int) []byte {
	t.Helper()
	p, err := process.NewProcess(int32(pid))
	must(t, err)
	created, err := p.CreateTime()
	must(t, err)
	exe, err := p.Exe()
	must(t, err)
	b, err := json.Marshal(record{PID: pid, Created: created, Exe: exe})
	must(t, err)
	return b
}
