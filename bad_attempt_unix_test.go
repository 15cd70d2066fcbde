//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v3/process"

	"nats-roll/proc/proctest"
)

// attempt is one run of the program, and a look at what it leaves, as data: it
// may be made by a process of its own.
type attempt struct {
	Dir    string            // all that it reads and writes
	Env    map[string]string // what surroundings made, and more
	Args   []string
	Disk   disk
	Humble bool

	meanwhile func() // when the new build has been looked at
}

// disk is where the program writes: a small one, mounted at a folder of the
// attempt. Where nothing can be mounted, or no folder is named, files are limited
// instead.
type disk struct {
	At    string
	Size  int64
	Limit int64
}

// outcome is what came of it.
type outcome struct {
	Out, Err string
	Code     int
	After    string   // what runs when the program has ended
	Wrong    []string // what is left that should not be

	tried       bool
	found, said string
}

// init makes this test binary a process that an attempt can be made in, and a
// server that panics.
func init() {
	commands["confined"] = confined
	commands["panics"] = func() { panic("no, thanks") }
}

// elsewhere makes the attempt, in a process of its own if it has to be confined.
func (a attempt) elsewhere() (o outcome, err error) {
	if a.Disk == (disk{}) && !a.Humble {
		return a.run(), nil
	}
	cmd := exec.Command("confined")
	if a.Disk.At != "" {
		cmd.SysProcAttr = mounts()
	}
	if cmd.SysProcAttr != nil {
		a.Disk.Limit = 0
	} else {
		a.Disk.At = ""
	}
	order, err := json.Marshal(a)
	if err != nil {
		return o, err
	}
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(order)), os.Stderr
	answer, err := cmd.Output()
	if err != nil {
		return o, fmt.Errorf("confined: %w", err)
	}
	return o, json.Unmarshal(answer, &o)
}

// confined reads an attempt, makes it, and writes what came of it.
func confined() {
	runtime.LockOSThread() // what a thread may do is its own, and its children's
	var a attempt
	err := json.NewDecoder(os.Stdin).Decode(&a)
	if err == nil {
		err = a.confine()
	}
	if err == nil && a.Args != nil {
		err = json.NewEncoder(os.Stdout).Encode(a.run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// limit has every file end at a size.
func (a attempt) limit() error {
	if a.Disk.Limit == 0 {
		return nil
	}
	var now syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &now); err != nil {
		return err
	}
	setTo(&now.Cur, a.Disk.Limit)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &now)
}

// setTo: the type of a limit is not the same everywhere.
func setTo[T int64 | uint64](limit *T, n int64) { *limit = T(n) }

// roomless makes a line that tells of a full disk the same as one that tells of a
// limit, where that stands in for it.
func roomless(line string) string {
	if mounts() != nil {
		return line
	}
	return full.ReplaceAllString(line, "no room")
}

var full = regexp.MustCompile("(no room for \\S+ in .+ are free|write \\S+: (file too large|no space left on device))([^|]*hint: (free|ulimit)[^|`]*`)?")

func (a attempt) run() (o outcome) {
	cmd := a.command(a.Args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		o.Wrong = append(o.Wrong, err.Error())
		return o
	}
	// A program that does not end is killed; then its servers end, too.
	stuck := time.AfterFunc(4*patience, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		o.Out += lines.Text() + "\n"
		if a.meanwhile != nil && strings.HasPrefix(lines.Text(), "to ") {
			a.meanwhile()
			a.meanwhile = nil
		}
	}
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		o.Code, err = exit.ExitCode(), nil
	}
	if err != nil {
		o.Wrong = append(o.Wrong, err.Error())
	}
	o.Err = stderr.String()
	if o.After = a.runs(o.Out); o.After != nothingRuns {
		if said, err := a.command("clean").CombinedOutput(); err != nil {
			o.Wrong = append(o.Wrong, fmt.Sprintf("clean: %v: %s", err, said))
		}
	}
	o.Wrong = append(o.Wrong, a.left()...)
	return o
}

func (a attempt) command(args ...string) *exec.Cmd {
	cmd := exec.Command("nats-roll", args...)
	cmd.Dir, cmd.Env = a.Dir, os.Environ()
	for name, value := range a.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

const nothingRuns = "nothing"

var stays = regexp.MustCompile(`(?m)^([A-Z]) (?:is down|goes on with (\S+): pid \d+)`)

// runs is what the program says that it has left, and what that says itself.
func (a attempt) runs(out string) string {
	var all []string
	client := http.Client{Timeout: 5 * time.Second}
	for _, m := range stays.FindAllStringSubmatch(out, -1) {
		if m[2] == "" {
			all = append(all, m[1]+" is down")
			continue
		}
		var varz struct{ Version string }
		res, err := client.Get("http://localhost:" + a.Env["MONITOR_"+m[1]] + "/varz")
		if err == nil {
			err = json.NewDecoder(res.Body).Decode(&varz)
			res.Body.Close()
		}
		if err != nil {
			all = append(all, m[1]+" does not answer")
			continue
		}
		all = append(all, m[1]+" runs "+varz.Version)
	}
	if all == nil {
		return nothingRuns
	}
	return strings.Join(all, ", ")
}

// left waits until nothing of the attempt runs, and names what is there for good:
// processes, and files that were to go away.
func (a attempt) left() (all []string) {
	var alive []*process.Process
	for deadline := time.Now().Add(patience); ; <-time.After(20 * time.Millisecond) {
		alive = a.processes()
		if len(alive) == 0 || time.Now().After(deadline) {
			break
		}
	}
	for _, p := range alive {
		line, _ := p.Cmdline()
		all = append(all, fmt.Sprintf("pid %d is left: %s", p.Pid, line))
		_ = p.Kill()
	}
	if offset, err := strconv.Atoi(a.Env["OFFSET"]); err != nil || proctest.Taken(2, offset) != nil {
		all = append(all, "a port is taken")
	}
	temporary := regexp.MustCompile(`/rehearsals/.|/tmp/.|/\.new-|/\.fetch-|\.next`)
	_ = filepath.WalkDir(a.Dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || temporary.MatchString(strings.TrimPrefix(path, a.Dir)) {
			all = append(all, fmt.Sprintf("left %s, %v", path, err))
		}
		return nil
	})
	return all
}

// processes lists those that run in the attempt's folder, or from it.
func (a attempt) processes() (found []*process.Process) {
	all, _ := process.Processes()
	for _, p := range all {
		cwd, _ := p.Cwd()
		line, _ := p.Cmdline()
		exe, _ := p.Exe()
		if strings.Contains(cwd+"\n"+line+"\n"+exe, a.Dir) {
			found = append(found, p)
		}
	}
	return found
}
