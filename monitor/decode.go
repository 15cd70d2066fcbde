package monitor

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"time"

	"nats-roll/cluster"
)

// What is decoded of each endpoint: the fields that every server from 2.8 to
// 2.15 has, and those of later ones that are used where they are present. The
// rest is skipped. (nats-server server/monitor.go)

type varz struct {
	ServerID         string          `json:"server_id"`
	ServerName       string          `json:"server_name"` // the id, of an unnamed server
	Version          cluster.Version `json:"version"`
	Start            time.Time       `json:"start"`
	ConnectURLs      []string        `json:"connect_urls"`
	Connections      int             `json:"connections"`
	TotalConnections uint64          `json:"total_connections"`
	InMsgs           int64           `json:"in_msgs"`
	OutMsgs          int64           `json:"out_msgs"`
	SlowConsumers    int64           `json:"slow_consumers"`
}

type routez struct {
	ServerID string `json:"server_id"`
	Routes   []struct {
		RemoteID   string `json:"remote_id"`
		RemoteName string `json:"remote_name"` // since 2.9
	} `json:"routes"`
}

type connz struct {
	ServerID    string `json:"server_id"`
	Connections []conn `json:"connections"`
}

type conn struct {
	CID      uint64    `json:"cid"`
	IP       string    `json:"ip"`
	Port     int       `json:"port"`
	Start    time.Time `json:"start"`
	RTT      string    `json:"rtt"` // Go's notation: "948µs"; absent before the first ping came back
	Pending  int       `json:"pending_bytes"`
	InMsgs   int64     `json:"in_msgs"`
	OutMsgs  int64     `json:"out_msgs"`
	OutBytes int64     `json:"out_bytes"`
	Subs     int       `json:"subscriptions"`
	Name     string    `json:"name"`
	Lang     string    `json:"lang"`
	Version  string    `json:"version"`
}

type healthz struct {
	Status string `json:"status"` // ok, unavailable, error
	Error  string `json:"error"`
}

// verdict is what the server says of its health, and why it is not well.
func (h healthz) verdict() (ok bool, why string) {
	if h.Status == "ok" {
		return true, ""
	}
	return false, cmp.Or(h.Error, h.Status, "no status")
}

// answer puts together what was decoded.
func answer(v varz, r routez, c connz) cluster.Answer {
	return cluster.Answer{
		ServerID:         v.ServerID,
		Name:             v.ServerName,
		Version:          v.Version,
		Start:            v.Start,
		ConnectURLs:      v.ConnectURLs,
		Routes:           len(r.Routes),
		Peers:            r.peers(),
		Connections:      v.Connections,
		TotalConnections: v.TotalConnections,
		InMsgs:           v.InMsgs,
		OutMsgs:          v.OutMsgs,
		SlowConsumers:    v.SlowConsumers,
		Clients:          c.clients(),
	}
}

// peers groups the route connections by who is at the other end. Servers list
// them in no order; here they are by name and id, so that answers compare.
func (r routez) peers() []cluster.Peer {
	var peers []cluster.Peer
	for _, route := range r.Routes {
		i := slices.IndexFunc(peers, func(p cluster.Peer) bool { return p.ID == route.RemoteID })
		if i < 0 {
			i = len(peers)
			peers = append(peers, cluster.Peer{ID: route.RemoteID})
		}
		peers[i].Routes++
		peers[i].Name = cmp.Or(peers[i].Name, route.RemoteName)
	}
	slices.SortFunc(peers, func(a, b cluster.Peer) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return peers
}

func (c connz) clients() []cluster.Connection {
	if len(c.Connections) == 0 {
		return nil
	}
	clients := make([]cluster.Connection, len(c.Connections))
	for i, s := range c.Connections {
		clients[i] = cluster.Connection{
			CID: s.CID, Name: s.Name, Lang: s.Lang, Version: s.Version,
			Addr:  net.JoinHostPort(s.IP, strconv.Itoa(s.Port)),
			Start: s.Start, Subs: s.Subs,
			InMsgs: s.InMsgs, OutMsgs: s.OutMsgs, OutBytes: s.OutBytes,
			Pending: s.Pending, RTT: s.RTT,
		}
	}
	return clients
}

// same says that nothing happened between two answers of one server. Counters
// that run by themselves (messages, bytes, pending, round trips) do not count.
func same(a, b cluster.Answer) bool {
	return a.ServerID == b.ServerID && a.Version == b.Version &&
		a.Routes == b.Routes && slices.Equal(a.Peers, b.Peers) &&
		a.Connections == b.Connections && a.TotalConnections == b.TotalConnections &&
		a.Healthy == b.Healthy && a.Health == b.Health &&
		slices.Equal(a.ConnectURLs, b.ConnectURLs) &&
		slices.EqualFunc(a.Clients, b.Clients, func(a, b cluster.Connection) bool { return a.CID == b.CID && a.Subs == b.Subs })
}
