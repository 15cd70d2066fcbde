package release

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"nats-roll/cluster"
)

// program is the name a server is started under.
const program = "nats-server"

// askFor is how long a file may take to print its version. A server takes some
// 50 ms; the first start of a new file can take seconds where a virus scanner
// looks at it.
const askFor = 10 * time.Second

// Identify finds out what the file is: it runs it with --version under the name
// nats-server and hashes it meanwhile. Errors are of type *Error and say in one
// line why the file is no server that runs here.
func Identify(ctx context.Context, path string) (cluster.Build, error) {
	return identify(ctx, path, askFor)
}

func identify(ctx context.Context, path string, timeout time.Duration) (cluster.Build, error) {
	wrong := func(hint, reason string, err error) (cluster.Build, error) {
		return cluster.Build{}, &Error{Want: path, Reason: reason, Hint: hint, Err: err}
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return wrong(giveFile, err.Error(), err)
	}
	before, err := os.Stat(full)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return wrong(giveFile, "no such file", err)
	case err != nil:
		return wrong(giveFile, plain(err), err)
	case before.IsDir():
		return wrong("name the file in it: "+flagName+" "+filepath.Join(path, program), "is a directory", ErrNotServer)
	case !before.Mode().IsRegular(): // opening a named pipe would wait for ever
		return wrong(giveFile, "is not a regular file", ErrNotServer)
	case !executable(before) && isArchive(full):
		return wrong(giveProgram(), "is an archive; unpack it first", ErrNotServer)
	case !executable(before):
		return wrong("chmod +x "+path, "is not executable", fs.ErrPermission)
	}

	b := cluster.Build{Size: before.Size(), Source: "path", Path: full}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		b.SHA256, err = hashFile(gctx, full)
		return err
	})
	g.Go(func() (err error) {
		b.Version, err = askVersion(gctx, full, timeout)
		return err
	})
	err = g.Wait()
	if ctx.Err() != nil {
		return cluster.Build{}, context.Cause(ctx)
	}
	// What was hashed has to be what was run, and what will be copied.
	after, statErr := os.Stat(full)
	switch {
	case errors.Is(statErr, fs.ErrNotExist):
		return wrong(giveFile, "vanished while it was looked at", statErr)
	case textBusy(err):
		return wrong("try again when it is complete", "is being written by somebody: "+plain(err), err)
	case unreadable(err):
		return wrong("chmod +r "+path, "cannot be read: "+plain(err), err)
	case err != nil:
		return wrong(giveProgram(), plain(err), err)
	case statErr != nil:
		return wrong(giveFile, plain(statErr), statErr)
	case !os.SameFile(before, after) || before.Size() != after.Size() || !before.ModTime().Equal(after.ModTime()):
		return wrong("try again when it is complete", "changed while it was looked at", ErrNotServer)
	}
	return b, nil
}

// giveProgram is the hint for one who gave something else.
func giveProgram() string {
	return fmt.Sprintf("give a nats-server program for %s: %s ./nats-server", platform("/"), flagName)
}

// unreadable says that a file could not be hashed: it may be run all the same.
func unreadable(err error) bool {
	e, ok := errors.AsType[*fs.PathError](err)
	return ok && e.Op == "open" && errors.Is(err, fs.ErrPermission)
}

// hashFile is the SHA-256 of the file in lower-case hex.
func hashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(onlyWriter{h}, untilDone{ctx, f}, make([]byte, 1<<20)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// untilDone stops reading when the context ends: the file may be a disk image.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

type onlyWriter struct{ io.Writer }

// plain is a system error without the operation and the file, which the line it
// goes into has named already.
func plain(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}
