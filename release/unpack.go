package release

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// maxEntries is more than any release's archive has: three or four.
const maxEntries = 1000

// item is a file of an archive, as the archive tells of it.
type item struct {
	name string
	mode fs.FileMode
	open func() (io.ReadCloser, error)
}

// unpack takes the one file that is wanted out of an archive, the program in the
// folder that the archive is named after, and puts it into dir. Every other
// entry has to be a plain file or folder in that folder: an archive that has
// anything else is not one of nats-server's.
func unpack(ctx context.Context, archive, folder, dir string) (string, error) {
	to := filepath.Join(dir, fileName())
	found := false
	entries := 0
	err := walkArchive(ctx, archive, func(it item) error {
		if entries++; entries > maxEntries {
			return fmt.Errorf("it has more than %d files", maxEntries)
		}
		wanted, err := allowed(it, folder)
		if err != nil || !wanted {
			return err
		}
		if found {
			return fmt.Errorf("it has %s twice", it.name)
		}
		found = true
		return extract(it, to)
	})
	if err == nil && !found {
		err = fmt.Errorf("it has no %s/%s", folder, fileName())
	}
	switch own, ok := errors.AsType[*Error](err); {
	case err == nil:
		return to, nil
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case ok:
		return "", own
	}
	_ = os.Remove(to)
	if e, ok := errors.AsType[*fs.PathError](err); ok && e.Path == to {
		return "", noRoom(e)
	}
	return "", fail(ErrChecksum, "%s is not unpacked: %v", filepath.Base(archive), plain(err))
}

// allowed says whether an entry is the program; its error, that the entry has
// no place in such an archive.
func allowed(it item, folder string) (wanted bool, err error) {
	name := strings.TrimSuffix(it.name, "/")
	switch clean := path.Clean(name); {
	case strings.ContainsAny(name, "\\:\x00") || path.IsAbs(name) || clean != name:
		return false, fmt.Errorf("the name %q leads out of its folder", it.name)
	case name != folder && !strings.HasPrefix(name, folder+"/"):
		return false, fmt.Errorf("%q is not in the folder %s", it.name, folder)
	case it.mode.IsDir():
		return false, nil
	case !it.mode.IsRegular():
		return false, fmt.Errorf("%q is no plain file", it.name)
	}
	return name == folder+"/"+fileName(), nil
}

// extract writes one file of bounded size.
func extract(it item, to string) (err error) {
	src, err := it.open()
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	n, err := io.Copy(dst, io.LimitReader(src, maxProgram+1))
	if err == nil && n > maxProgram {
		err = fmt.Errorf("%q is larger than %d bytes", it.name, maxProgram)
	}
	return err
}

// walkArchive shows every entry of a .tar.gz or .zip, in order.
func walkArchive(ctx context.Context, archive string, visit func(item) error) error {
	if strings.HasSuffix(archive, ".zip") {
		return walkZip(ctx, archive, visit)
	}
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(untilDone{ctx, f})
	if err != nil {
		return err
	}
	// What is skipped is unpacked as well: a small archive can be a large one.
	bounded := &io.LimitedReader{R: unzipped, N: 2 * maxProgram}
	for r := tar.NewReader(bounded); ; {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && bounded.N <= 0:
			return fmt.Errorf("unpacked, it is larger than %d bytes", 2*maxProgram)
		case err != nil:
			return err
		}
		mode := h.FileInfo().Mode()
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir {
			mode |= fs.ModeIrregular // a hard link's mode is that of a file
		}
		err = visit(item{h.Name, mode, func() (io.ReadCloser, error) { return io.NopCloser(r), nil }})
		if err != nil {
			return err
		}
	}
}

func walkZip(ctx context.Context, archive string, visit func(item) error) error {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer r.Close()
	for _, f := range r.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := visit(item{f.Name, f.Mode(), f.Open}); err != nil {
			return err
		}
	}
	return nil
}
