package parity

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What is read of a configuration. Keys have any case, and some have several names;
// these are the server's. (nats-server server/opts.go)

// hashed begins what is said of a password that the file has only a hash of: two
// hashes of one password are different.
const hashed = "a bcrypt hash"

// get is the value of a key by one of its names.
func get(m map[string]any, names ...string) (any, bool) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if slices.Contains(names, strings.ToLower(k)) {
			return m[k], true
		}
	}
	return nil, false
}

func section(m map[string]any, names ...string) map[string]any {
	v, _ := get(m, names...)
	s, _ := v.(map[string]any)
	return s
}

// set keeps a value under the path if there is one.
func (f *File) set(path string, m map[string]any, names ...string) {
	if v, ok := get(m, names...); ok {
		f.settings[path] = word(v)
	}
}

// hide keeps a secret.
func (f *File) hide(path string, m map[string]any, names ...string) {
	v, ok := get(m, names...)
	if !ok {
		return
	}
	s := word(v)
	f.secrets[path] = s
	f.settings[path] = "set"
	if strings.HasPrefix(s, "$2") {
		f.settings[path] = hashed
	}
}

func (f *File) take(m map[string]any) {
	for _, k := range []string{"operator", "operators", "roots", "root", "trusted", "trusted_keys", "resolver"} {
		if _, ok := get(m, k); ok {
			f.Problem = "it is in operator mode: users and accounts are in signed tokens (JWT) and not in the file"
		}
	}
	f.set("server_name", m, "server_name")
	f.set("system_account", m, "system_account", "system")
	f.set("no_auth_user", m, "no_auth_user")
	f.listen("listen", m)
	f.set("monitoring port", m, "http", "http_port", "monitor_port", "https", "https_port")

	c := section(m, "cluster")
	f.set("cluster.name", c, "name")
	f.listen("cluster.listen", c)
	if a := section(c, "authorization"); a != nil {
		f.set("cluster.authorization, user", a, "user", "username")
		f.hide("cluster.authorization, password", a, "pass", "password")
	}
	for path, in := range map[string]map[string]any{"cluster.tls": c, "tls": m} {
		if section(in, "tls") != nil {
			f.settings[path] = "there"
		}
	}
	f.set("cluster.tls.ca_file", section(c, "tls"), "ca_file")
	f.set("tls.ca_file", section(m, "tls"), "ca_file")
	f.set("tls.verify", section(m, "tls"), "verify", "verify_and_map", "verify_cert_and_check_known_urls")

	switch v, _ := get(m, "jetstream"); v := v.(type) { // an empty section turns it on, too (server/opts.go, parseJetStream)
	case bool:
		if v {
			f.settings["JetStream"] = "on"
		}
	case string:
		if slices.Contains([]string{"enabled", "enable"}, strings.ToLower(v)) {
			f.settings["JetStream"] = "on"
		}
	case map[string]any:
		on, ok := get(v, "enabled", "enable")
		if b, isBool := on.(bool); !ok || isBool && b {
			f.settings["JetStream"] = "on"
		}
	}
	js := section(m, "jetstream")
	f.set("jetstream.domain", js, "domain")
	f.set("jetstream.store_dir", js, "store_dir", "storedir")
	if _, ok := f.settings["jetstream.store_dir"]; !ok {
		f.set("jetstream.store_dir", m, "store_dir", "storedir")
	}

	auth := section(m, "authorization")
	if _, ok := get(auth, "auth_callout"); ok {
		f.Problem = "it asks a service who may connect (auth_callout), which may know more users than the file"
	}
	f.hide("token", auth, "token")
	if p := section(auth, "default_permissions"); p != nil {
		f.settings["default permissions"] = permitted(p, "publish") + "; " + permitted(p, "subscribe")
	}
	if _, ok := get(auth, "user", "username"); ok {
		f.user("", auth)
	}
	f.users("", auth)
	for name, v := range section(m, "accounts") {
		a, ok := v.(map[string]any)
		if !ok {
			continue // a public key
		}
		f.settings["account "+name] = "there"
		f.users(name, a)
		f.exchange("account "+name+", exports", a, "exports")
		f.exchange("account "+name+", imports", a, "imports")
		if p := section(a, "default_permissions"); p != nil {
			f.settings["default permissions of "+name] = permitted(p, "publish") + "; " + permitted(p, "subscribe")
		}
	}
}

// listen is where it listens, said in one of two ways.
func (f *File) listen(path string, m map[string]any) {
	if v, ok := get(m, "listen"); ok {
		f.settings[path] = word(v)
		return
	}
	port, ok := get(m, "port")
	if !ok {
		return
	}
	f.settings[path] = word(port)
	if host, ok := get(m, "host", "net"); ok {
		f.settings[path] = word(host) + ":" + word(port)
	}
}

// exchange is what an account exports or imports, in any order.
func (f *File) exchange(path string, a map[string]any, names ...string) {
	v, ok := get(a, names...)
	if !ok {
		return
	}
	list, _ := v.([]any)
	words := make([]string, 0, len(list))
	for _, x := range list {
		words = append(words, word(x))
	}
	slices.Sort(words)
	f.settings[path] = strings.Join(words, ", ")
}

func (f *File) users(account string, m map[string]any) {
	v, _ := get(m, "users")
	list, _ := v.([]any)
	for _, u := range list {
		if user, ok := u.(map[string]any); ok {
			f.user(account, user)
		}
	}
	v, _ = get(m, "nkeys")
	list, _ = v.([]any)
	for _, u := range list {
		if user, ok := u.(map[string]any); ok {
			f.user(account, user)
		}
	}
}

func (f *File) user(account string, u map[string]any) {
	name, ok := get(u, "user", "username", "nkey")
	if !ok {
		return
	}
	path := "user " + word(name)
	f.settings[path] = "there"
	f.hide(path+", password", u, "pass", "password")
	if account != "" {
		f.settings[path+", account"] = account
	}
	p := section(u, "permissions", "permission", "authorization")
	f.settings[path+", may publish"] = permitted(p, "publish", "pub", "import")
	f.settings[path+", may subscribe"] = permitted(p, "subscribe", "sub", "export")
	f.set(path+", allow_responses", p, "allow_responses", "publish_allow_responses")
	f.set(path+", allowed_connection_types", u, "allowed_connection_types", "connection_types", "clients")
}

// permitted is what a user may do, in words.
func permitted(p map[string]any, names ...string) string {
	v, ok := get(p, names...)
	if !ok {
		return "everything"
	}
	m, ok := v.(map[string]any)
	if !ok {
		return subjects(v)
	}
	out := "everything"
	if allow, ok := get(m, "allow"); ok {
		out = subjects(allow)
	}
	if deny, ok := get(m, "deny"); ok {
		out += " but " + subjects(deny)
	}
	return out
}

// subjects are one or several, in any order.
func subjects(v any) string {
	list, ok := v.([]any)
	if !ok {
		return word(v)
	}
	words := make([]string, 0, len(list))
	for _, s := range list {
		words = append(words, word(s))
	}
	slices.Sort(words)
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(slices.Compact(words), ", ")
}

// word is a value as a word, its keys in order.
func word(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var out []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = append(out, strings.ToLower(k)+": "+word(v[k]))
		}
		return "{" + strings.Join(out, ", ") + "}"
	case []any:
		var out []string
		for _, x := range v {
			out = append(out, word(x))
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	return fmt.Sprint(v)
}
