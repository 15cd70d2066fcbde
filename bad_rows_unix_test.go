//go:build unix

package main

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// foundAtOnce is found before anything is started.
func foundAtOnce() []badBuild {
	return []badBuild{
		{given: "nothing: there is no such file", put: nothing, code: 3},
		{given: "a folder", put: folder, code: 3},
		{given: "a named pipe", put: pipe, code: 3},
		{given: "an empty file", put: program(""), code: 3},
		{given: "a text", put: program("nats-server: v2.15.2\n"), code: 3},
		{given: "an archive, as it was downloaded", put: file(0o644, "\x1f\x8b\x08\x00"+zeros), code: 3},
		{given: "a program for another processor", put: program("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf3\x00\x01\x00\x00\x00" + zeros), code: 3},
		{given: "a program for macOS", put: program("\xcf\xfa\xed\xfe\x0c\x00\x00\x01" + zeros), linux: true, code: 3},
		{given: "a program for Windows", put: program("MZ\x90\x00" + zeros), code: 3},
		{given: "the first third of a server", put: third, linux: true, code: 3},
		{given: "a server that is not executable", put: file(0o644, good), code: 3},
		{given: "a server that nobody may read", put: unreadable, humble: true, code: 3},
		{given: "a server that somebody still writes to", put: opened, linux: true, slow: true, code: 3},
		{given: "a script whose interpreter is missing", put: program("#!/no/such/shell\n"), code: 3},
		{given: "another program", put: program("#!/bin/sh\necho frobnicate 1.2.3\n"), code: 3},
		{given: "a program that ends at once with status 0", put: program("#!/bin/sh\nexit 0\n"), code: 3},
		{given: "a program that fails", put: program("#!/bin/sh\necho 'no, thanks' >&2\nexit 4\n"), code: 3},
		{given: "a program that hangs when it is asked for its version", put: program("#!/bin/sh\nexec sleep 600\n"), slow: true, code: 3},
		{given: "a script that changes while it is looked at", put: program("#!/bin/sh\necho >>\"$0\"\nexec \"$NEW\" \"$@\"\n"), code: 3},
		{given: "a version whose file in the store is damaged (`--to 2.99.1 --offline`)", put: damaged, flags: "--to 2.99.1 --offline", code: 3},
		{given: "a version that is fetched, and the store's disk is full (`--to 2.99.1 --source release`)", put: fetched, flags: "--to 2.99.1 --source release", disk: disk{At: "cache", Size: 1 << 20, Limit: 1 << 20}, code: 3},
		{given: "a good server, and no room for a copy of the old one", put: files(padded("$OLD", 2e6), good), disk: disk{At: "state", Size: 1 << 20, Limit: 1 << 20}, code: 3},
		{given: "a good server, and a limit on the size of files (`ulimit -f`)", put: files(padded("$OLD", 2e6), good), disk: disk{Limit: 1 << 20}, code: 3},
	}
}

// foundLater is found when servers run.
func foundLater() []badBuild {
	return []badBuild{
		{given: "a server that was overwritten after it had been looked at", put: files(patient(":"), good), meanwhile: program(good + "# another\n"), code: 1},
		{given: "a server that vanished after it had been looked at", put: files(patient(":"), good), meanwhile: nothing, code: 1},
		{given: "a server for whose copy there is no room, on B (`--to A=./small`)", put: beside(files(padded("$OLD", 5e5), padded("$NEW", 2e6)), good, "small"), flags: "--to A=./small", disk: disk{At: "state", Size: 225e4, Limit: 1 << 20}, code: 1},
		{given: "a server that does not know the command line", put: program("#!/bin/sh\n[ $1 = -t ] && exec \"$NEW\" -t --no-such-flag\nexec \"$NEW\" \"$@\"\n"), code: 1},
		{given: "a server that hangs when its configuration is checked (`-t`)", put: program("#!/bin/sh\n[ $1 = -t ] && exec sleep 600\nexec \"$NEW\" \"$@\"\n"), slow: true, code: 1},
		{given: "a good server whose staged copy somebody overwrites: it is copied again", put: files(patient("echo spoilt >nats-server.next"), good), flags: "--keep=false", quoted: `^VERIFIED`, code: 0},
		{given: "a good server that somebody overwrites together with its staged copy", put: files(patient("echo spoilt | tee nats-server.next >$DIR/nats-server"), good), code: 1},
		{given: "a server that ends with status 0 when it is started", put: program(decent + "exit 0\n"), code: 1},
		{given: "a server that panics when it is started", put: program(decent + "exec panics\n"), code: 1},
		{given: "a server that never listens, and ends with status 2 after five seconds", put: program(decent + "sleep 5\nexit 2\n"), slow: true, code: 1},
		{given: "a server that ends with status 2 when it has been found good, while B is stopped", put: beside(program(decent+"\"$NEW\" \"$@\" & while [ ! -e $DIR/stopping ]; do sleep 0.05; done\nexit 2\n"), old("touch $DIR/stopping; sleep 2"), "slow"), flags: "--from B=./slow", slow: true, code: 1},
		{given: "a server that ends a minute after its start: the walk is over by then", put: program(decent + "\"$NEW\" \"$@\" & sleep 60\nexit 2\n"), flags: "--keep=false", quoted: `^VERIFIED`, code: 0},
		{given: "a server on A that ends with status 2 five seconds after B is back (`--to A=./nats-server --hold 30s`)", put: program(decent + "\"$NEW\" \"$@\" &\nuntil [ $(grep -c 'Server is ready' ../B/server.log) = 2 ]; do sleep 0.2; done\nsleep 5\nexit 2\n"), flags: "--to embedded --to A=./nats-server --hold 30s", slow: true, code: 1},
		{given: "a server that never listens", put: program(decent + "exec sleep 600\n"), slow: true, code: 1},
		{given: "a server that says it is 2.15.9 and is not", put: program("#!/bin/sh\n[ $1 = --version ] && exec echo nats-server: v2.15.9\nexec \"$NEW\" \"$@\"\n"), slow: true, code: 1},
		{given: "a server that fills the disk and ends", put: files(padded("$OLD", 5e5), decent+"trap '' XFSZ\ncat /dev/zero >zeros 2>&1\nexit 2\n"), disk: disk{At: "state", Size: 5e6, Limit: 1 << 20}, code: 1},
		{given: "a server that ends, and the old file has vanished", put: program(decent + "rm \"$DIR/old\"\nexit 2\n"), code: 1},
		{given: "a good server, and an old one that ignores SIGINT (`--from A=./stubborn`)", put: beside(program(good), stubborn, "stubborn"), flags: "--from A=./stubborn --keep=false", slow: true, quoted: `^ +✓ A has exited`, code: 0},
	}
}

// zeros are enough for those who look at the beginning of a file.
var zeros = strings.Repeat("\x00", 100)

// decent is a script that is a right server, up to its start.
const decent = `#!/bin/sh
case $1 in --version|-t) exec "$NEW" "$@" ;; esac
`

// good is one.
const good = decent + "exec \"$NEW\" \"$@\"\n"

// old is an old server that does something when it is stopped, before it ends.
func old(atStop string) string {
	return `#!/bin/sh
case $1 in --version|-t) exec "$OLD" "$@" ;; esac
"$OLD" "$@" &
trap '` + atStop + `; kill $!; wait; exit 0' INT
wait
`
}

// stubborn is one that has to be killed.
const stubborn = `#!/bin/sh
case $1 in --version|-t) exec "$OLD" "$@" ;; esac
trap '' INT
"$OLD" "$@" &
wait
`

// patient is one that does not tell its version before the test says so.
func patient(atStop string) string {
	return strings.Replace(old(atStop), "\n", "\nwhile [ ! -e \"$DIR/go\" ]; do sleep 0.05; done\n", 1)
}

// padded is a script of some size that runs a server.
func padded(server string, size int) string {
	s := "#!/bin/sh\nexec \"" + server + "\" \"$@\"\n#"
	return s + strings.Repeat("-", size-len(s))
}

func write(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	_ = os.Remove(path)
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

// self is nats-roll, which called nats-server is the embedded one.
func self(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("nats-roll")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func file(mode fs.FileMode, content string) put {
	return func(t *testing.T, dir string) { write(t, filepath.Join(dir, "nats-server"), content, mode) }
}

func program(content string) put { return file(0o755, content) }

// files are both servers, the old one and the new one.
func files(older, newer string) put {
	return func(t *testing.T, dir string) {
		write(t, filepath.Join(dir, "old"), older, 0o755)
		write(t, filepath.Join(dir, "nats-server"), newer, 0o755)
	}
}

// beside puts a third program beside both.
func beside(both put, third, name string) put {
	return func(t *testing.T, dir string) {
		both(t, dir)
		write(t, filepath.Join(dir, name), third, 0o755)
	}
}

func nothing(_ *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "nats-server")) }

func folder(t *testing.T, dir string) {
	if err := os.Mkdir(filepath.Join(dir, "nats-server"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func pipe(t *testing.T, dir string) {
	if err := syscall.Mkfifo(filepath.Join(dir, "nats-server"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func third(t *testing.T, dir string) {
	whole, err := os.ReadFile(self(t))
	if err != nil {
		t.Fatal(err)
	}
	program(string(whole[:len(whole)/3]))(t, dir)
}

// unreadable is a program that can be run all the same, as scripts cannot.
func unreadable(t *testing.T, dir string) {
	whole, err := os.ReadFile(self(t))
	if err != nil {
		t.Fatal(err)
	}
	file(0o111, string(whole))(t, dir)
}

func opened(t *testing.T, dir string) {
	program(good)(t, dir)
	f, err := os.OpenFile(filepath.Join(dir, "nats-server"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
}

// damaged is a store whose file is not what its record says.
func damaged(t *testing.T, dir string) {
	entry := filepath.Join(dir, "cache", "nats-roll", "servers", "2.99.1", runtime.GOOS+"-"+runtime.GOARCH)
	if err := os.MkdirAll(entry, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(entry, "nats-server"), decent, 0o755)
	record := fmt.Sprintf(`{"version": "2.99.1", "sha256": %q, "source": "release"}`, strings.Repeat("0123456789abcdef", 4))
	write(t, filepath.Join(entry, "nats-server.json"), record, 0o644)
}

// fetched is a mirror with a server that does not get smaller when it is packed.
func fetched(t *testing.T, dir string) {
	noise := make([]byte, 3<<20)
	_, _ = rand.Read(noise)
	mirror, err := releases(map[string]string{"2.99.1": decent + string(noise)})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(mirror)
	t.Cleanup(s.Close)
	write(t, filepath.Join(dir, "mirror"), s.URL, 0o644)
}
