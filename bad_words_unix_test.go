//go:build unix

package main

import (
	"regexp"
	"runtime"
	"strings"
)

// atOnceWords is when what is found at once is found.
const atOnceWords = "before anything is started"

var (
	title    = regexp.MustCompile(`^\[ ?\d+/\d+\] (.+)$`)
	steps    = regexp.MustCompile(`^ +\$ `)
	variable = strings.NewReplacer(runtime.GOOS+"/"+runtime.GOARCH, "linux/amd64", runtime.GOOS+"-"+runtime.GOARCH, "linux-amd64")
	numbers  = []struct {
		in   *regexp.Regexp
		word string
	}{
		{regexp.MustCompile(`\d{8}-\d{6}-\d+`), "…"},
		{regexp.MustCompile(`sha256 is [0-9a-f]{12}`), "sha256 is 0123456789ab"},
		{regexp.MustCompile(`(not|was) [0-9a-f]{12}`), "$1 cdef01234567"},
		{regexp.MustCompile(`\bpid \d+`), "pid N"},
		{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:N"},
		{regexp.MustCompile(`[\d.]+ MB are free`), "N MB are free"}, // the recording is on the same disk
		{regexp.MustCompile(`/(varz|routez|connz|healthz): dial`), "/varz: dial"},
		{regexp.MustCompile(`^VERIFIED in .+`), "VERIFIED"},
	}
)

// readable puts one word for what is another at each run.
func (a attempt) readable(s string) string {
	for _, at := range [][2]string{{"/state", "~/.local/state"}, {"/cache", "~/.cache"}, {"", "."}} {
		s = strings.ReplaceAll(s, a.Dir+at[0], at[1])
	}
	for _, n := range numbers {
		s = n.in.ReplaceAllString(s, n.word)
	}
	return variable.Replace(s)
}

// read finds out when what was wrong was found, and what was said of it.
func (o *outcome) read(quoted string, a attempt) {
	o.tried = true
	var told []string
	for l := range strings.Lines(o.Err) {
		if strings.HasPrefix(l, "nats-roll: error: ") || strings.HasPrefix(l, "nats-roll: hint: ") {
			told = append(told, "`"+a.readable(strings.TrimSpace(l))+"`")
		}
	}
	step, begun := "", false
	for l := range strings.SplitSeq(o.Out, "\n") {
		if m := title.FindStringSubmatch(l); m != nil {
			step, begun = m[1], false
		}
		begun = begun || steps.MatchString(l)
		if strings.Contains(l, "rolling back") {
			break
		}
		if quoted != "" && regexp.MustCompile(quoted).MatchString(l) {
			told = []string{"`" + a.readable(strings.TrimSpace(l)) + "`"}
			break
		}
	}
	o.said = strings.Join(told, "<br>")
	switch {
	case step == "":
		o.found = atOnceWords
	case o.Code == 0 && strings.Contains(o.said, "VERIFIED"):
		o.found = "–"
	case begun:
		o.found = "at “" + step + "”"
	default:
		o.found = "before “" + step + "”"
	}
}

// failing is what is said when the way back failed.
func (o outcome) failing() string {
	if _, why, ok := strings.Cut(o.said, "; and the way back failed: "); ok {
		return ": `" + strings.TrimSuffix(why, "`") + "`"
	}
	return ""
}
