package proc

import (
	"bytes"
	"io"
	"os"
	"strings"
	"time"

	"nats-roll/cluster"
)

// How often a log is looked at: quickly while lines come, rarely when none do.
const (
	tailFast = 10 * time.Millisecond
	tailSlow = 250 * time.Millisecond
)

// Bounds of what is told, so that a flood of lines stays a trickle of events.
// The file has everything.
const (
	batchLines  = 500
	linesPerSec = 2000
	maxPartial  = 64 << 10 // a line without an end is told in parts of this size
)

// tail reads what one process writes to its log.
type tail struct {
	node string
	pid  int
	path string
	off  int64 // where the process began to write
	sink cluster.Sink
	kick chan struct{}

	partial []byte
	second  time.Time // of the budget
	told    int       // in that second

	formatted bool   // it wrote at least one line as nats-server does
	first     string // its first line
	last      string // its last words: FTL or panic
	final     string // the last line that is not empty
}

func newTail(node string, pid int, path string, off int64, sink cluster.Sink) *tail {
	return &tail{node: node, pid: pid, path: path, off: off, sink: sink, kick: make(chan struct{}, 1)}
}

// wake has the log looked at soon.
func (t *tail) wake() {
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

// run reads until the process has ended, and then what is left.
func (t *tail) run(ended, released <-chan struct{}) {
	f, err := os.Open(t.path)
	if err != nil {
		return // its folder was taken away; the exit will tell
	}
	defer f.Close()
	pause := tailFast
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-ended:
			t.read(f)
			t.flush()
			return
		case <-released:
			return
		case <-t.kick:
			pause = tailFast
		case <-timer.C:
		}
		if t.read(f) {
			pause = tailFast
		} else {
			pause = min(pause*3/2, tailSlow)
		}
		if pause == tailSlow {
			timer.Reset(cluster.Beat(time.Now(), tailSlow))
		} else {
			timer.Reset(pause)
		}
	}
}

// read takes in what the file has grown by.
func (t *tail) read(f *os.File) (grew bool) {
	if st, err := f.Stat(); err == nil && st.Size() < t.off {
		t.off, t.partial = 0, nil // somebody has emptied it
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := f.ReadAt(buf, t.off)
		t.off += int64(n)
		if n > 0 {
			grew = true
			t.take(buf[:n])
		}
		if err == io.EOF || n == 0 {
			return grew
		}
	}
}

func (t *tail) take(b []byte) {
	now := time.Now()
	t.partial = append(t.partial, b...)
	var lines []cluster.LogLine
	skipped := 0
	for {
		i := bytes.IndexByte(t.partial, '\n')
		if i < 0 && len(t.partial) < maxPartial {
			break
		}
		end := i
		if i < 0 {
			end, i = len(t.partial), len(t.partial)-1
		}
		l := t.line(string(t.partial[:end]), now)
		t.partial = t.partial[i+1:]
		switch {
		case !t.affordable(now):
			skipped++
		default:
			lines = append(lines, l)
		}
		if len(lines) == batchLines {
			t.sink(cluster.Logged{Lines: lines, Skipped: skipped})
			lines, skipped = nil, 0
		}
	}
	if len(lines) > 0 || skipped > 0 {
		t.sink(cluster.Logged{Lines: lines, Skipped: skipped})
	}
}

// affordable keeps to the budget of lines a second.
func (t *tail) affordable(now time.Time) bool {
	if now.Sub(t.second) >= time.Second {
		t.second, t.told = now, 0
	}
	t.told++
	return t.told <= linesPerSec
}

func (t *tail) line(s string, now time.Time) cluster.LogLine {
	l := ParseLine(t.node, t.pid, s, now)
	switch {
	case l.Level != cluster.LevelOther:
		t.formatted = true
	case t.first == "":
		t.first = l.Text
	}
	if strings.TrimSpace(l.Text) != "" {
		t.final = l.Text
	}
	if (l.Topic == cluster.TopicFatal || l.Topic == cluster.TopicPanic) && t.last == "" {
		t.last = l.Text
	}
	return l
}

// flush tells a last line that has no end.
func (t *tail) flush() {
	if len(t.partial) > 0 {
		t.take([]byte{'\n'})
	}
}

// reason is the process's own word on why it ended: its [FTL] line or panic, or
// what it said instead of starting. (An unknown flag makes a server print its
// usage and exit with status 0.)
func (t *tail) reason(e cluster.Exit) string {
	switch {
	case t.last != "":
		return t.last
	case !t.formatted && !e.Asked:
		return t.first
	}
	return ""
}
