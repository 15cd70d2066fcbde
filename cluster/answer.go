package cluster

import (
	"slices"
	"strings"
	"time"
)

// Answer is what one server said about itself over HTTP: /varz, /routez,
// /connz and /healthz, asked together. Began is when the first question left;
// an answer that began before an action ended proves nothing about it.
type Answer struct {
	Node  string    `json:"node"`
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`

	ServerID string    `json:"server_id"` // new at every start of an unnamed server
	Name     string    `json:"name,omitempty"`
	Version  Version   `json:"version"`
	Start    time.Time `json:"start"`

	ConnectURLs []string `json:"connect_urls,omitempty"` // what it tells clients about itself
	Routes      int      `json:"routes"`                 // route connections, not peers
	Peers       []Peer   `json:"peers,omitempty"`        // distinct remote ids

	Connections      int    `json:"connections"` // clients now
	TotalConnections uint64 `json:"total_connections"`
	InMsgs           int64  `json:"in_msgs"`
	OutMsgs          int64  `json:"out_msgs"`
	SlowConsumers    int64  `json:"slow_consumers,omitempty"`

	Clients []Connection `json:"clients,omitempty"` // one page of /connz, newest first
	Partial bool         `json:"partial,omitempty"` // there are older ones, which are not listed
	Closed  []Closing    `json:"closed,omitempty"`  // strangers that were listed before and are not any more

	Healthy bool   `json:"healthy"`
	Health  string `json:"health,omitempty"` // why not, in the server's words

	JetStream JetStream `json:"jetstream,omitzero"` // zero for a server that has none
}

// Known says that there is an answer.
func (a Answer) Known() bool { return a.ServerID != "" }

// Lists says that a connection of this age would be listed, if it were open.
func (a Answer) Lists(start time.Time) bool {
	return !a.Partial || len(a.Clients) > 0 && start.After(a.Clients[len(a.Clients)-1].Start)
}

// JetStream is what a server says of its part in it (/jsz), which is asked for less
// often than the rest.
type JetStream struct {
	Asked  time.Time `json:"asked"` // before the question left
	Meta   Meta      `json:"meta,omitzero"`
	Stores []Store   `json:"stores,omitempty"` // of the global account
}

// Meta is the group of all servers with JetStream, which decides what streams there
// are and where, as one of its members sees it.
type Meta struct {
	Leader string `json:"leader,omitempty"` // a node; empty while it knows none
	Size   int    `json:"size"`             // members, those that are away included
	// Replicas are the other members. Only the leader knows how they stand: a
	// follower takes other followers for behind. (nats-server server/raft.go Peers)
	Replicas []Replica `json:"replicas,omitempty"`
}

// Store is a server's own copy of a stream, whoever leads that.
type Store struct {
	Stream   string `json:"stream"`
	Messages uint64 `json:"messages"`
	Last     uint64 `json:"last"` // sequence number
}

// Gist is what of it is not a time or a counter.
func (j JetStream) Gist() JetStream {
	out := JetStream{Meta: j.Meta}
	out.Meta.Replicas = slices.Clone(j.Meta.Replicas)
	for i := range out.Meta.Replicas {
		out.Meta.Replicas[i].Lag = 0
	}
	for _, s := range j.Stores {
		out.Stores = append(out.Stores, Store{Stream: s.Stream})
	}
	return out
}

// Peer is another server that this one has routes with. Current servers keep
// several pooled connections to one peer and one for the system account, so
// Routes is 4 by default and 1 where one side is older than 2.10.
type Peer struct {
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"` // absent before 2.9
	Routes int    `json:"routes"`
	// Of these, those that this server dialed (did_solicit), and those that it did
	// because its own configuration names them (is_configured). A connection that
	// gossip brought about is configured on neither side. Where both dialed, one
	// connection was closed as a duplicate, and both say so of the one that stayed.
	Dialed     int `json:"dialed,omitempty"`
	Configured int `json:"configured,omitempty"`
}

// Connection is a client as its server sees it (/connz).
type Connection struct {
	CID      uint64    `json:"cid"`
	Name     string    `json:"name,omitempty"`
	Lang     string    `json:"lang,omitempty"`
	Version  string    `json:"version,omitempty"`
	Addr     string    `json:"addr"`
	Start    time.Time `json:"start"`
	Subs     int       `json:"subs"`
	InMsgs   int64     `json:"in_msgs"`
	OutMsgs  int64     `json:"out_msgs"`
	OutBytes int64     `json:"out_bytes"`
	Pending  int       `json:"pending,omitempty"`
	RTT      string    `json:"rtt,omitempty"`
	Account  string    `json:"account,omitempty"` // empty for the global one
	User     string    `json:"user,omitempty"`
	System   bool      `json:"system,omitempty"` // it is in the system account

	Application string `json:"application,omitempty"` // whose process is at the other end
}

// FleetPrefix is what the names of the rehearsal's own connections begin with.
const FleetPrefix = "nats-roll: "

// Stranger says that the client is somebody's own: neither the rehearsal's, nor
// one that looks after the servers.
func (c Connection) Stranger() bool {
	return !c.System && !strings.HasPrefix(c.Name, FleetPrefix)
}

// Closing is a connection that ended while its server lived.
type Closing struct {
	CID    uint64    `json:"cid"`
	Seen   time.Time `json:"seen"`             // when it was open for certain: the last answer that lists it began
	Stop   time.Time `json:"stop,omitzero"`    // by the server's own record, if it could be asked
	Reason string    `json:"reason,omitempty"` // in the server's words: "Client Closed", "Server Shutdown", …
}

// Level is the severity of a server's log line.
type Level string

// The levels that nats-server writes.
const (
	LevelTrace Level = "TRC"
	LevelDebug Level = "DBG"
	LevelInfo  Level = "INF"
	LevelWarn  Level = "WRN"
	LevelError Level = "ERR"
	LevelFatal Level = "FTL"
	LevelOther Level = "" // not in the log format: a usage text, a panic
)

// LogLine is one line that a server wrote, parsed; see proc.ParseLine.
type LogLine struct {
	Node  string    `json:"node"` // or the application's name
	PID   int       `json:"pid,omitempty"`
	At    time.Time `json:"at"`
	Level Level     `json:"level"`
	Text  string    `json:"text"`
	Topic Topic     `json:"topic,omitempty"`
}

// Topic is what a log line is about, where the program knows its wording.
// State is never driven by topics: levels and wording moved four times between
// 2.8 and 2.15. They are narrative.
type Topic string

// The topics that a roll produces.
const (
	TopicReady        Topic = "ready"
	TopicRouteRefused Topic = "route-refused" // a peer does not listen
	TopicRouteUp      Topic = "route-up"
	TopicRouteDown    Topic = "route-down"
	TopicClientUp     Topic = "client-up"
	TopicClientDown   Topic = "client-down"
	TopicSignal       Topic = "signal"
	TopicLameDuck     Topic = "lame-duck"
	TopicShutdown     Topic = "shutdown"
	TopicReloadFailed Topic = "reload-failed" // of the configuration; the old one stays
	TopicStoreFailed  Topic = "store-failed"  // a stream cannot be kept here
	TopicFatal        Topic = "fatal"
	TopicPanic        Topic = "panic"
	TopicExpected     Topic = "expected" // looks alarming, is part of any roll
)
