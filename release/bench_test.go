package release_test

import (
	"os"
	"path/filepath"
	"testing"

	"nats-roll/release"
)

// What a look at a server costs: its file is hashed, and asked for its version
// where nobody has done so before.
func BenchmarkVerify(b *testing.B) {
	g := older(b)
	dir := stored(b, g)
	info, err := os.Stat(g.file)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("file", func(b *testing.B) {
		b.SetBytes(info.Size())
		for b.Loop() {
			if _, err := release.Identify(b.Context(), g.file); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("store", func(b *testing.B) {
		b.SetBytes(info.Size())
		s := release.NewStore(dir)
		for b.Loop() {
			if _, err := s.Get(b.Context(), g.named, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// From the archive of a release to the server's file. The bytes are those of the
// file.
func BenchmarkUnpack(b *testing.B) {
	g := older(b)
	folder, dir := folderOf(g.named), b.TempDir()
	archive := filepath.Join(dir, folder+".tar.gz")
	if err := os.WriteFile(archive, archived(b, g), 0o644); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(g.file)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		file, err := release.Unpack(b.Context(), archive, folder, dir)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := os.Remove(file); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
