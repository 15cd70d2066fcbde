package release_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"nats-roll/release"
)

// What a network can do to a download.
func TestReleaseOverABadNetwork(t *testing.T) {
	program := compiled(t, published)
	archive := tarGz(t, usual(program))
	only := func(part string, do http.HandlerFunc) func(http.HandlerFunc) http.HandlerFunc {
		return func(next http.HandlerFunc) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, part) {
					do(w, r)
					return
				}
				next(w, r)
			}
		}
	}
	// cut ends the connection after some bytes, for the first n requests.
	cut := func(m *mirror, n int64, resumes bool) func(http.HandlerFunc) http.HandlerFunc {
		var left atomic.Int64
		left.Store(n)
		return only(".tar.gz", func(w http.ResponseWriter, r *http.Request) {
			if !resumes {
				r.Header.Del("Range")
				r.Header.Del("If-Range")
			}
			if left.Add(-1) >= 0 {
				w = &cutWriter{w, len(archive) / 4}
			}
			m.serve(w, r)
		})
	}
	for name, tc := range map[string]struct {
		wrap  func(m *mirror) func(http.HandlerFunc) http.HandlerFunc
		kind  error
		words string
		after func(t *testing.T, m *mirror)
	}{
		"cut off twice, and resumed": {
			wrap: func(m *mirror) func(http.HandlerFunc) http.HandlerFunc { return cut(m, 2, true) },
			after: func(t *testing.T, m *mirror) {
				if m.requests("bytes=") != 2 {
					t.Errorf("asked %q", m.asked)
				}
			},
		},
		"cut off once by a server that cannot resume": {
			wrap: func(m *mirror) func(http.HandlerFunc) http.HandlerFunc { return cut(m, 1, false) },
		},
		"cut off before the first byte, always": {
			wrap: func(*mirror) func(http.HandlerFunc) http.HandlerFunc {
				return only(".tar.gz", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
			},
			kind: release.ErrNetwork, words: "EOF",
		},
		"another file after the cut": {
			wrap: func(m *mirror) func(http.HandlerFunc) http.HandlerFunc {
				first := cut(m, 1, true)
				return func(next http.HandlerFunc) http.HandlerFunc {
					h := first(next)
					return func(w http.ResponseWriter, r *http.Request) {
						if r.Header.Get("Range") != "" {
							m.mu.Lock()
							for k, v := range m.files {
								if strings.HasSuffix(k, ".tar.gz") {
									m.files[k] = append(bytes.Clone(v), 0)
								}
							}
							m.mu.Unlock()
						}
						h(w, r)
					}
				}
			},
			kind: release.ErrChecksum, words: "is not what SHA256SUMS says",
		},
		"500 once": {
			wrap: func(m *mirror) func(http.HandlerFunc) http.HandlerFunc {
				var n atomic.Int64
				return only("", func(w http.ResponseWriter, r *http.Request) {
					if n.Add(1) == 1 {
						http.Error(w, "oops", http.StatusInternalServerError)
						return
					}
					m.serve(w, r)
				})
			},
		},
		"503 always": {
			wrap: func(*mirror) func(http.HandlerFunc) http.HandlerFunc {
				return only("", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "busy", http.StatusServiceUnavailable) })
			},
			kind: release.ErrNetwork, words: "503",
		},
		"403 with a rate limit": {
			wrap: func(*mirror) func(http.HandlerFunc) http.HandlerFunc {
				return only("", func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Retry-After", "90")
					http.Error(w, "rate limit exceeded", http.StatusForbidden)
				})
			},
			kind: release.ErrNetwork, words: "403 Forbidden, rate limit exceeded",
		},
		"a login page": {
			wrap: func(*mirror) func(http.HandlerFunc) http.HandlerFunc {
				return only("", func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "text/html; charset=utf-8")
					fmt.Fprint(w, "<!DOCTYPE html><title>Free Wi-Fi</title>")
				})
			},
			kind: release.ErrNetwork, words: "log in first",
		},
		"a login page that says it is a file": {
			wrap: func(*mirror) func(http.HandlerFunc) http.HandlerFunc {
				return only("", func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "application/octet-stream")
					fmt.Fprint(w, "<!DOCTYPE html><title>Free Wi-Fi</title>")
				})
			},
			kind: release.ErrNetwork, words: "log in first",
		},
		"redirected, as GitHub does": {
			wrap: func(m *mirror) func(http.HandlerFunc) http.HandlerFunc {
				return only("", func(w http.ResponseWriter, r *http.Request) {
					if inner, ok := strings.CutPrefix(r.URL.Path, "/objects"); ok {
						r.URL.Path = inner
						m.serve(w, r)
						return
					}
					http.Redirect(w, r, "/objects"+r.URL.Path+"?token=secret", http.StatusFound)
				})
			},
		},
		"redirected in a circle": {
			wrap: func(*mirror) func(http.HandlerFunc) http.HandlerFunc {
				return only("", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) })
			},
			kind: release.ErrNetwork, words: "redirects",
		},
		"a size that no server has": {
			wrap: func(*mirror) func(http.HandlerFunc) http.HandlerFunc {
				return only(".tar.gz", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "99999999999") })
			},
			kind: release.ErrNetwork, words: "more than any nats-server",
		},
		"an endless SHA256SUMS": {
			wrap: func(*mirror) func(http.HandlerFunc) http.HandlerFunc {
				return only("SHA256SUMS", func(w http.ResponseWriter, r *http.Request) {
					for r.Context().Err() == nil {
						if _, err := w.Write(bytes.Repeat([]byte("0123456789abcdef"), 4096)); err != nil {
							return
						}
					}
				})
			},
			kind: release.ErrNetwork, words: "larger than",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMirror(t)
			m.publish(published, ".tar.gz", bytes.Clone(archive))
			m.wrap = tc.wrap(m)
			o := m.options(t)
			b, err := release.New(o).Resolve(t.Context(), string(published), nil)
			switch {
			case tc.kind != nil:
				wantError(t, err, tc.kind, tc.words)
				if left := leftovers(t, o.Dir); len(left) > 0 {
					t.Errorf("left in the store: %q", left)
				}
			case err != nil:
				t.Fatal(err)
			case b.SHA256 != fmt.Sprintf("%x", sha256.Sum256(program)):
				t.Errorf("got %+v", b)
			}
			if tc.after != nil {
				tc.after(t, m)
			}
		})
	}
}

// cutWriter ends the connection after so many bytes.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Write(b []byte) (int, error) {
	if len(b) > c.left {
		_, _ = c.ResponseWriter.Write(b[:c.left])
		c.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	c.left -= len(b)
	return c.ResponseWriter.Write(b)
}
