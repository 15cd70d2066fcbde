package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"

	"github.com/adrg/xdg"
	"github.com/gofrs/flock"

	"nats-roll/rehearsal"
)

// archive is the folder in which rehearsals leave their event logs, unless
// --events says otherwise. Their names begin with the day and the time.
type archive string

// keepRecordings is how many stay when another one begins.
const keepRecordings = 20

func theArchive() archive {
	return archive(filepath.Join(xdg.StateHome, "nats-roll", "recordings"))
}

var recordingName = regexp.MustCompile(`^\d{8}-\d{6}-\d+\.jsonl$`)

func (d archive) path(name string) string { return filepath.Join(string(d), name) }

// names lists the recordings, the newest first. Without the folder there are none.
func (d archive) names() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []string
	for _, e := range slices.Backward(entries) {
		if recordingName.MatchString(e.Name()) {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// remove removes all but the newest keep, and those that are being written. What
// cannot be removed stays.
func (d archive) remove(keep int) (removed int, err error) {
	names, err := d.names()
	for _, name := range names[min(keep, len(names)):] {
		if beingWritten(d.path(name)) {
			continue
		}
		if err2 := os.Remove(d.path(name)); err2 != nil {
			err = errors.Join(err, err2)
			continue
		}
		removed++
	}
	return removed, err
}

// A recording is locked while it is written, so that nobody removes it. Windows
// does not let anybody remove a file that is open, and its locks would keep
// everybody from reading it.
const locks = runtime.GOOS != "windows"

func beingWritten(path string) bool {
	if !locks {
		return false
	}
	lock := flock.New(path)
	free, err := lock.TryLock()
	if free {
		_ = lock.Close()
	}
	return !free && err == nil
}

// recording is an event log that nobody asked for. It never disturbs a rehearsal:
// what goes wrong is told once, and otherwise without consequence.
type recording struct {
	path   string
	log    *eventLog // nil if it could not be begun
	lock   *flock.Flock
	err    error
	failed func(error) // nil once it was called
	whole  bool        // it has ended, and everything was written
}

func (d archive) begin(name string, h rehearsal.Header, failed func(error)) *recording {
	r := &recording{path: d.path(name + ".jsonl"), failed: failed}
	if r.err = os.MkdirAll(string(d), 0o755); r.err != nil {
		return r
	}
	if r.log, r.err = openLog("the recording", r.path, 0o600, h); r.err != nil {
		return r
	}
	if locks {
		r.lock = flock.New(r.path)
		_, _ = r.lock.TryLock()
	}
	_, _ = d.remove(keepRecordings)
	return r
}

// watch is a rehearsal.Watcher.
func (r *recording) watch(e rehearsal.Record, s rehearsal.State) {
	if r.err == nil {
		r.log.journal.Watch(e, s)
		r.err = r.log.journal.Err()
	}
	if r.err != nil && r.failed != nil {
		r.failed(r.err)
		r.failed = nil
	}
}

// end writes what is left to write. A disk that hangs is not waited for.
func (r *recording) end() {
	if r.log == nil {
		return
	}
	ctx, hurry := context.WithCancel(context.Background())
	hurry()
	r.whole = r.log.close(ctx) == nil
	if r.lock != nil {
		_ = r.lock.Close()
	}
}
