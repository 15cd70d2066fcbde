// Package parity compares the configuration files of the servers of one cluster
// before one of them joins: what has to be the same on all of them, so that a client
// is the same client wherever it comes to, and what must not be. It knows which
// settings these are and says what is different, never a password. What servers were
// told on their command line, it does not see.
package parity

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nats-io/nats-server/v2/conf"
)

// File is the configuration file of one server.
type File struct {
	Name    string // what to call it
	Problem string // why it cannot be compared, or not all of it
	Unread  bool   // because it is no configuration

	// Unknown are fields that a server does not know, each with its line; and By is
	// the version of that server. Who has one at hand can ask it.
	Unknown []string
	By      string

	settings map[string]string // by path, as words that may be shown
	secrets  map[string]string // what is compared, and not shown
	held     map[string]string // what the files of certificates hold, by the setting's path
	broken   bool
}

// included finds the word include where a configuration may have it.
var included = regexp.MustCompile(`(?i)(?:^|[\s{;,])include\s+['"./\w]`)

// Parse reads a configuration that is at hand as a text. A text that includes other
// files is not compared: nobody knows where they are.
func Parse(name, text string) File {
	if included.MatchString(text) {
		return File{Name: name, Problem: "it includes other files, which are not at hand", broken: true}
	}
	return read(name, func() (map[string]any, error) { return conf.Parse(text) })
}

// Read reads a configuration file, and those that it includes, and the certificates
// that are trusted. Variables that it takes from the environment are those of this
// program.
func Read(file string) File {
	f := read(file, func() (map[string]any, error) { return conf.ParseFile(file) })
	f.trust(filepath.Dir(file))
	return f
}

func read(name string, parse func() (map[string]any, error)) File {
	m, err := parse()
	if err != nil {
		return File{Name: name, Problem: "it cannot be read: " + secretless(err), broken: true, Unread: true}
	}
	f := File{Name: name, settings: map[string]string{}, secrets: map[string]string{}, held: map[string]string{}}
	f.take(m)
	return f
}

// secretless is a parser's complaint without the words it quotes, which may be
// secrets; a sign is none. The reason is quoted as a whole, too, and is kept.
func secretless(err error) string {
	s := err.Error()
	if m := reasoned.FindStringSubmatch(s); m != nil {
		s = m[1] + m[2]
	}
	s = quoted.ReplaceAllStringFunc(s, func(q string) string {
		if utf8.RuneCountInString(q) == 3 {
			return q
		}
		return "…"
	})
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return '·'
		}
		return r
	}, s)
}

var (
	reasoned = regexp.MustCompile(`(?s)^(Parse error on line \d+: )'(.*)'$`)
	quoted   = regexp.MustCompile(`(?s)'[^']*'|"[^"]*"`)
)

// Severity says how bad a difference is.
type Severity string

// A clash has clients refused, lets them do what they must not, or keeps the server
// from joining. Doubtful is what may be meant, or cannot be told from the files.
const (
	Clash    Severity = "clash"
	Doubtful Severity = "doubtful"
)

// Finding is a difference that should not be, or a sameness that should not.
type Finding struct {
	Severity Severity `json:"severity"`
	Path     string   `json:"path"`   // of the setting: "user audit"
	Values   []string `json:"values"` // one for each file, in their order
	Files    []string `json:"files"`
	Why      string   `json:"why,omitempty"` // what comes of it
	Source   string   `json:"source"`
}

// String is the finding in one line: "user audit: A: in account APP; C: missing".
func (f Finding) String() string {
	var out []string
	for i, v := range f.Values {
		if v != "" {
			out = append(out, f.Files[i]+": "+v)
		}
	}
	return f.Path + ": " + strings.Join(out, "; ")
}

// missing is the value of a setting that a file does not have.
const missing = "missing"

// Compare finds what is different in these files and must not be, and the other way
// round; the worst first, then by path. Files that cannot be compared are a finding,
// too.
func Compare(files ...File) []Finding {
	var out []Finding
	var good []File
	for i, f := range files {
		if f.Problem != "" {
			values := make([]string, len(files))
			values[i] = "not compared, because " + f.Problem
			out = append(out, finding(files, Finding{Severity: Doubtful, Path: "the file", Values: values, Source: sourceConf}))
		}
		for _, field := range f.Unknown {
			values := make([]string, len(files))
			values[i] = field
			out = append(out, finding(files, Finding{
				Severity: Doubtful, Path: "a field that nats-server " + f.By + " does not know", Values: values,
				Why: "a server that does not know a field does not start; nats-server -t asks the one that is to read the file", Source: sourceConf,
			}))
		}
		if !f.broken {
			good = append(good, f)
		}
	}
	good = byContent(good)
	paths := map[string]bool{}
	for _, f := range good {
		for p := range f.settings {
			paths[p] = true
		}
	}
	for p := range paths {
		if r, ok := ruleFor(p); ok {
			if f, found := r.judge(p, good); found {
				out = append(out, finding(good, f))
			}
		}
	}
	slices.SortFunc(out, func(a, b Finding) int {
		if a.Severity != b.Severity {
			return strings.Compare(string(a.Severity), string(b.Severity))
		}
		return strings.Compare(a.String(), b.String())
	})
	return out
}

func finding(files []File, f Finding) Finding {
	for _, file := range files {
		f.Files = append(f.Files, file.Name)
	}
	return f
}

// judge compares one setting.
func (r rule) judge(path string, files []File) (Finding, bool) {
	values := make([]string, len(files))
	same, equal := true, false
	for i, f := range files {
		v, ok := f.settings[path]
		values[i] = v
		if !ok {
			values[i] = missing
		}
		for _, other := range files[:i] {
			if other.settings[path] != v || other.secrets[path] != f.secrets[path] {
				same = false
			} else if ok {
				equal = true
			}
		}
	}
	if r.whole && slices.Contains(values, missing) && r.partOf(path, files) {
		return Finding{}, false // that the user is missing says enough
	}
	f := Finding{Severity: r.severity, Path: path, Values: values, Why: r.why, Source: r.source}
	switch {
	case r.differs && equal, !r.differs && !same:
	default:
		return Finding{}, false
	}
	if r.secret && !slices.Contains(values, missing) {
		for i := range f.Values {
			f.Values[i] += ", not the same"
		}
		if slices.ContainsFunc(values, func(v string) bool { return strings.HasPrefix(v, hashed) }) {
			f.Severity = Doubtful
		}
	}
	return f, true
}

// partOf says that the setting is one of a user whom some file does not have.
func (r rule) partOf(path string, files []File) bool {
	user, _, _ := strings.Cut(path, ", ")
	return slices.ContainsFunc(files, func(f File) bool { _, ok := f.settings[user]; return !ok })
}

// rule says of a kind of setting whether it has to be the same everywhere.
type rule struct {
	begins   string // the path, or how it begins
	differs  bool   // it must not be the same
	secret   bool   // its value is not shown
	whole    bool   // it is part of a user
	severity Severity
	why      string
	source   string
}

// The sources.
const (
	sourceText    = "docs.nats.io, Upgrading a Cluster: “new servers added to a cluster should provide the same users and authorization”"
	sourceConf    = "docs.nats.io/running-a-nats-service/configuration"
	sourceAuth    = "docs.nats.io/running-a-nats-service/configuration/securing_nats/authorization"
	sourceCluster = "docs.nats.io/running-a-nats-service/configuration/clustering/cluster_config"
	sourceDomain  = "docs.nats.io/running-a-nats-service/configuration/leafnodes/jetstream_leafnodes"
	sourceTLS     = "docs.nats.io/running-a-nats-service/configuration/securing_nats/tls"
)

// rules: the first whose beginning fits decides. What none fits is not compared.
var rules = []rule{
	{begins: "user *, password", whole: true, secret: true, severity: Clash, why: "clients of this user are refused where the password is another", source: sourceText},
	{begins: "user *, account", whole: true, severity: Clash, why: "clients of this user come into another account there, and hear nothing of the first", source: sourceText},
	{begins: "user *, may publish", whole: true, severity: Clash, why: "what a client may send depends on the server that it happens to be on", source: sourceAuth},
	{begins: "user *, may subscribe", whole: true, severity: Clash, why: "what a client may hear depends on the server that it happens to be on", source: sourceAuth},
	{begins: "user *, ", whole: true, severity: Doubtful, why: "what a client may do depends on the server that it happens to be on", source: sourceAuth},
	{begins: "user ", severity: Clash, why: "clients of this user are refused where it is missing, and closed for good when the same server has refused them twice", source: sourceText},
	{begins: "token", secret: true, severity: Clash, why: "clients with the other token are refused", source: sourceAuth},
	{begins: "no_auth_user", severity: Clash, why: "a client that does not say who it is is somebody else there, or refused", source: sourceAuth},
	{begins: "default permissions", severity: Clash, why: "what a client may do depends on the server that it happens to be on", source: sourceAuth},
	{begins: "account ", severity: Clash, why: "messages between accounts depend on the server that a client happens to be on", source: sourceText},
	{begins: "system_account", severity: Clash, why: "the servers do not hear each other in the system account", source: sourceConf},
	{begins: "cluster.name", severity: Clash, why: "servers with different cluster names do not join", source: sourceCluster},
	{begins: "cluster.authorization", secret: true, severity: Clash, why: "a server whose routes are refused does not join", source: sourceCluster},
	{begins: "JetStream", severity: Doubtful, why: "a server without JetStream keeps no copies of streams, and its vote is missing; -js on its command line is not seen here", source: sourceConf},
	{begins: "jetstream.domain", severity: Clash, why: "streams of another domain are not found", source: sourceDomain},
	{begins: certificatesIn + "tls.", severity: Clash, why: "a client's certificate is trusted on some servers, and refused on others", source: sourceTLS},
	{begins: certificatesIn + "cluster.", severity: Clash, why: "servers that do not trust each other's certificates do not join", source: sourceTLS},
	{begins: "tls.ca_file", severity: Doubtful, why: "a client's certificate may be trusted here and not there; the files' contents were not compared", source: sourceTLS},
	{begins: "tls.verify", severity: Clash, why: "clients without a certificate are refused on some servers", source: sourceTLS},
	{begins: "cluster.tls.ca_file", severity: Doubtful, why: "servers may not trust each other; the files' contents were not compared", source: sourceTLS},
	{begins: "cluster.tls", severity: Clash, why: "a server whose routes have TLS and one whose routes have none never meet", source: sourceTLS},
	{begins: "tls", severity: Clash, why: "clients that ask for TLS are not served where there is none, and others may be refused where there is", source: sourceTLS},
	{begins: "server_name", differs: true, severity: Clash, why: "a server with the name of another is not let in", source: sourceConf},
	{begins: "listen", differs: true, severity: Doubtful, why: "on one machine, only one of them can have the port", source: sourceConf},
	{begins: "cluster.listen", differs: true, severity: Doubtful, why: "on one machine, only one of them can have the port", source: sourceCluster},
	{begins: "monitoring port", differs: true, severity: Doubtful, why: "on one machine, only one of them can have the port", source: sourceConf},
	{begins: "jetstream.store_dir", differs: true, severity: Doubtful, why: "on one machine, two servers in one folder destroy each other's streams", source: sourceConf},
}

func ruleFor(path string) (rule, bool) {
	for _, r := range rules {
		begin, rest, star := strings.Cut(r.begins, "*")
		if strings.HasPrefix(path, begin) && (!star || strings.Contains(path, rest)) {
			return r, true
		}
	}
	return rule{}, false
}

// Words are findings as lines for a person.
func Words(found []Finding) string {
	if len(found) == 0 {
		return "nothing differs that must not"
	}
	var out []string
	for _, f := range found {
		out = append(out, fmt.Sprintf("%s: %s", f.Severity, f))
	}
	return strings.Join(out, "\n")
}
