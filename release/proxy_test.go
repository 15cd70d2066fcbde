package release_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

const modulePath = "github.com/nats-io/nats-server/v2"

// tiny is a program that answers --version as nats-server does.
const tiny = `package main

import "os"

func main() { os.Stdout.WriteString("nats-server: v%s\n") }
`

// proxy lays out a Go module proxy on disk that has the server's module in
// versions of our own, and points the go command at it.
func proxy(t *testing.T) {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, filepath.FromSlash(modulePath), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	add := func(version, goVersion, source string) {
		mod := fmt.Sprintf("module %s\n\ngo %s\n", modulePath, goVersion)
		var archive bytes.Buffer
		w := zip.NewWriter(&archive)
		for name, text := range map[string]string{"go.mod": mod, "main.go": source} {
			f, err := w.Create(modulePath + "@v" + version + "/" + name)
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
			"info": fmt.Sprintf(`{"Version":"v%s","Time":"2026-01-02T03:04:05Z"}`, version), "mod": mod, "zip": archive.String(),
		} {
			if err := os.WriteFile(filepath.Join(dir, "v"+version+"."+ext), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The go command looks in the newest one for notices on the module.
	if err := os.WriteFile(filepath.Join(dir, "list"), []byte("v2.99.1\nv2.99.4\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	add("2.99.1", "1.21", fmt.Sprintf(tiny, "2.99.1"))
	add("2.99.2", "1.99", fmt.Sprintf(tiny, "2.99.2"))
	add("2.99.3", "1.21", "package main\n\nfunc main() { undefined() }\n")
	add("2.99.4", "1.21", fmt.Sprintf(tiny, "2.98.0"))
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
