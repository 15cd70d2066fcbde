package release_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"nats-roll/cluster"
	"nats-roll/release"
)

const published = cluster.Version("2.99.1")

func folderOf(v cluster.Version) string {
	return fmt.Sprintf("nats-server-v%s-%s-%s", v, runtime.GOOS, runtime.GOARCH)
}

func programName() string {
	if runtime.GOOS == "windows" {
		return "nats-server.exe"
	}
	return "nats-server"
}

// compiled is a small program that says it is this version.
func compiled(t testing.TB, version cluster.Version) []byte {
	t.Helper()
	b, err := os.ReadFile(built(t, saying(banner(version))))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// built is the file of a program with this source.
func built(t testing.TB, source string) string {
	t.Helper()
	dir := t.TempDir()
	src, out := filepath.Join(dir, "main.go"), filepath.Join(dir, programName())
	if err := os.WriteFile(src, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command("go", "build", "-o", out, src).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return out
}

// packed is one entry of an archive that a test makes.
type packed struct {
	name string
	data []byte
	kind byte // a tar type; 0 is a file
	link string
}

// usual is what nats-server's releases have in their archives.
func usual(program []byte) []packed { return contents(published, program) }

func contents(v cluster.Version, program []byte) []packed {
	f := folderOf(v)
	return []packed{
		{name: f + "/", kind: tar.TypeDir},
		{name: f + "/LICENSE", data: []byte("Apache")},
		{name: f + "/README.md", data: []byte("read me")},
		{name: f + "/" + programName(), data: program},
	}
}

func tarGz(t testing.TB, entries []packed) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o755, Size: int64(len(e.data)), Typeflag: e.kind, Linkname: e.link}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if w.Close() != nil || z.Close() != nil {
		t.Fatal("close the archive")
	}
	return b.Bytes()
}

func zipped(t testing.TB, entries []packed) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := w.Create(e.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// mirror serves releases in the layout of the real place: below /download/vV.
type mirror struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string][]byte
	asked []string // method, path and range of every request
	wrap  func(http.HandlerFunc) http.HandlerFunc
}

func newMirror(t testing.TB) *mirror {
	m := &mirror{files: map[string][]byte{}}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := http.HandlerFunc(m.serve)
		m.mu.Lock()
		m.asked = append(m.asked, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("Range")))
		wrap := m.wrap
		m.mu.Unlock()
		if wrap != nil {
			h = wrap(h)
		}
		h(w, r)
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *mirror) serve(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	data, ok := m.files[r.URL.Path]
	m.mu.Unlock()
	if !ok {
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Etag", fmt.Sprintf(`"%x"`, sha256.Sum256(data)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

func (m *mirror) requests(part string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.asked {
		if strings.Contains(a, part) {
			n++
		}
	}
	return n
}

// publish puts an archive and its line in SHA256SUMS there.
func (m *mirror) publish(v cluster.Version, ending string, archive []byte) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := "/download/v" + string(v) + "/"
	name := folderOf(v) + ending
	m.files[at+name] = archive
	other := fmt.Sprintf("%x  nats-server-v%s-plan9-mips.tar.gz\n", sha256.Sum256(nil), v)
	m.files[at+"SHA256SUMS"] = append(m.files[at+"SHA256SUMS"], fmt.Appendf(nil, "%x  %s\n%s", sha256.Sum256(archive), name, other)...)
	return at
}

func (m *mirror) options(t testing.TB) release.Options {
	return release.Options{Dir: t.TempDir(), Source: "release", Mirror: m.URL + "/download"}
}

func TestReleaseIsDownloadedVerifiedAndKept(t *testing.T) {
	program := compiled(t, published)
	for _, ending := range []string{".tar.gz", ".zip"} {
		t.Run(ending, func(t *testing.T) {
			m := newMirror(t)
			pack := tarGz
			if ending == ".zip" {
				pack = zipped
			}
			m.publish(published, ending, pack(t, usual(program)))
			o := m.options(t)
			var h heard
			b, err := release.New(o).Resolve(t.Context(), string(published), h.progress)
			if err != nil {
				t.Fatal(err)
			}
			if b.Version != published || b.Source != "release" || b.SHA256 != fmt.Sprintf("%x", sha256.Sum256(program)) {
				t.Errorf("got %+v", b)
			}
			for _, word := range []string{"reading ", "downloading ", "checking ", "unpacking "} {
				if h.count(word) == 0 {
					t.Errorf("no word of %q in %q", word, h.lines)
				}
			}
			if left := leftovers(t, o.Dir); fmt.Sprint(left) != fmt.Sprint([]string{filepath.Dir(b.Path)}) {
				t.Errorf("the store holds %q", left)
			}
			before := m.requests("")
			for _, o := range []release.Options{o, {Dir: o.Dir, Offline: true}} {
				again, err := release.New(o).Resolve(t.Context(), string(published), nil)
				if err != nil || again.SHA256 != b.SHA256 {
					t.Errorf("from the store: %+v, %v", again, err)
				}
			}
			if n := m.requests("") - before; n != 0 {
				t.Errorf("%d requests for what is in the store", n)
			}
		})
	}
}

// Every way in which a release can be not what it should be.
func TestReleaseIsRefused(t *testing.T) {
	program := compiled(t, published)
	f := folderOf(published)
	archive := tarGz(t, usual(program))
	for name, tc := range map[string]struct {
		entries []packed // the archive, with a right sum
		spoil   func(m *mirror, at string)
		kind    error
		words   string
	}{
		"no such release": {spoil: func(m *mirror, _ string) { clear(m.files) }, kind: release.ErrUnknownVersion, words: "404"},
		"no SHA256SUMS": {
			spoil: func(m *mirror, at string) { delete(m.files, at+"SHA256SUMS") },
			kind:  release.ErrChecksum, words: "the release has no SHA256SUMS",
		},
		"no line for this system": {
			spoil: func(m *mirror, at string) {
				m.files[at+"SHA256SUMS"] = fmt.Appendf(nil, "%x  nats-server-v%s-plan9-mips.tar.gz\n", sha256.Sum256(archive), published)
			},
			kind: release.ErrUnknownVersion, words: "nothing for " + runtime.GOOS,
		},
		"a line with a name that only ends like it": {
			spoil: func(m *mirror, at string) {
				m.files[at+"SHA256SUMS"] = fmt.Appendf(nil, "%x  x%s.tar.gz\n", sha256.Sum256(archive), f)
			},
			kind: release.ErrChecksum, words: "is not that of v2.99.1",
		},
		"another version's SHA256SUMS": {
			spoil: func(m *mirror, at string) {
				m.files[at+"SHA256SUMS"] = fmt.Appendf(nil, "%x  nats-server-v2.99.2-linux-amd64.tar.gz\n", sha256.Sum256(archive))
			},
			kind: release.ErrChecksum, words: "is not that of v2.99.1",
		},
		"two sums for one name": {
			spoil: func(m *mirror, at string) {
				m.files[at+"SHA256SUMS"] = fmt.Appendf(nil, "%x  %s.tar.gz\n%x  %s.tar.gz\n", sha256.Sum256(archive), f, sha256.Sum256(nil), f)
			},
			kind: release.ErrChecksum, words: "twice",
		},
		"SHA256SUMS is empty": {
			spoil: func(m *mirror, at string) { m.files[at+"SHA256SUMS"] = nil },
			kind:  release.ErrNetwork, words: "no line with a checksum",
		},
		"a changed archive": {
			spoil: func(m *mirror, at string) { m.files[at+f+".tar.gz"][100] ^= 1 },
			kind:  release.ErrChecksum, words: "is not what SHA256SUMS says: sha256 is",
		},
		"no archive": {
			spoil: func(m *mirror, at string) { delete(m.files, at+f+".tar.gz") },
			kind:  release.ErrUnknownVersion, words: "there is no http://127.0.0.1",
		},
		"another version in it": {
			entries: usual(compiled(t, "2.99.7")), kind: release.ErrNotServer, words: "what came says that it is 2.99.7",
		},
		"a path out of the folder": {
			entries: append(usual(program), packed{name: f + "/../../../evil", data: []byte("x")}),
			kind:    release.ErrChecksum, words: "leads out of its folder",
		},
		"an absolute path": {
			entries: append(usual(program), packed{name: "/etc/cron.d/evil", data: []byte("x")}),
			kind:    release.ErrChecksum, words: "leads out of its folder",
		},
		"a backslash": {
			entries: append(usual(program), packed{name: f + `\..\evil`, data: []byte("x")}),
			kind:    release.ErrChecksum, words: "leads out of its folder",
		},
		"another folder": {
			entries: append(usual(program), packed{name: "elsewhere/file", data: []byte("x")}),
			kind:    release.ErrChecksum, words: "is not in the folder",
		},
		"a symbolic link": {
			entries: append(usual(program), packed{name: f + "/link", kind: tar.TypeSymlink, link: "/etc/passwd"}),
			kind:    release.ErrChecksum, words: "is no plain file",
		},
		"a symbolic link as the program": {
			entries: []packed{{name: f + "/" + programName(), kind: tar.TypeSymlink, link: "/bin/sh"}},
			kind:    release.ErrChecksum, words: "is no plain file",
		},
		"a hard link": {
			entries: append(usual(program), packed{name: f + "/link", kind: tar.TypeLink, link: "/etc/passwd"}),
			kind:    release.ErrChecksum, words: "is no plain file",
		},
		"the program twice": {
			entries: append(usual(program), packed{name: f + "/" + programName(), data: program}),
			kind:    release.ErrChecksum, words: "twice",
		},
		"no program": {entries: usual(program)[:3], kind: release.ErrChecksum, words: "it has no " + f + "/nats-server"},
		"a thousand files": {
			entries: func() (many []packed) {
				for i := range 1100 {
					many = append(many, packed{name: fmt.Sprintf("%s/%d", f, i)})
				}
				return many
			}(),
			kind: release.ErrChecksum, words: "more than 1000 files",
		},
		"a script instead of an archive": {
			spoil: func(m *mirror, at string) {
				clear(m.files)
				m.publish(published, ".tar.gz", []byte("#!/bin/sh\n"))
			},
			kind: release.ErrChecksum, words: "is not unpacked",
		},
		"cut short, with a right sum": {
			spoil: func(m *mirror, at string) {
				clear(m.files)
				m.publish(published, ".tar.gz", archive[:len(archive)/2])
			},
			kind: release.ErrChecksum, words: "is not unpacked: unexpected EOF",
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMirror(t)
			content := archive
			if tc.entries != nil {
				content = tarGz(t, tc.entries)
			}
			at := m.publish(published, ".tar.gz", bytes.Clone(content))
			if tc.spoil != nil {
				tc.spoil(m, at)
			}
			o := m.options(t)
			_, err := release.New(o).Resolve(t.Context(), string(published), nil)
			wantError(t, err, tc.kind, "nats-server 2.99.1 from release: ", tc.words)
			if left := leftovers(t, o.Dir); len(left) > 0 {
				t.Errorf("left in the store: %q", left)
			}
		})
	}
}

// A download that is ended leaves nothing, and says nothing of the network.
func TestReleaseIsCancelled(t *testing.T) {
	m := newMirror(t)
	m.publish(published, ".tar.gz", make([]byte, 1<<20))
	began := make(chan struct{})
	m.wrap = func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, ".tar.gz") {
				next(w, r)
				return
			}
			w.Header().Set("Content-Length", "1048576")
			_, _ = w.Write(make([]byte, 1000))
			w.(http.Flusher).Flush()
			close(began)
			<-r.Context().Done()
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-began; cancel() }()
	o := m.options(t)
	if _, err := release.New(o).Resolve(ctx, string(published), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left := leftovers(t, o.Dir); len(left) > 0 {
		t.Errorf("left in the store: %q", left)
	}
}

// Without a word on the source the next one is asked, and both are named when
// neither has it; but what cannot be verified is not got elsewhere.
func TestReleaseThenModule(t *testing.T) {
	proxy(t)
	t.Setenv("PATH", os.Getenv("PATH"))
	dead := newMirror(t)
	dead.Close()
	o := release.Options{Dir: t.TempDir(), Mirror: dead.URL}
	var h heard
	b, err := release.New(o).Resolve(t.Context(), string(published), h.progress)
	if err != nil || b.Source != "module" || h.count("from release: the download does not work") != 1 {
		t.Errorf("got %+v, %v; heard %q", b, err, h.lines)
	}
	_, err = release.New(o).Resolve(t.Context(), "2.99.99", nil)
	wantError(t, err, release.ErrUnknownVersion, "nats-server 2.99.99: from release, the download does not work", "; from module, no such version")

	m := newMirror(t)
	at := m.publish("2.99.4", ".tar.gz", []byte("archive"))
	m.files[at+folderOf("2.99.4")+".tar.gz"] = []byte("another")
	_, err = release.New(release.Options{Dir: t.TempDir(), Mirror: m.URL + "/download"}).Resolve(t.Context(), "2.99.4", nil)
	wantError(t, err, release.ErrChecksum, "from release: ", "is not what SHA256SUMS says")

	// Asked for one source, the store does not hand out another's.
	_, err = release.New(release.Options{Dir: o.Dir, Source: "release", Mirror: dead.URL}).Resolve(t.Context(), string(published), nil)
	wantError(t, err, release.ErrSelector, "the one in the store is from module")
}

// A mirror's password is in no message.
func TestReleaseKeepsSecrets(t *testing.T) {
	m := newMirror(t)
	u, _ := url.Parse(m.URL)
	u.User, u.Path, u.RawQuery = url.UserPassword("me", "s3cret"), "/nowhere", "token=s3cret"
	var h heard
	_, err := release.New(release.Options{Dir: t.TempDir(), Source: "release", Mirror: u.String()}).Resolve(t.Context(), string(published), h.progress)
	wantError(t, err, release.ErrUnknownVersion)
	if strings.Contains(err.Error()+strings.Join(h.lines, " "), "s3cret") {
		t.Errorf("told: %v %q", err, h.lines)
	}
}
