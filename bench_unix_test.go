//go:build unix

package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v3/process"
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
