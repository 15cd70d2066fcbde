package release

import (
	"fmt"
	"strings"
	"time"
)

// follow tells the progress of an install from what the go command prints, and
// returns the lines that are not progress. A long link prints nothing, so the
// time is told each second.
func follow(lines <-chan string, p Progress) (rest []string) {
	const keep = 200 // lines; a compiler error is at the end
	began := time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var downloads, packages int
	tell := func() {
		took := time.Since(began).Truncate(time.Second) / time.Second
		switch {
		case packages > 0:
			p.say("compiling: %s, %d s", count(packages, "package"), took)
		case downloads > 0:
			p.say("downloading %s, %d s", count(downloads, "module"), took)
		}
	}
	for {
		select {
		case line, ok := <-lines:
			switch {
			case !ok:
				return rest
			case strings.HasPrefix(line, "go: downloading "):
				downloads++
			case isPackage(line):
				packages++
			default:
				if rest = append(rest, line); len(rest) > keep {
					rest = rest[1:]
				}
				continue
			}
			tell()
		case <-tick.C:
			tell()
		}
	}
}

func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// isPackage recognises an import path, which is all that -v prints on a line.
func isPackage(line string) bool {
	return line != "" && !strings.ContainsAny(line, " \t:#")
}

// lineWriter hands on what is written to it line by line.
type lineWriter struct {
	out  chan<- string
	part strings.Builder
}

func (w *lineWriter) Write(p []byte) (int, error) {
	for s := range strings.Lines(string(p)) {
		w.part.WriteString(s)
		if strings.HasSuffix(s, "\n") {
			w.out <- strings.TrimRight(w.part.String(), "\r\n")
			w.part.Reset()
		}
	}
	return len(p), nil
}
