package release_test

import (
	"os"
	"path/filepath"
	"testing"

	"nats-roll/release"
)

func TestStoreSetsDamageAside(t *testing.T) {
	proxy(t)
	dir := t.TempDir()
	r := release.New(release.Options{Dir: dir, Source: "module"})
	b, err := r.Resolve(t.Context(), "2.99.1", nil)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(b.Path)
	if err != nil {
		t.Fatal(err)
	}
	record := filepath.Join(filepath.Dir(b.Path), "nats-server.json")
	for name, damage := range map[string]func() error{
		"a changed byte": func() error {
			raw := append([]byte(nil), whole...)
			raw[len(raw)/2] ^= 1
			return os.WriteFile(b.Path, raw, 0o755)
		},
		"cut short":       func() error { return os.Truncate(b.Path, 1000) },
		"no file":         func() error { return os.Remove(b.Path) },
		"empty record":    func() error { return os.WriteFile(record, nil, 0o644) },
		"foreign record":  func() error { return os.WriteFile(record, []byte(`{"version":"2.0.0","sha256":"00"}`), 0o644) },
		"record is a lie": func() error { return os.WriteFile(record, []byte(`{"version":"2.99.1","sha256":"00"}`), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := damage(); err != nil {
				t.Fatal(err)
			}
			_, err := release.NewStore(dir).Check(t.Context(), "2.99.1")
			wantError(t, err, release.ErrChecksum, "damaged")
			var h heard
			again, err := r.Resolve(t.Context(), "2.99.1", h.progress)
			if err != nil || again.SHA256 != b.SHA256 {
				t.Fatalf("resolved to %+v, %v; want %+v", again, err, b)
			}
			if h.count("damaged") != 1 || h.count("installing") != 1 {
				t.Errorf("progress was %q", h.lines)
			}
			if _, err := os.Stat(record + ".damaged"); err != nil {
				t.Errorf("nothing is set aside: %v", err)
			}
		})
	}
}

func TestStoreRemoves(t *testing.T) {
	proxy(t)
	dir := t.TempDir()
	if _, err := release.New(release.Options{Dir: dir, Source: "module"}).Resolve(t.Context(), "2.99.1", nil); err != nil {
		t.Fatal(err)
	}
	s := release.NewStore(dir)
	if err := s.Remove(t.Context(), "2.99.1", nil); err != nil {
		t.Fatal(err)
	}
	if left := leftovers(t, dir); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	wantError(t, s.Remove(t.Context(), "2.99.1", nil), release.ErrAbsent)
}

func TestStoreInAPlaceThatCannotBe(t *testing.T) {
	proxy(t)
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := release.New(release.Options{Dir: filepath.Join(dir, "servers"), Source: "module"}).Resolve(t.Context(), "2.99.1", nil)
	if err == nil {
		t.Fatal("a store under a file")
	}
	wantError(t, err, err, "servers")
}
