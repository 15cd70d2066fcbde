package release_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"nats-roll/cluster"
)

const modulePath = "github.com/nats-io/nats-server/v2"

// saying is the source of a program that says this, whatever it is asked.
func saying(text string) string {
	return fmt.Sprintf("package main\n\nimport \"os\"\n\nfunc main() { os.Stdout.WriteString(%q) }\n", text)
}

// banner is what a nats-server prints for --version.
func banner(v cluster.Version) string { return "nats-server: " + v.Tag() + "\n" }

// module is a version of the server's module of our own.
type module struct{ version, goVersion, source string }

// proxy has the go command find versions with which all kinds of things are
// wrong.
func proxy(t *testing.T) {
	t.Helper()
	proxyOf(
		t,
		module{"2.99.1", "1.21", saying(banner("2.99.1"))},
		module{"2.99.2", "1.99", saying(banner("2.99.2"))},
		module{"2.99.3", "1.21", "package main\n\nfunc main() { undefined() }\n"},
		module{"2.99.4", "1.21", saying(banner("2.98.0"))},
	)
}

// proxyOf lays out a Go module proxy on disk that has the server's module in
// these versions, the newest one last, and points the go command at it.
func proxyOf(t *testing.T, modules ...module) {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, filepath.FromSlash(modulePath), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	add := func(m module) {
		mod := fmt.Sprintf("module %s\n\ngo %s\n", modulePath, m.goVersion)
		var archive bytes.Buffer
		w := zip.NewWriter(&archive)
		for name, text := range map[string]string{"go.mod": mod, "main.go": m.source} {
			f, err := w.Create(modulePath + "@v" + m.version + "/" + name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for ext, content := range map[string]string{
			"info": fmt.Sprintf(`{"Version":"v%s","Time":"2026-01-02T03:04:05Z"}`, m.version), "mod": mod, "zip": archive.String(),
		} {
			if err := os.WriteFile(filepath.Join(dir, "v"+m.version+"."+ext), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The go command looks in the newest one for notices on the module.
	list := ""
	for _, m := range modules {
		add(m)
		list += "v" + m.version + "\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "list"), []byte(list), 0o644); err != nil {
		t.Fatal(err)
	}
	goEnv(t, "file://"+filepath.ToSlash(root))
}

// goEnv gives the go command a proxy and an empty module cache. -mod=vendor
// stands for a user's flags that would spoil an install.
func goEnv(t *testing.T, proxy string) {
	t.Helper()
	for k, v := range map[string]string{
		"GOENV": "off", "GOPROXY": proxy, "GOSUMDB": "off", "GOTOOLCHAIN": "local", "GOMODCACHE": t.TempDir(),
		"GOFLAGS": "-mod=vendor -modcacherw", "GOPRIVATE": "", "GONOPROXY": "", "GONOSUMDB": "",
	} {
		t.Setenv(k, v)
	}
}
