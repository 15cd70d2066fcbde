package release

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"nats-roll/cluster"
)

// Releases is where nats-server's releases are published. Below it lies, for
// each version, vV/SHA256SUMS and the archives vV/nats-server-vV-OS-ARCH.tar.gz
// or .zip. A mirror has the same layout. (nats-server .goreleaser.yml)
const Releases = "https://github.com/nats-io/nats-server/releases/download"

// Bounds of what is taken from a server that may be anything.
const (
	maxSums    = 1 << 20
	maxArchive = 256 << 20
	maxProgram = 512 << 20
	maxHops    = 10
)

// How long a server may be silent, and how often a download that made no
// progress is tried again.
const (
	dialTime    = 5 * time.Second
	silence     = 20 * time.Second
	maxFailures = 4
	firstPause  = 250 * time.Millisecond
)

var _ Source = download{}

// download gets the archives of nats-server's releases, checked against the
// release's own SHA256SUMS before anything of them is unpacked.
type download struct {
	store   *Store
	base    string // the address of Releases, or of a mirror
	silence time.Duration
	client  *http.Client
}

// newDownload makes the source for a mirror; empty means Releases.
func newDownload(store *Store, mirror string) download {
	return download{
		store: store, base: cmp.Or(mirror, Releases), silence: silence,
		client: &http.Client{
			Transport: &http.Transport{
				Proxy:                 http.ProxyFromEnvironment,
				DialContext:           (&net.Dialer{Timeout: dialTime}).DialContext,
				TLSHandshakeTimeout:   dialTime,
				ResponseHeaderTimeout: silence,
				DisableCompression:    true, // archives are; and sizes are those of the files
				ForceAttemptHTTP2:     true,
			},
			CheckRedirect: func(r *http.Request, via []*http.Request) error {
				switch {
				case len(via) >= maxHops:
					return fmt.Errorf("more than %d redirects", maxHops)
				case via[0].URL.Scheme == "https" && r.URL.Scheme != "https":
					return fmt.Errorf("redirected from https to %s", r.URL.Redacted())
				}
				return nil
			},
		},
	}
}

func (download) Name() string { return "release" }

// Get downloads into the store.
func (d download) Get(ctx context.Context, v cluster.Version, p Progress) (cluster.Build, error) {
	return d.store.Fetch(ctx, v, d.Name(), p, func(ctx context.Context, dir string) (string, error) {
		defer d.client.CloseIdleConnections()
		return d.fill(ctx, v, dir, p)
	})
}

// fill brings the program of one release into dir.
func (d download) fill(ctx context.Context, v cluster.Version, dir string, p Progress) (string, error) {
	base, err := url.Parse(d.base)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return "", &Error{
			Reason: fmt.Sprintf("the mirror %s is no address", plainURL(d.base)), Err: ErrSelector,
			Hint: "use --mirror " + Releases,
		}
	}
	at := func(file string) string { return base.JoinPath(v.Tag(), file).String() }
	p.say("reading %s", plainURL(at(sumsFile)))
	body, err := d.small(ctx, at(sumsFile))
	if errors.Is(err, ErrUnknownVersion) && d.unverified(ctx, v, at) {
		return "", &Error{
			Reason: fmt.Sprintf("the release has no %s, so it cannot be verified", sumsFile),
			Hint:   "use --source module, which is checked by Go's checksum database", Err: ErrChecksum,
		}
	}
	if err != nil {
		return "", err
	}
	sums, err := parseSums(body)
	if err != nil {
		return "", err
	}
	folder, archive, sum, err := pick(sums, v, runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, archive)
	if err := d.download(ctx, at(archive), file, p); err != nil {
		return "", err
	}
	p.say("checking %s", archive)
	got, err := hashFile(ctx, file)
	if err != nil {
		return "", err
	}
	if got != sum {
		return "", &Error{
			Reason: fmt.Sprintf("%s is not what %s says: sha256 is %.12s…, not %.12s…", archive, sumsFile, got, sum),
			Hint:   "somebody on the way changed it, or the mirror is broken; try another network or mirror", Err: ErrChecksum,
		}
	}
	p.say("unpacking %s", archive)
	return unpack(ctx, file, folder, dir)
}

// unverified says that a release whose list of checksums is missing is there
// all the same.
func (d download) unverified(ctx context.Context, v cluster.Version, at func(string) string) bool {
	for _, ending := range endings(runtime.GOOS) {
		if d.has(ctx, at(stem(v.Tag(), runtime.GOOS, runtime.GOARCH)+ending)) {
			return true
		}
	}
	return false
}

// small reads a file whole, again when the connection breaks.
func (d download) small(ctx context.Context, address string) (body []byte, err error) {
	err = d.again(ctx, func(ctx context.Context, alive func()) (bool, error) {
		res, err := d.ask(ctx, address, nil)
		if err != nil {
			return false, err
		}
		defer res.Body.Close()
		body, err = io.ReadAll(io.LimitReader(lively{res.Body, alive}, maxSums+1))
		if len(body) > maxSums {
			return false, fail(ErrNetwork, "%s is larger than %d bytes", plainURL(address), maxSums)
		}
		return false, err
	})
	return body, err
}

// download writes a file, and goes on where it was when the connection breaks.
// A server that cannot resume, or has another file by now, begins anew.
func (d download) download(ctx context.Context, address, to string, p Progress) error {
	f, err := os.OpenFile(to, os.O_CREATE|os.O_RDWR|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	t := &transfer{file: f, name: filepath.Base(to), progress: p, began: time.Now()}
	err = d.again(ctx, func(ctx context.Context, alive func()) (bool, error) {
		before := t.have
		err := d.part(ctx, address, t, alive)
		return t.have > before, err
	})
	return errors.Join(err, f.Close())
}

// part asks for what is missing and takes it.
func (d download) part(ctx context.Context, address string, t *transfer, alive func()) error {
	res, err := d.ask(ctx, address, t.header())
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := t.begin(res); err != nil {
		return err
	}
	if _, err := io.Copy(t, lively{res.Body, alive}); err != nil {
		return err
	}
	if t.total >= 0 && t.have < t.total {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// again runs a request until it succeeds, cannot, or made no progress for some
// times. A server that goes silent in the middle counts as a broken connection.
func (d download) again(ctx context.Context, try func(ctx context.Context, alive func()) (progress bool, err error)) error {
	for failures, pause := 0, firstPause; ; pause *= 2 {
		asked, cancel := context.WithCancelCause(ctx)
		watch := time.AfterFunc(d.silence, func() {
			cancel(fmt.Errorf("the server is silent for %s", d.silence))
		})
		progress, err := try(asked, func() { watch.Reset(d.silence) })
		watch.Stop()
		cause := context.Cause(asked)
		cancel(nil)
		switch own, final := errors.AsType[*Error](err); {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case final:
			return own
		case cause != nil:
			err = cause
		}
		if progress {
			failures, pause = 0, firstPause
		}
		if failures++; failures == maxFailures || hopeless(err) {
			return broken(err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// hopeless says that trying at once again would fail the same way.
func hopeless(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return !dns.IsTemporary || dns.IsNotFound
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// broken is an error for a network that does not do it.
func broken(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return fail(ErrNetwork, "the download does not work: %v", err)
}

func fail(kind error, format string, args ...any) *Error {
	return &Error{Reason: clip(fmt.Sprintf(format, args...)), Hint: "look at the network, or use --mirror URL, --source module, or " + giveFile, Err: kind}
}

// ask sends a request and understands a refusal.
func (d download) ask(ctx context.Context, address string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fail(ErrNetwork, "%s is no address", plainURL(address))
	}
	for k, v := range header {
		req.Header[k] = v
	}
	res, err := d.client.Do(req)
	if err != nil {
		return nil, err
	}
	if err := refusal(res, address); err != nil {
		res.Body.Close()
		return nil, err
	}
	return res, nil
}

// has says whether the server answers for an address, without reading it.
func (d download) has(ctx context.Context, address string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return false
	}
	res, err := d.client.Do(req)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// plainURL is an address without the credentials that a mirror's may have.
func plainURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the mirror's address"
	}
	u.RawQuery, u.User = "", nil
	return u.String()
}
