// Package redact takes secrets out of what is written for others: passwords,
// tokens, keys, and the credentials in addresses. It knows them by how they look
// and by the words before them, so it takes out too much rather than too little,
// and cannot know a secret that looks like any other word. It does no I/O. What
// is run, and what a person sees on their own screen, is not its concern.
//
// Everything here is idempotent: what was read from a redacted event log and is
// written again stays as it is.
package redact

import (
	"regexp"
	"slices"
)

// Mark stands where a secret was.
const Mark = "***"

const (
	// names name a secret. Long ones do so at the end of any word (dbPassword);
	// short ones must be a word of their own (db_pass), for a bypass is no secret.
	names = `(?:[\w.-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|signature|authorization)` +
		`|(?:[\w.-]*[_.-])?(?:pass|pwd|auth|jwt|nkey|creds))`
	// value is one word or what stands in quotes, after the scheme that it may
	// have; or what was put there before.
	value = `(?:(?:bearer|basic|token)\s+)?(?:\*\*\*|"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s{[]\S*)`
	// word is what an address is made of.
	word = "[^\\s\"'<>`/@]"
)

// rules are applied one after the other.
var rules = []struct {
	find *regexp.Regexp
	put  string
}{
	// nats://token@host, https://user:password@host; a password may have a slash.
	{regexp.MustCompile(`(?i)(\b[a-z][a-z0-9+.-]*://)(?:` + word + `|@)*@`), "${1}" + Mark + "@"},
	{regexp.MustCompile("(?i)(\\b[a-z][a-z0-9+.-]*://)[^\\s\"'<>`/@:[,]*:[^\\s\"'<>`/@,]*[^\\s\"'<>`/@,\\d]" + word + "*/[^\\s\"'<>`@]*@"), "${1}" + Mark + "@"},
	{regexp.MustCompile("(^|[\\s\"'=,(])[^\\s\"'=,(:/@]+:[^\\s\"'/@]+@"), "${1}" + Mark + "@"},
	// Shapes that only secrets have: nkey seeds, JSON web tokens, bcrypt hashes, PEM.
	{regexp.MustCompile(`\bS[UAONCX][A-Z2-7]{56}\b`), Mark},
	{regexp.MustCompile(`\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]+)?`), Mark},
	{regexp.MustCompile(`\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}`), Mark},
	{regexp.MustCompile(`(?s)(-----BEGIN [A-Z ]+-----).*?(-----END|$)`), "${1}" + Mark + "${2}"},
	// ?sig=x, password=x, "token": "x", Authorization: Bearer x, Bearer x
	{regexp.MustCompile(`(?i)([?&](?:sig|key|code)=)[^\s&]+`), "${1}" + Mark},
	{regexp.MustCompile(`(?i)(\b(?:` + names + `\\?["']?\s*[:=]\s*)+)` + value), "${1}" + Mark},
	{regexp.MustCompile(`(?i)(\bbearer\s+)[\w.~+/-]{16,}=*`), "${1}" + Mark},
	// --password x; --user, which is a token where no password follows; -u name:password
	{regexp.MustCompile(`(?i)((?:^|\s)--?(?:` + names + `|user)(?:\s+|=))` + value), "${1}" + Mark},
	{regexp.MustCompile(`((?:^|\s)-u\s+)[^\s:]+:\S+`), "${1}" + Mark},
}

// flag is an argument whose value is the argument after it.
var flag = regexp.MustCompile(`(?i)^--?(?:` + names + `|user)$`)

// named is a key whose value is a secret.
var named = regexp.MustCompile(`(?i)^` + names + `$`)

// Text takes the secrets out of a text.
func Text(s string) string {
	if !suspicious(s) {
		return s
	}
	for _, r := range rules {
		s = r.find.ReplaceAllString(s, r.put)
	}
	return s
}

// Args takes the secrets out of a command line. A secret may be an argument of
// its own, after its flag.
func Args(args []string) []string {
	out := slices.Clone(args)
	for i, a := range args {
		if i > 0 && flag.MatchString(args[i-1]) {
			out[i] = Mark
		} else {
			out[i] = Text(a)
		}
	}
	return out
}

// hints begin whatever the rules find, in lower case; for the seeds see seed.
var hints = func() (byFirst [256][]string) {
	for _, h := range []string{
		"@", "pass", "pwd", "secret", "token", "api", "access", "private", "credential", "creds", "signature", "auth",
		"jwt", "nkey", "bearer", "eyj", "$2", "-----begin", "sig=", "key=", "code=", "-user", "-u ",
	} {
		byFirst[h[0]] = append(byFirst[h[0]], h)
	}
	return byFirst
}()

// suspicious says whether a rule may find anything. It is there for the event
// log, nearly all of which is text without secrets.
func suspicious[T string | []byte](s T) bool {
	for i := range len(s) {
		for _, h := range hints[lower(s[i])] {
			if begins(s[i:], h) {
				return true
			}
		}
		if s[i] == 'S' && seed(s[i:]) {
			return true
		}
	}
	return false
}

func begins[T string | []byte](s T, hint string) bool {
	if len(s) < len(hint) {
		return false
	}
	for i := range len(hint) {
		if lower(s[i]) != hint[i] {
			return false
		}
	}
	return true
}

// seed says that a text may begin with an nkey seed.
func seed[T string | []byte](s T) bool {
	if len(s) < 58 {
		return false
	}
	for i := range 58 {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}
