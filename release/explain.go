package release

import (
	"fmt"
	"regexp"
	"strings"
)

// complaint recognises one kind of failure in what the go command printed. The
// expression's first group, where it has one, is the detail worth showing.
type complaint struct {
	in   *regexp.Regexp
	kind error
	hint string
}

// complaints are looked for in this order: the surer a sign is, the earlier.
// Texts are those of cmd/go 1.21 to 1.26 and of net, net/http and crypto/tls.
// A function, so that a program that starts well compiles no expressions.
func complaints() []complaint {
	return []complaint{
		{
			regexp.MustCompile(`(?:SECURITY ERROR|checksum mismatch)`), ErrChecksum,
			"somebody on the way changed the source; try another network, or " + giveFile,
		},
		{
			regexp.MustCompile(`(requires go >= \S+ \(running go [^)]*\))`), ErrOldToolchain, installGo,
		},
		{
			regexp.MustCompile(`(download go\S+ for \S+: toolchain not available|invalid go version '[^']*'|module requires Go \S+)`), ErrOldToolchain, installGo,
		},
		{
			regexp.MustCompile(`(module lookup disabled by GOPROXY=off)`), ErrNetwork,
			"unset GOPROXY, or " + giveFile,
		},
		{
			regexp.MustCompile(`unknown revision|\b404 Not Found|/@v/\S+: no such file or directory`), ErrUnknownVersion,
			"look the version up at https://github.com/nats-io/nats-server/releases",
		},
		{
			// The proxy's own words stand on the next line.
			regexp.MustCompile(`(\b[45]\d\d [A-Z][A-Za-z ]+(?:\n\s*server response:[^\n]*)?)`), ErrNetwork,
			"look whether there is such a version, and what go env GOPROXY says; or " + giveFile,
		},
		{
			regexp.MustCompile(`(dial [^\n]*|lookup [^\n]*|connection re[^\n]*|[^\n:]*timeout[^\n]*|x509: [^\n]*|tls: [^\n]*|unexpected EOF|no route to host|network is unreachable|exec: "git"[^\n]*)`), ErrNetwork,
			"look at the network and at go env GOPROXY, or " + giveFile,
		},
		{
			regexp.MustCompile(`((?:\S+: )?no space left on device)`), ErrBuild,
			"free some space there, or set GOCACHE, GOTMPDIR or XDG_CACHE_HOME to a directory on another disk",
		},
	}
}

// explain turns the lines of a failed go command into one line and its kind.
func explain(said []string, err error) error {
	text := strings.Join(said, "\n")
	for _, c := range complaints() {
		m := c.in.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		reason := c.kind.Error()
		if len(m) > 1 {
			reason += ": " + strings.Join(strings.Fields(m[1]), " ")
		}
		hint := c.hint
		if _, needs, ok := strings.Cut(reason, "requires go >= "); ok {
			needs, _, _ = strings.Cut(needs, " ")
			hint = fmt.Sprintf("install Go %s or newer, or %s", needs, giveFile)
		}
		return &Error{Reason: clip(reason), Hint: hint, Err: c.kind}
	}
	reason := "go install: " + err.Error()
	if last := lastLines(said, 3); last != "" {
		reason = fmt.Sprintf("%v: %s", ErrBuild, last)
	}
	return &Error{Reason: clip(reason), Hint: giveFile, Err: ErrBuild}
}

// lastLines joins the last lines that say something.
func lastLines(lines []string, n int) string {
	var kept []string
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "# ") {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept[max(0, len(kept)-n):], "; ")
}

// clip keeps a reason to one readable line, without control characters.
func clip(s string) string {
	const limit = 240
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit]) + "…"
	}
	return s
}
