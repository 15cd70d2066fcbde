package monitor

import (
	"cmp"
	"net"
	"reflect"
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
	SystemAccount    string          `json:"system_account"`
	JetStream        struct {
		// Absent where it is off. Beside it stands a config, but that stays absent of a server
		// which was asked for its /varz before its JetStream was up. (nats-server
		// server/monitor.go HandleVarz)
		Stats *struct{} `json:"stats"`
	} `json:"jetstream"`
}

type routez struct {
	ServerID string `json:"server_id"`
	Routes   []struct {
		RemoteID   string `json:"remote_id"`
		RemoteName string `json:"remote_name"` // since 2.9
		Solicited  bool   `json:"did_solicit"` // this server dialed
		Configured bool   `json:"is_configured"`
	} `json:"routes"`
}

type connz struct {
	ServerID    string `json:"server_id"`
	Total       int    `json:"total"` // of all pages
	Connections []conn `json:"connections"`
}

type conn struct {
	CID      uint64    `json:"cid"`
	IP       string    `json:"ip"`
	Port     int       `json:"port"`
	Kind     string    `json:"kind"` // Client or Leafnode
	Start    time.Time `json:"start"`
	Stop     time.Time `json:"stop"`   // of a closed one
	Reason   string    `json:"reason"` // of a closed one
	RTT      string    `json:"rtt"`    // Go's notation: "948µs"; absent before the first ping came back
	Pending  int       `json:"pending_bytes"`
	InMsgs   int64     `json:"in_msgs"`
	OutMsgs  int64     `json:"out_msgs"`
	OutBytes int64     `json:"out_bytes"`
	Subs     int       `json:"subscriptions"`
	Name     string    `json:"name"`
	Lang     string    `json:"lang"`
	Version  string    `json:"version"`
	Account  string    `json:"account"` // absent for the global one
	User     string    `json:"authorized_user"`
}

type healthz struct {
	Status string `json:"status"` // ok, unavailable, error
	Error  string `json:"error"`
}

type jsz struct {
	Meta struct {
		Leader   string `json:"leader"`
		Size     int    `json:"cluster_size"`
		Replicas []struct {
			Name    string `json:"name"`
			Current bool   `json:"current"`
			Offline bool   `json:"offline"`
			Lag     uint64 `json:"lag"`
		} `json:"replicas"`
	} `json:"meta_cluster"`
	Accounts []struct {
		Name    string `json:"name"`
		Streams []struct {
			Name  string `json:"name"`
			State struct {
				Messages uint64 `json:"messages"`
				Last     uint64 `json:"last_seq"`
			} `json:"state"`
		} `json:"stream_detail"`
	} `json:"account_details"`
}

// globalAccount is where clients are that do not say who they are.
const globalAccount = "$G"

// jetStream is what a server says of JetStream, in an order that does not change.
func (j jsz) jetStream() cluster.JetStream {
	out := cluster.JetStream{Meta: cluster.Meta{Leader: j.Meta.Leader, Size: j.Meta.Size}}
	for _, r := range j.Meta.Replicas {
		out.Meta.Replicas = append(out.Meta.Replicas, cluster.Replica{Node: cluster.PeerName(r.Name), Current: r.Current, Offline: r.Offline, Lag: r.Lag})
	}
	for _, a := range j.Accounts {
		if a.Name != globalAccount {
			continue
		}
		for _, s := range a.Streams {
			out.Stores = append(out.Stores, cluster.Store{Stream: s.Name, Messages: s.State.Messages, Last: s.State.Last})
		}
	}
	slices.SortFunc(out.Meta.Replicas, func(a, b cluster.Replica) int { return cmp.Compare(a.Node, b.Node) })
	slices.SortFunc(out.Stores, func(a, b cluster.Store) int { return cmp.Compare(a.Stream, b.Stream) })
	return out
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
		Clients:          c.clients(v),
		Partial:          len(c.Connections) < c.Total,
	}
}

// Servers before that print the token of a client that has one where others
// have their user. (client.go getRawAuthUser: 2.9.25 does, 2.10.29 does not.)
const redacts cluster.Version = "2.10.29"

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
		if route.Solicited {
			peers[i].Dialed++
		}
		if route.Configured {
			peers[i].Configured++
		}
		peers[i].Name = cmp.Or(peers[i].Name, route.RemoteName)
	}
	slices.SortFunc(peers, func(a, b cluster.Peer) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return peers
}

func (c connz) clients(v varz) []cluster.Connection {
	var clients []cluster.Connection
	for _, s := range c.Connections {
		if s.Kind == "Leafnode" {
			continue
		}
		if v.Version.Compare(redacts) < 0 {
			s.User = ""
		}
		clients = append(clients, cluster.Connection{
			CID: s.CID, Name: s.Name, Lang: s.Lang, Version: s.Version,
			Addr:  net.JoinHostPort(s.IP, strconv.Itoa(s.Port)),
			Start: s.Start, Subs: s.Subs,
			InMsgs: s.InMsgs, OutMsgs: s.OutMsgs, OutBytes: s.OutBytes,
			Pending: s.Pending, RTT: s.RTT,
			Account: s.Account, User: s.User, System: s.Account != "" && s.Account == v.SystemAccount,
		})
	}
	return clients
}

// vanished finds the strangers that a server listed before and does not any
// more, although their age would have put them on the page.
func vanished(before, now cluster.Answer) []cluster.Connection {
	if before.ServerID != now.ServerID {
		return nil
	}
	listed := make(map[uint64]bool, len(now.Clients))
	for _, c := range now.Clients {
		listed[c.CID] = true
	}
	var out []cluster.Connection
	for _, c := range before.Clients {
		if c.Stranger() && !listed[c.CID] && now.Lists(c.Start) {
			out = append(out, c)
		}
	}
	return out
}

// closings tells the ends of those that vanished after the answer before.
func (c connz) closings(before cluster.Answer, gone []cluster.Connection) []cluster.Closing {
	var out []cluster.Closing
	for _, g := range gone {
		end := cluster.Closing{CID: g.CID, Seen: before.Began}
		if i := slices.IndexFunc(c.Connections, func(s conn) bool { return s.CID == g.CID }); i >= 0 {
			end.Stop, end.Reason = c.Connections[i].Stop, c.Connections[i].Reason
		}
		out = append(out, end)
	}
	return out
}

// same says that nothing happened between two answers of one server. Counters
// that run by themselves (messages, bytes, pending, round trips) do not count.
func same(a, b cluster.Answer) bool {
	return a.ServerID == b.ServerID && a.Version == b.Version &&
		a.Routes == b.Routes && slices.Equal(a.Peers, b.Peers) &&
		a.Connections == b.Connections && a.TotalConnections == b.TotalConnections &&
		a.Healthy == b.Healthy && a.Health == b.Health &&
		reflect.DeepEqual(a.JetStream.Gist(), b.JetStream.Gist()) &&
		slices.Equal(a.ConnectURLs, b.ConnectURLs) &&
		slices.EqualFunc(a.Clients, b.Clients, func(a, b cluster.Connection) bool { return a.CID == b.CID && a.Subs == b.Subs })
}
