package view

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"nats-roll/rehearsal"
	"nats-roll/tui/theme"
)

// However many marks there are and however narrow it is: the scrubber fills its
// width, has one place, and what has happened stands left of it.
func TestTheScrubber(t *testing.T) {
	r := lipgloss.NewRenderer(nil)
	r.SetColorProfile(termenv.Ascii)
	th := theme.New(r)
	began := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(5, 6))
	for range 3000 {
		length := time.Duration(random.Int64N(int64(time.Hour)))
		p := Tape{Began: began, Ended: began.Add(length), At: began.Add(time.Duration(float64(length) * random.Float64()))}
		before := 0
		last := began
		for range random.IntN(60) {
			last = last.Add(time.Duration(random.ExpFloat64() * float64(length) / 20))
			if last.After(p.Ended) {
				break
			}
			kind := []rehearsal.MarkKind{rehearsal.MarkStarted, rehearsal.MarkStopped, rehearsal.MarkDied}[random.IntN(3)]
			node := "a" // happened
			if last.After(p.At) {
				node = "z"
			} else {
				before++
			}
			p.Marks = append(p.Marks, rehearsal.Mark{At: last, Node: node, What: kind})
		}
		w := 40 + random.IntN(160)
		line := Scrubber(th, p, w)
		left, right, ok := strings.Cut(line, "●")
		if ansi.StringWidth(line) != w || !ok || strings.Contains(right, "●") || strings.Contains(left, "z") || strings.Contains(right, "a") || strings.Contains(left, "─") || strings.Contains(right, "━") {
			t.Fatalf("%d cells of %d, %d marks before: %q", ansi.StringWidth(line), w, before, line)
		}
		if len(p.Marks) <= 6 && strings.Count(line, "a")+strings.Count(line, "z") != len(p.Marks) {
			t.Fatalf("%d marks: %q", len(p.Marks), line)
		}
	}
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	p := Tape{Began: began, Ended: at(10000), At: at(5000), Marks: []rehearsal.Mark{
		{At: at(0), Node: "A", What: rehearsal.MarkStarted},
		{At: at(5000), Node: "A", What: rehearsal.MarkStopped},
		{At: at(5001), Node: "A", What: rehearsal.MarkStarted},
		{At: at(10000), Node: "B", What: rehearsal.MarkDied},
	}}
	if got, want := Scrubber(th, p, 52), " 0:05.000 ↑A━━━━━━━━━━━━━↓A●↑A──────────✗B 0:10.000 "; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := Scrubber(th, Tape{Began: began, At: began, Ended: began}, 30); ansi.StringWidth(got) != 30 {
		t.Errorf("nothing recorded: %q", got)
	}
}
