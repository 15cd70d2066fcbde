package fleet

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// dialer makes the connections of one client as the library's own dialer would.
// It is there for the earliest sign that a server is gone: the read that fails.
// The library's disconnect handler comes later, from a queue, and late when
// thousands of clients are hit at once.
type dialer struct{ client *client }

// Dial implements nats.CustomDialer.
func (d dialer) Dial(network, address string) (net.Conn, error) {
	conn, err := net.DialTimeout(network, address, nats.DefaultTimeout)
	if err != nil {
		return nil, err
	}
	l := &link{Conn: conn, client: d.client}
	d.client.link.Store(l)
	return l, nil
}

// link is one TCP connection of a client.
type link struct {
	net.Conn
	client *client
	gone   atomic.Bool
}

// Read reads, and notes the first failure.
func (l *link) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if err != nil {
		l.lost(err)
	}
	return n, err
}

// Close closes the connection; that the library does so is news as well: pings
// were not answered, or a write failed.
func (l *link) Close() error {
	l.lost(nil)
	return l.Conn.Close()
}

func (l *link) lost(err error) {
	if l.gone.CompareAndSwap(false, true) && l.client.link.Load() == l {
		l.client.lost(time.Now(), err)
	}
}
