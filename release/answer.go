package release

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"time"
)

// refusal says why an answer is not the file that was asked for, or nil. What
// will be the same a moment later is an *Error; the rest may be tried again.
func refusal(res *http.Response, address string) error {
	at := plainURL(address)
	switch code := res.StatusCode; {
	case code == http.StatusOK, code == http.StatusPartialContent:
		if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind == "text/html" {
			return fail(ErrNetwork, "a web page came instead of %s; this network may want you to log in first", path.Base(at))
		}
		return nil
	case code == http.StatusRequestedRangeNotSatisfiable:
		return nil // transfer begins anew
	case code == http.StatusNotFound, code == http.StatusGone:
		return &Error{
			Reason: fmt.Sprintf("there is no %s (%s)", at, res.Status),
			Hint:   "look the version up at https://github.com/nats-io/nats-server/releases", Err: ErrUnknownVersion,
		}
	case code == http.StatusForbidden, code == http.StatusTooManyRequests:
		return &Error{
			Reason: fmt.Sprintf("the server refuses: %s%s", res.Status, saysWhy(res)),
			Hint:   waitFor(res.Header) + "use --source module, or " + giveFile, Err: ErrNetwork,
		}
	case code == http.StatusUnauthorized, code == http.StatusProxyAuthRequired:
		return fail(ErrNetwork, "the server or a proxy wants a password: %s", res.Status)
	case code >= 500, code == http.StatusRequestTimeout:
		return fmt.Errorf("the server says %s", res.Status)
	default:
		return fail(ErrNetwork, "the server says %s", res.Status)
	}
}

// saysWhy is the first line of a refusal, if it is one for people.
func saysWhy(res *http.Response) string {
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind != "text/plain" {
		return ""
	}
	b, _ := io.ReadAll(io.LimitReader(res.Body, 200))
	if line := firstLine(string(b)); line != "" {
		return ", " + line
	}
	return ""
}

// waitFor reads when a limit on requests ends. (Retry-After, RFC 9110;
// X-RateLimit-Reset is GitHub's, in seconds since 1970)
func waitFor(h http.Header) string {
	left := time.Duration(0)
	if n, err := strconv.Atoi(h.Get("Retry-After")); err == nil {
		left = time.Duration(n) * time.Second
	} else if n, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil {
		left = time.Until(time.Unix(n, 0))
	}
	if left <= 0 {
		return ""
	}
	return fmt.Sprintf("try again in %s, or ", left.Round(time.Second))
}
