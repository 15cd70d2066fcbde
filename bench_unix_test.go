//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v3/process"

	"nats-roll/release/releasetest"
)

// From exec to the first frame that a person can read.
func BenchmarkExecToFirstFrame(b *testing.B) {
	env := around(b)
	var total time.Duration
	for b.Loop() {
		began := time.Now()
		term := open(b, 120, 36, env)
		term.wait("Welcome")
		total += time.Since(began)
		b.StopTimer()
		_ = term.cmd.Process.Signal(syscall.SIGTERM)
		term.ends(143)
		b.StartTimer()
	}
	b.ReportMetric(float64(total.Microseconds())/1000/float64(b.N), "ms/frame")
}

// From exec of an unattended walk, whose servers are at hand, to the first of them:
// when its process was there, as the program tells it, and when that was read. What
// is measured is the program as go build makes it, which is what it hashes. The
// numbers are medians.
func BenchmarkExecToFirstServer(b *testing.B) {
	env := around(b)
	program := filepath.Join(b.TempDir(), "nats-roll")
	if said, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, said)
	}
	var started, read []float64
	for b.Loop() {
		cmd := command(b, env, "run", "--json", "--offline", "--from", releasetest.Older, "--to", "embedded", "--port-offset", env["OFFSET"])
		cmd.Path = program
		out, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		var line struct {
			At   time.Time
			Kind string
		}
		for line.Kind != "started" && lines.Scan() {
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				b.Fatalf("%q: %v", lines.Text(), err)
			}
		}
		read = append(read, float64(time.Since(began))/1e6)
		started = append(started, float64(line.At.Sub(began))/1e6)
		b.StopTimer()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 143 {
			b.Fatalf("%v, last line %s", err, lines.Text())
		}
		b.StartTimer()
	}
	b.ReportMetric(median(started), "ms/server")
	b.ReportMetric(median(read), "ms/line")
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// From a key to the frame that answers it, through the terminal, while servers
// run and messages flow.
func BenchmarkKeyOnScreen(b *testing.B) {
	term, _ := running(b)
	selected := "▸ A"
	for b.Loop() {
		if selected == "▸ A" {
			term.press("j")
			selected = "▸ B"
		} else {
			term.press("k")
			selected = "▸ A"
		}
		term.wait(selected)
	}
	quit(term)
}

// From the end of a server to the frame that says so.
func BenchmarkExitOnScreen(b *testing.B) {
	term, env := running(b)
	term.press("j")
	term.wait("▸ B")
	var total time.Duration
	n := 0
	for b.Loop() {
		pid := term.pid(env, "B")
		began := time.Now()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			b.Fatal(err)
		}
		term.wait("✗ died 0:")
		total += time.Since(began)
		n++
		term.press("s")
		term.until("B is back", func(s string) bool {
			return strings.Contains(s, "B⇄A 4") || strings.Count(s, "● up") == 3 && !strings.Contains(s, "✗ died 0:")
		})
		term.until("B's log", func(string) bool { return term.pid(env, "B") != pid })
	}
	b.ReportMetric(float64(total.Microseconds())/1000/float64(n), "ms/exit")
	quit(term)
}

// What nats-roll itself needs while three servers are idle and nobody presses a
// key: a share of one core, in per cent. Without messages, and with 100 a second
// to 21 subscribers.
func BenchmarkIdle(b *testing.B) {
	for _, rate := range []string{"0", "100"} {
		b.Run("rate="+rate, func(b *testing.B) {
			term, _ := running(b, "--rate", rate)
			quiet := time.After(6 * time.Second) // the monitor slows down when nothing happens
			<-quiet
			var share float64
			for b.Loop() {
				before, began := cpu(b, term.cmd.Process.Pid), time.Now()
				<-time.After(5 * time.Second)
				share += 100 * (cpu(b, term.cmd.Process.Pid) - before) / time.Since(began).Seconds()
			}
			b.ReportMetric(share/float64(b.N), "%core")
			quit(term)
		})
	}
}

// What is recorded while three servers run and nobody presses a key, without
// messages and with 100 a second to 21 subscribers.
func BenchmarkRecording(b *testing.B) {
	for _, rate := range []string{"0", "100"} {
		b.Run("rate="+rate, func(b *testing.B) {
			term, env := running(b, "--rate", rate)
			quiet := time.After(6 * time.Second)
			<-quiet
			grown, waited := int64(0), time.Duration(0)
			for b.Loop() {
				before, began := recorded(b, env), time.Now()
				<-time.After(20 * time.Second)
				grown, waited = grown+recorded(b, env)-before, waited+time.Since(began)
			}
			b.ReportMetric(float64(grown)/1000/waited.Minutes(), "kB/minute")
			quit(term)
		})
	}
}

// recorded is the size of the recording, in bytes.
func recorded(b *testing.B, env map[string]string) int64 {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(env["XDG_STATE_HOME"], "nats-roll", "recordings", "*.jsonl"))
	if err != nil || len(files) != 1 {
		b.Fatalf("recordings: %v, %v", files, err)
	}
	st, err := os.Stat(files[0])
	if err != nil {
		b.Fatal(err)
	}
	return st.Size()
}

// running is a terminal in which A, B and C run and clients are connected.
func running(b *testing.B, args ...string) (*terminal, map[string]string) {
	b.Helper()
	env := around(b)
	term := open(b, 120, 36, env, args...)
	term.to("stop A")
	return term, env
}

func quit(term *terminal) {
	term.press("q")
	term.wait("quit?")
	term.press("y")
	term.ends(0)
}

// cpu is the processor time that a process has used, in seconds.
func cpu(b *testing.B, pid int) float64 {
	b.Helper()
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		b.Fatal(err)
	}
	t, err := p.Times()
	if err != nil {
		b.Fatal(err)
	}
	return t.User + t.System
}
