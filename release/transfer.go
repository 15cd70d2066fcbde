package release

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// tellPause is the time between two words on how far a download is.
const tellPause = 200 * time.Millisecond

// transfer is a download on its way into a file.
type transfer struct {
	file     *os.File
	name     string
	progress Progress

	have, total int64  // bytes; total is -1 while it is not known
	etag        string // of what is in the file; only a strong one can be resumed
	began, told time.Time
}

// header asks for the rest of what was begun.
func (t *transfer) header() http.Header {
	h := http.Header{}
	if t.have > 0 && t.etag != "" {
		h.Set("Range", fmt.Sprintf("bytes=%d-", t.have))
		h.Set("If-Range", t.etag) // the whole, if it is another file by now (RFC 9110)
	}
	return h
}

// begin reads what the answer is: the rest, or the whole.
func (t *transfer) begin(res *http.Response) error {
	var from, last, total int64
	_, err := fmt.Sscanf(res.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &last, &total)
	resumed := res.StatusCode == http.StatusPartialContent && err == nil && from == t.have
	if !resumed {
		if err := t.file.Truncate(0); err != nil {
			return err
		}
		if _, err := t.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		t.have, total = 0, res.ContentLength
		t.etag = res.Header.Get("Etag")
		if strings.HasPrefix(t.etag, "W/") {
			t.etag = ""
		}
	}
	t.total = total
	switch {
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable, res.StatusCode == http.StatusPartialContent && !resumed:
		t.etag = "" // next time the whole
		return fmt.Errorf("the server sends another part than was asked for")
	case t.total > maxArchive:
		return fail(ErrNetwork, "%s is said to have %d bytes, more than any nats-server", t.name, t.total)
	}
	return nil
}

// Write takes a piece.
func (t *transfer) Write(b []byte) (int, error) {
	if t.have+int64(len(b)) > maxArchive {
		return 0, fail(ErrNetwork, "%s has more bytes than any nats-server", t.name)
	}
	n, err := t.file.Write(b)
	t.have += int64(n)
	if err != nil {
		return n, noRoom(err)
	}
	if now := time.Now(); now.Sub(t.told) >= tellPause {
		t.told = now
		t.progress.say("%s", t.words(now))
	}
	return n, nil
}

// words tell how far it is: "downloading 2.1 of 6.4 MB, 3 s left".
func (t *transfer) words(now time.Time) string {
	if t.total <= 0 {
		return fmt.Sprintf("downloading %s", megabytes(t.have))
	}
	s := fmt.Sprintf("downloading %.1f of %s", float64(t.have)/1e6, megabytes(t.total))
	if took := now.Sub(t.began); took > time.Second {
		left := time.Duration(float64(took) / float64(t.have) * float64(t.total-t.have))
		s += fmt.Sprintf(", %d s left", int(left.Seconds())+1)
	}
	return s
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// lively tells of each byte that comes.
type lively struct {
	r     io.Reader
	alive func()
}

func (l lively) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if n > 0 {
		l.alive()
	}
	return n, err
}
