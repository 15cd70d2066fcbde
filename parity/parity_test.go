package parity

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const full = `
server_name: A
listen: "127.0.0.1:4222"
http: 8222
cluster { name: east, listen: "127.0.0.1:6222", authorization { user: route, password: r0ute } }
jetstream { domain: hub, store_dir: "/data/a" }
tls { ca_file: "ca.pem" }
no_auth_user: guest
accounts {
  APP {
    users: [
      { user: guest, password: gu3st }
      { user: orders, password: "s3cret", permissions: { publish: "orders.>", subscribe: ["orders.>", "_INBOX.>"] } }
      { user: audit, password: hush, permissions: { publish: { deny: ">" }, subscribe: { allow: ["audit.>"] } } }
    ]
    exports: [ { stream: "orders.>" } ]
  }
}
`

// other is full as another server has it, with a change.
func other(old, now string) string {
	s := full
	for _, r := range [][2]string{{"server_name: A", "server_name: C"}, {"4222", "4444"}, {"6222", "6444"}, {"8222", "8444"}, {"/data/a", "/data/c"}} {
		s = strings.ReplaceAll(s, r[0], r[1])
	}
	if old != "" && !strings.Contains(s, old) {
		panic("nothing to change: " + old)
	}
	return strings.ReplaceAll(s, old, now)
}

func TestCompare(t *testing.T) {
	if got := Compare(Parse("A", full), Parse("C", other("", ""))); len(got) != 0 {
		t.Fatalf("two that fit: %s", Words(got))
	}
	for _, c := range []struct {
		name, a, c string
		want       []string
	}{
		{
			"a user is missing", full, other(`{ user: audit, password: hush, permissions: { publish: { deny: ">" }, subscribe: { allow: ["audit.>"] } } }`, ""),
			[]string{"clash: user audit: A: there; C: missing"},
		},
		{
			"a password is another", full, other("s3cret", "other"),
			[]string{"clash: user orders, password: A: set, not the same; C: set, not the same"},
		},
		{
			"a user without a password", full, other(`password: "s3cret", `, ""),
			[]string{"clash: user orders, password: A: set; C: missing"},
		},
		{
			"wider permissions", full, other(`subscribe: ["orders.>", "_INBOX.>"]`, `subscribe: ">"`),
			[]string{"clash: user orders, may subscribe: A: _INBOX.>, orders.>; C: >"},
		},
		{"the order of subjects is no difference", full, other(`["orders.>", "_INBOX.>"]`, `["_INBOX.>", "orders.>"]`), nil},
		{"a single subject is a list of one", full, other(`subscribe: { allow: ["audit.>"] }`, `subscribe: "audit.>"`), nil},
		{
			"what is denied", full, other(`publish: { deny: ">" }`, `publish: { allow: "x", deny: ">" }`),
			[]string{"clash: user audit, may publish: A: everything but >; C: x but >"},
		},
		{
			"another account", full, other("  APP {", "  SHOP {"),
			[]string{
				"clash: account APP, exports: A: {stream: orders.>}; C: missing", "clash: account APP: A: there; C: missing",
				"clash: account SHOP, exports: A: missing; C: {stream: orders.>}", "clash: account SHOP: A: missing; C: there",
				"clash: user audit, account: A: APP; C: SHOP", "clash: user guest, account: A: APP; C: SHOP", "clash: user orders, account: A: APP; C: SHOP",
			},
		},
		{"the cluster's name", full, other("name: east", "name: west"), []string{"clash: cluster.name: A: east; C: west"}},
		{"keys have any case", full, other("cluster {", "Cluster {"), nil},
		{"the routes' password", full, other("r0ute", "x"), []string{"clash: cluster.authorization, password: A: set, not the same; C: set, not the same"}},
		{"the domain", full, other("domain: hub", "domain: leaf"), []string{"clash: jetstream.domain: A: hub; C: leaf"}},
		{"no domain", full, other("domain: hub, ", ""), []string{"clash: jetstream.domain: A: hub; C: missing"}},
		{"the CA", full, other("ca.pem", "new.pem"), []string{"doubtful: tls.ca_file: A: ca.pem; C: new.pem"}},
		{"nobody in particular", full, other("no_auth_user: guest", ""), []string{"clash: no_auth_user: A: guest; C: missing"}},
		{"the same name", full, other("server_name: C", "server_name: A"), []string{"clash: server_name: A: A; C: A"}},
		{"the same folder", full, other("/data/c", "/data/a"), []string{"doubtful: jetstream.store_dir: A: /data/a; C: /data/a"}},
		{"the same port, said otherwise", full, other(`listen: "127.0.0.1:4444"`, `host: "127.0.0.1", port: 4222`), []string{"doubtful: listen: A: 127.0.0.1:4222; C: 127.0.0.1:4222"}},
		{"the same, by a variable", full, "SECRET: s3cret\n" + other(`password: "s3cret"`, "password: $SECRET"), nil},
		{
			"another, by a variable", full, "SECRET: nothing_else\n" + other(`password: "s3cret"`, "password: $SECRET"),
			[]string{"clash: user orders, password: A: set, not the same; C: set, not the same"},
		},
		{
			"hashes of what may be one password", other(`"s3cret"`, `"$2a$11$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"`),
			strings.Replace(other(`"s3cret"`, `"$2a$11$bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"`), "server_name: C", "server_name: D", 1),
			[]string{
				"doubtful: jetstream.store_dir: A: /data/c; C: /data/c", "doubtful: listen: A: 127.0.0.1:4444; C: 127.0.0.1:4444",
				"doubtful: cluster.listen: A: 127.0.0.1:6444; C: 127.0.0.1:6444", "doubtful: monitoring port: A: 8444; C: 8444",
				"doubtful: user orders, password: A: a bcrypt hash, not the same; C: a bcrypt hash, not the same",
			},
		},
		{
			"keys instead of passwords", "accounts { A { users: [ { nkey: UAAA } ] } }", "accounts { A { users: [ { nkey: UBBB } ] } }",
			[]string{"clash: user UAAA: A: there; C: missing", "clash: user UBBB: A: missing; C: there"},
		},
		{
			"one user for all", "authorization { user: me, password: a }", "authorization { user: me, password: b, timeout: 2 }",
			[]string{"clash: user me, password: A: set, not the same; C: set, not the same"},
		},
		{"a token", "authorization { token: a }", "authorization { token: b }", []string{"clash: token: A: set, not the same; C: set, not the same"}},
		{
			"no users at all", "authorization { users: [ {user: a, password: b} ] }", "",
			[]string{"clash: user a: A: there; C: missing"},
		},
		{"operator mode", "operator: eyJx", "operator: eyJx", []string{
			"doubtful: the file: A: not compared, because it is in operator mode: users and accounts are in signed tokens (JWT) and not in the file",
			"doubtful: the file: C: not compared, because it is in operator mode: users and accounts are in signed tokens (JWT) and not in the file",
		}},
		{
			"other files", full, "server_name: C\naccounts { include \"/etc/passwd\" }",
			[]string{"doubtful: the file: C: not compared, because it includes other files, which are not at hand"},
		},
		{"nonsense", full, "accounts { APP: ", []string{"doubtful: the file: C: not compared, because it cannot be read: "}},
		{
			"a variable that nobody knows", full, "authorization { user: a, password: $NO_SUCH_VARIABLE_HERE }",
			[]string{"doubtful: the file: C: not compared, because it cannot be read: "},
		},
		{"users that are none", "authorization { users: [ 1, {password: x} ] }", "authorization { users: 3 }", nil},
		{"sections that are none", "accounts: 1\ncluster: x\njetstream: true\ntls: []\n", "authorization: yes", []string{"doubtful: JetStream: A: on; C: missing"}},
		{"JetStream in all its words", "jetstream: enabled", "jetstream { max_mem: 1G }", nil},
		{"JetStream turned off", "jetstream {}", "jetstream { enabled: false }", []string{"doubtful: JetStream: A: on; C: missing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := Compare(Parse("A", c.a), Parse("C", c.c))
			var got []string
			for _, l := range strings.Split(Words(found), "\n") {
				if len(found) > 0 {
					got = append(got, l)
				}
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.EqualFunc(got, c.want, func(g, w string) bool { return g == w || strings.HasSuffix(w, "read: ") && strings.HasPrefix(g, w) }) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			for _, f := range found {
				if f.Source == "" || f.Severity == Clash && f.Why == "" {
					t.Errorf("%+v", f)
				}
				for _, secret := range []string{"s3cret", "hush", "gu3st", "r0ute", "nothing_else", "aaaaaa", "bbbbbb", "eyJ"} {
					if strings.Contains(f.String()+f.Why, secret) {
						t.Errorf("%s tells %q", f, secret)
					}
				}
			}
		})
	}
}

// What the parser says is passed on, with the signs that it quotes, and without words.
func TestWhatAParserSaysIsNoSecret(t *testing.T) {
	for text, want := range map[string]string{
		"authorization { user: a, password: \"s3cret\"\n": "it cannot be read: Parse error on line 2: Unexpected EOF processing map.",
		"port: ]":           "it cannot be read: Parse error on line 1: Expected a top-level value to end with a new line, comment or EOF, but got ']' instead.",
		"password: $s3cret": "it cannot be read: variable reference for … on line 1 can not be found",
	} {
		if f := Parse("A", text); f.Problem != want {
			t.Errorf("%s: %q, want %q", text, f.Problem, want)
		}
	}
}

// A field that the server does not know is told, for the file that has it.
func TestUnknownFields(t *testing.T) {
	a, c := Parse("A", "port: 4222"), Parse("C", "port: 4223\nmax_conections: 5")
	c.Unknown, c.By = []string{"max_conections, line 2"}, "2.15.2"
	if got, want := Words(Compare(a, c)), "doubtful: a field that nats-server 2.15.2 does not know: C: max_conections, line 2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A file may include others beside it.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.conf": full, "c.conf": "include \"rest.conf\"\n", "rest.conf": other("", ""), "d.conf": "include \"gone.conf\"",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, c, d := Read(filepath.Join(dir, "a.conf")), Read(filepath.Join(dir, "c.conf")), Read(filepath.Join(dir, "d.conf"))
	if got := Compare(a, c); len(got) != 0 {
		t.Error(Words(got))
	}
	if got := Compare(a, c, d); len(got) != 1 || !strings.Contains(got[0].String(), "cannot be read") {
		t.Error(Words(got))
	}
}

// TLS on one side only, as nats-server 2.15.1 has it: the first record does not look
// like a TLS handshake, and there is never a route.
func TestTLSOnOneSide(t *testing.T) {
	with := Parse("A", "tls { cert_file: a.pem }\ncluster { name: east, tls { cert_file: a.pem } }")
	without := Parse("C", "cluster { name: east }")
	var got []string
	for _, f := range Compare(with, without) {
		got = append(got, fmt.Sprintf("%s: %s", f.Severity, f))
	}
	if want := []string{"clash: cluster.tls: A: there; C: missing", "clash: tls: A: there; C: missing"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := Compare(with, Parse("C", "tls { cert_file: c.pem }\ncluster { name: east, tls { cert_file: c.pem } }")); len(got) > 0 {
		t.Error(Words(got))
	}
}

// What the servers trust is in the files, whatever they are called.
func TestCertificatesAreComparedByContent(t *testing.T) {
	dir := t.TempDir()
	one := "a comment\n-----BEGIN CERTIFICATE-----\nb25l\n-----END CERTIFICATE-----\n"
	two := "-----BEGIN CERTIFICATE-----\ndHdv\n-----END CERTIFICATE-----\n"
	node := func(name, server, client, routes string) File {
		t.Helper()
		d := filepath.Join(dir, name)
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("server_name: %s\ntls { ca_file: \"%s.pem\" }\ncluster { name: east, tls { ca_file: %q } }\n", name, server, filepath.Join(d, "routes.pem"))
		for file, content := range map[string]string{"nats.conf": text, server + ".pem": client, "routes.pem": routes} {
			if err := os.WriteFile(filepath.Join(d, file), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return Read(filepath.Join(d, "nats.conf"))
	}
	a := node("A", "ca", one+two, two)
	for _, tc := range []struct {
		name string
		file File
		want []string
	}{
		{"another name and order", node("C", "other", two+one+two, two), nil},
		{"another certificate under the same name", node("C", "ca", one+two, one), []string{
			"clash: certificates in cluster.tls.ca_file: A: 1 certificate, sha256 3fc4ccfe7458…; C: 1 certificate, sha256 7692c3ad3540…",
		}},
		{"one less", node("C", "ca", one, two), []string{
			"clash: certificates in tls.ca_file: A: 2 certificates, sha256 7285db8f3810…; C: 1 certificate, sha256 7692c3ad3540…",
		}},
		{"no certificate in it", node("C", "new", "nothing", two), []string{"doubtful: tls.ca_file: A: ca.pem; C: new.pem"}},
	} {
		a.Name, tc.file.Name = "A", "C"
		var got []string
		for _, f := range Compare(a, tc.file) {
			got = append(got, fmt.Sprintf("%s: %s", f.Severity, f))
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
