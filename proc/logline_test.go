package proc

import (
	"os"
	"strings"
	"testing"
	"time"

	"nats-roll/cluster"
)

// Lines of real servers, 2.8.4 to 2.15.2, each section one version.
func TestLinesOfEveryVersion(t *testing.T) {
	b, err := os.ReadFile("testdata/loglines.txt")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.Local)
	seen := map[string]map[cluster.Topic]int{}
	version := ""
	for raw := range strings.Lines(string(b)) {
		raw = strings.TrimRight(raw, "\n")
		if v, ok := strings.CutPrefix(raw, "##### "); ok {
			version = v
			seen[version] = map[cluster.Topic]int{}
			continue
		}
		if !strings.HasPrefix(raw, "[") {
			continue
		}
		// The capture left out what differs at every run: pid and time.
		l := ParseLine("A", 7, "[7] 2026/11/01 12:00:00.123456 "+raw, now)
		level, text, _ := strings.Cut(raw, "] ")
		if "["+string(l.Level) != level || l.Text != strings.TrimPrefix(text, " ") && l.Text != text || l.At.Nanosecond() != 123456000 {
			t.Errorf("%s: %q became %+v", version, raw, l)
		}
		seen[version][l.Topic]++
	}
	if len(seen) < 7 {
		t.Fatalf("%d versions", len(seen))
	}
	for v, topics := range seen {
		for _, want := range []cluster.Topic{
			cluster.TopicReady, cluster.TopicRouteRefused, cluster.TopicRouteUp, cluster.TopicRouteDown,
			cluster.TopicClientUp, cluster.TopicClientDown, cluster.TopicSignal, cluster.TopicLameDuck, cluster.TopicShutdown, cluster.TopicExpected,
		} {
			if topics[want] == 0 {
				t.Errorf("%s: no line about %s", v, want)
			}
		}
	}
}

func TestOtherLines(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.Local)
	for _, tc := range []struct {
		in    string
		want  string
		level cluster.Level
		topic cluster.Topic
	}{
		{"panic: runtime error", "panic: runtime error", "", cluster.TopicPanic},
		{"Usage: nats-server [options]", "Usage: nats-server [options]", "", ""},
		{"[7] 2026/11/01 12:00:00.000000 [FTL] no", "no", cluster.LevelFatal, cluster.TopicFatal},
		{"[7] 2026/11/01 12:00:00.000000 [INF] evil \x1b]0;title\x07 \x1b[31mred\x1b[0m", "evil ]0;title [31mred[0m", cluster.LevelInfo, ""},
		{"[7] not a time at all, but long enough to be one", "[7] not a time at all, but long enough to be one", "", ""},
		{"[", "[", "", ""},
		{"", "", "", ""},
		{"\x00\x01", "", "", ""},
	} {
		l := ParseLine("A", 7, tc.in, now)
		if l.Text != tc.want || l.Level != tc.level || l.Topic != tc.topic || l.At.IsZero() {
			t.Errorf("%q became %+v", tc.in, l)
		}
	}
	if long := ParseLine("A", 7, strings.Repeat("x", 10*maxText), now); len(long.Text) > maxText+5 {
		t.Errorf("kept %d bytes", len(long.Text))
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add("[7] 2026/11/01 12:00:00.123456 [INF] Server is ready")
	f.Add("[7] 2026/11/01 12:00:00.123456 [")
	f.Fuzz(func(t *testing.T, s string) {
		l := ParseLine("A", 1, s, time.Unix(0, 0))
		if strings.ContainsAny(l.Text, "\x1b\x07\n\r") {
			t.Errorf("kept control characters: %q", l.Text)
		}
	})
}
