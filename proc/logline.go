package proc

import (
	"strings"
	"time"
	"unicode"

	"nats-roll/cluster"
)

const (
	stampLayout = "2006/01/02 15:04:05.000000"
	maxText     = 2000 // of a line, in bytes; the file has all of it
)

// ParseLine reads a line of a server's log, `[pid] 2026/11/01 12:00:00.000000
// [INF] text`. Any other line (a usage text, a panic) has no level and the time
// it was read at. Control characters are taken out.
func ParseLine(node string, pid int, line string, now time.Time) cluster.LogLine {
	line = clean(line)
	l := cluster.LogLine{Node: node, PID: pid, At: now, Text: line}
	if rest, ok := cutBrackets(line); ok && len(rest) > len(stampLayout)+7 {
		at, err := time.ParseInLocation(stampLayout, rest[:len(stampLayout)], time.Local)
		tail := rest[len(stampLayout):]
		if err == nil && strings.HasPrefix(tail, " [") && tail[5] == ']' {
			l.At, l.Level, l.Text = at, cluster.Level(tail[2:5]), strings.TrimPrefix(tail[6:], " ")
		}
	}
	l.Topic = topicOf(l)
	return l
}

// cutBrackets takes "[pid] " off the front.
func cutBrackets(line string) (string, bool) {
	if !strings.HasPrefix(line, "[") {
		return "", false
	}
	_, rest, ok := strings.Cut(line, "] ")
	return rest, ok
}

// clean takes control characters out of what comes from outside.
func clean(s string) string {
	if len(s) > maxText {
		s = s[:maxText] + "…"
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
}

// wording maps how servers from 2.8 to 2.15 put things to what they are about.
// The first that is contained in the text counts.
var wording = []struct {
	text  string
	topic cluster.Topic
}{
	{"Server is ready", cluster.TopicReady},
	{"Error trying to connect to route", cluster.TopicRouteRefused},
	{"Duplicate Route", cluster.TopicExpected},
	{"Detected duplicate remote route", cluster.TopicExpected},
	{`dedicated route for account "$SYS"`, cluster.TopicExpected},
	{"Route pool size reached", cluster.TopicExpected},
	{"Route connection created", cluster.TopicRouteUp},
	{"Router connection closed", cluster.TopicRouteDown},
	{"Client connection created", cluster.TopicClientUp},
	{"Client connection closed", cluster.TopicClientDown},
	{"Failed to reload server configuration", cluster.TopicReloadFailed},
	{"Stream create failed", cluster.TopicStoreFailed},
	{"Trapped \"", cluster.TopicSignal},
	{"Entering lame duck mode", cluster.TopicLameDuck},
	{"Closing existing clients", cluster.TopicLameDuck},
	{"Initiating Shutdown", cluster.TopicShutdown},
	{"Server Exiting", cluster.TopicShutdown},
}

func topicOf(l cluster.LogLine) cluster.Topic {
	switch {
	case l.Level == cluster.LevelFatal:
		return cluster.TopicFatal
	case l.Level == cluster.LevelOther && (strings.HasPrefix(l.Text, "panic: ") || strings.HasPrefix(l.Text, "fatal error: ")):
		return cluster.TopicPanic
	case l.Level == cluster.LevelOther:
		return ""
	}
	for _, w := range wording {
		if strings.Contains(l.Text, w.text) {
			return w.topic
		}
	}
	return ""
}
