package fleet

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"nats-roll/cluster"
)

// systemPatience is how long a server may take to answer.
const systemPatience = 5 * time.Second

// System asks the servers something through the system account, by a connection of
// its own to one of these URLs, and returns the first answer. Without a deadline of
// the context's it waits five seconds.
func System(ctx context.Context, urls []string, subject string, body []byte) ([]byte, error) {
	if len(urls) == 0 {
		return nil, errors.New("there is no server to ask")
	}
	ctx, cancel := context.WithTimeout(ctx, systemPatience)
	defer cancel()
	nc, err := nats.Connect(strings.Join(urls, ","), nats.Name(cluster.FleetPrefix+"system"), nats.NoReconnect(),
		nats.UserInfo(cluster.SystemUser, cluster.SystemPassword), nats.Timeout(systemPatience/2))
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	msg, err := nc.RequestWithContext(ctx, subject, body)
	if err != nil {
		return nil, err
	}
	return msg.Data, nil
}
