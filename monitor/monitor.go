// Package monitor asks nats-servers about themselves over their HTTP monitoring
// endpoints and tells the answers as cluster.Answered and cluster.Unanswered.
// It asks only; what an answer means is for upgrade to judge, and whether a
// process lives is for proc to know.
//
// A Watcher has one goroutine for each node, from Watch to Close. Each asks
// about its own node, one question round at a time, and sleeps while the node
// has no process. A round spawns one goroutine for each endpoint and waits for
// all of them, at most Timeout. Close ends everything and waits.
package monitor

import (
	"net"
	"net/http"
	"time"
)

const (
	// Timeout is how long a server may take for one round of questions. A
	// server that takes longer, such as a stopped process, does not answer.
	Timeout = time.Second

	// DefaultPage is how many connections are asked for where nothing else is
	// said. The server sorts all of them for each question; a page bounds what
	// travels and is decoded.
	DefaultPage = 128

	// maxBody bounds one answer. A page of 10,000 connections is about 4 MiB.
	maxBody = 8 << 20
)

// NewClient makes a client that goes straight to the address it was given: no
// proxy, whatever the environment says, and no redirects. It keeps as many
// connections to a server as one round needs.
func NewClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            (&net.Dialer{Timeout: Timeout}).DialContext,
			DisableCompression:     true,
			MaxIdleConnsPerHost:    4,
			IdleConnTimeout:        10 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
