package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"nats-roll/cluster"
)

// Ask asks a server for /varz, /routez, /connz and /healthz, all at the same
// time, and for /jsz if it has JetStream, and puts the answers together. Of the connections it gets one page, the
// newest first (sort=uptime puts the youngest first in every version; sort=start
// the oldest): after a change, the clients that came are of interest.
//
// Began is taken before the first question leaves and Ended after the last
// answer is in. An error names the node and the endpoint: a connection that was
// refused, an answer that took longer than Timeout, or answers by two processes,
// which happens when the server restarts meanwhile.
func Ask(ctx context.Context, client *http.Client, node cluster.Node, page int) (cluster.Answer, error) {
	return ask(ctx, client, node, page, round{health: true, jetStream: true})
}

// round is what a round of questions depends on.
type round struct {
	health    bool           // whether /healthz is asked
	jetStream bool           // whether /jsz is asked, of a server that has it
	before    cluster.Answer // strangers that were listed there and are not any more are asked for
}

func ask(ctx context.Context, client *http.Client, node cluster.Node, page int, r round) (cluster.Answer, error) {
	var (
		varz    varz
		routez  routez
		connz   connz
		healthz healthz
	)
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	group, together := errgroup.WithContext(ctx)
	from := func(path string, into any, statuses func(int) bool) {
		group.Go(func() error { return get(together, client, node.MonitorURL()+path, into, statuses) })
	}
	from("/varz", &varz, okOnly)
	from("/routez", &routez, okOnly)
	from("/connz?auth=1&sort=uptime&limit="+strconv.Itoa(page), &connz, okOnly)
	if r.health {
		from("/healthz", &healthz, okOrWhy)
	}
	if err := group.Wait(); err != nil {
		return cluster.Answer{}, fmt.Errorf("ask %s: %w", node.Name, err)
	}
	ended := time.Now()
	if varz.ServerID == "" || varz.ServerID != routez.ServerID || varz.ServerID != connz.ServerID {
		return cluster.Answer{}, fmt.Errorf("ask %s: /varz is by server %.8q, /routez by %.8q, /connz by %.8q",
			node.Name, varz.ServerID, routez.ServerID, connz.ServerID)
	}
	a := answer(varz, routez, connz)
	a.Node, a.Began, a.Ended = node.Name, began, ended
	if r.health {
		a.Healthy, a.Health = healthz.verdict()
	}
	if r.jetStream && varz.JetStream.Stats != nil {
		var jsz jsz
		asked := time.Now()
		if err := get(ctx, client, node.MonitorURL()+"/jsz?accounts=true&streams=true", &jsz, okOnly); err == nil { // the rest is worth something without it
			a.JetStream = jsz.jetStream()
			a.JetStream.Asked = asked
		}
	}
	if gone := vanished(r.before, a); len(gone) > 0 {
		a.Closed = closings(ctx, client, node, r.before, gone)
	}
	return a, nil
}

// closings asks for the connections that were closed last, of which a server
// keeps 10,000. One can be in neither list for a moment: it is written down by a
// goroutine of its own. (nats-server server/client.go markConnAsClosed) A server
// that has just ended does not answer, and nobody knows.
func closings(ctx context.Context, client *http.Client, node cluster.Node, before cluster.Answer, gone []cluster.Connection) (ends []cluster.Closing) {
	for range 3 {
		var list connz
		err := get(ctx, client, node.MonitorURL()+"/connz?state=closed&sort=stop&limit=1024", &list, okOnly)
		ends = list.closings(before, gone)
		if err != nil || !slices.ContainsFunc(ends, func(c cluster.Closing) bool { return c.Stop.IsZero() }) {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
	return ends
}

func okOnly(status int) bool { return status == http.StatusOK }

// okOrWhy also takes 503, 500 and 404, which carry a body that says why the
// server is not well. (nats-server server/monitor.go HandleHealthz)
func okOrWhy(status int) bool { return status == http.StatusOK || status >= http.StatusBadRequest }

// get decodes one endpoint's answer.
func get(ctx context.Context, client *http.Client, address string, into any, statuses func(int) bool) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	path := req.URL.Path
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", path, plain(err))
	}
	defer res.Body.Close()
	if !statuses(res.StatusCode) {
		return fmt.Errorf("%s: status %s", path, res.Status)
	}
	// Read to the end, or the connection cannot be used again.
	body, err := io.ReadAll(http.MaxBytesReader(nil, res.Body, maxBody))
	if err != nil {
		return fmt.Errorf("%s: %w", path, plain(err))
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s: decode: %w", path, err)
	}
	return nil
}

// plain leaves out the address, which the caller knows, and says a time-out in
// words.
func plain(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return errSilent
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// errSilent is a server that accepts connections and says nothing.
var errSilent = fmt.Errorf("no answer within %s", Timeout)
