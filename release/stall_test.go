package release

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// A server that sends little by little is waited for; one that falls silent is
// asked again, for the rest.
func TestSlowAndSilentServers(t *testing.T) {
	content := bytes.Repeat([]byte("nats"), 5000)
	for name, silent := range map[string]bool{"slow": false, "silent in the middle": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Etag", `"1"`)
				if asked.Add(1) == 1 {
					slowly(w, r, content, silent)
					return
				}
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
			}))
			t.Cleanup(srv.Close)
			d := newDownload(NewStore(t.TempDir()), srv.URL)
			d.silence = 300 * time.Millisecond
			to := filepath.Join(t.TempDir(), "file")
			began := time.Now()
			if err := d.download(t.Context(), srv.URL, to, nil); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(to)
			if err != nil || sha256.Sum256(got) != sha256.Sum256(content) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			want := int64(1)
			if silent {
				want = 2
			}
			if asked.Load() != want || time.Since(began) < d.silence {
				t.Errorf("asked %d times in %s, want %d", asked.Load(), time.Since(began), want)
			}
		})
	}
}

// slowly sends a piece at a time, for longer than the silence that is allowed,
// or one piece and then nothing.
func slowly(w http.ResponseWriter, r *http.Request, content []byte, silent bool) {
	const pieces = 10
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	for i := range pieces {
		_, _ = w.Write(content[i*len(content)/pieces : (i+1)*len(content)/pieces])
		w.(http.Flusher).Flush()
		pause := time.After(60 * time.Millisecond)
		if silent {
			pause = nil
		}
		select {
		case <-r.Context().Done():
			return
		case <-pause:
		}
	}
}
