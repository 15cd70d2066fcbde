package cluster

import "time"

// ClientStatus is how a client stands.
type ClientStatus string

// A client is connected, or away: it has lost its server. One of the fleet is
// closed when it has given up for good; a stranger is gone when it left by
// itself.
const (
	ClientConnected ClientStatus = "connected"
	ClientAway      ClientStatus = "away"
	ClientClosed    ClientStatus = "closed"
	ClientGone      ClientStatus = "gone"
)

// Role is what one of the rehearsal's own clients does.
type Role string

// The roles. Those that hear the numbered messages come first.
const (
	RoleTutorial   Role = "tutorial"   // the text's nats sub ">"
	RoleSubscriber Role = "subscriber" // to the numbered messages
	RoleWildcard   Role = "wildcard"   // to everything, as the tutorial's
	RoleQueue      Role = "queue"      // a member of the queue group
	RolePublisher  Role = "publisher"  // of numbered messages
	RoleRequester  Role = "requester"
	RoleResponder  Role = "responder"
	RoleStorer     Role = "js-publisher" // waits for the acknowledgement of each message
	RoleConsumer   Role = "consumer"     // one of those that pull from the durable consumer
	RoleKVWriter   Role = "kv-writer"
	RoleKVReader   Role = "kv-reader" // watches what is written
	RoleWatcher    Role = "watcher"   // asks for the streams' leaders and replicas
	RoleParty      Role = "party"     // one of a Party
)

// Hears says that a client with this role is to hear the numbered messages,
// alone or as one of its queue group.
func (r Role) Hears() bool {
	switch r {
	case RoleTutorial, RoleSubscriber, RoleWildcard, RoleQueue:
		return true
	default:
		return false
	}
}

// Client is one of the rehearsal's own NATS clients.
type Client struct {
	ID      int          `json:"id"` // its place in Fleet.Clients
	Name    string       `json:"name"`
	Role    Role         `json:"role"`
	Subject string       `json:"subject"`
	Pinned  string       `json:"pinned,omitempty"` // the node whose server is the only one it is to know
	Party   string       `json:"party,omitempty"`  // whose member it is, if any's
	Status  ClientStatus `json:"status"`
	Node    string       `json:"node,omitempty"`  // where it is, or was last
	Known   []string     `json:"known,omitempty"` // URLs of the servers it knows, in the order in which it tries them
	Trail   []Hop        `json:"trail,omitempty"`

	Disconnects int           `json:"disconnects"`
	Reconnects  int           `json:"reconnects"`
	AwaySince   time.Time     `json:"away_since,omitzero"`
	LastAway    time.Duration `json:"last_away"`
	LongestAway time.Duration `json:"longest_away"`
	TotalAway   time.Duration `json:"total_away"`
	Err         string        `json:"err,omitempty"`
	// Errors counts what went wrong with its connection, by kind.
	Errors map[string]int `json:"errors,omitempty"`

	// Heard counts the messages to a member of a party, by what it has subscribed to.
	Heard map[string]uint64 `json:"heard,omitempty"`

	Delivered  uint64 `json:"delivered"` // everything the connection handed over
	Received   uint64 `json:"received"`  // numbered messages, duplicates included
	Lost       uint64 `json:"lost"`
	Duplicated uint64 `json:"duplicated"`
	Reordered  uint64 `json:"reordered"`
}

// Hop is one stay of a client on a server.
type Hop struct {
	Node string        `json:"node"`
	At   time.Time     `json:"at"`
	Away time.Duration `json:"away"` // without a server before it got here
}

// Fleet is what the rehearsal's own clients know, together.
type Fleet struct {
	At      time.Time    `json:"at"`               // when this was so
	Ledger  int          `json:"ledger,omitempty"` // how many ledgers were closed before this one
	Clients []Client     `json:"clients,omitempty"`
	Series  []Series     `json:"series,omitempty"` // in the order of the publishers
	Groups  []QueueGroup `json:"groups,omitempty"`
	Totals

	Streams []Stream  `json:"streams,omitempty"`
	Asked   time.Time `json:"asked,omitzero"` // when the streams were asked for, at the earliest
}

// Series is the numbers of one publisher, and what became of them: the sum over
// all who should have had each.
type Series struct {
	Publisher string `json:"publisher"`
	Published uint64 `json:"published"`
	Refused   uint64 `json:"refused,omitempty"` // publishes that the client library refused
	Unsure    uint64 `json:"unsure,omitempty"`  // published, but the write failed: nobody knows whether a server got it
	Tally
}

// QueueGroup is a queue group: each message is for one of its members.
type QueueGroup struct {
	Name    string `json:"name"`
	Members int    `json:"members"`
	Tally
}

// Tally is what came of numbered messages. Reordered ones came after a higher
// number of the same publisher.
type Tally struct {
	Received   uint64 `json:"received"` // duplicates included
	Lost       uint64 `json:"lost"`
	Duplicated uint64 `json:"duplicated"`
	Reordered  uint64 `json:"reordered"`
}

// Add sums two tallies.
func (t Tally) Add(o Tally) Tally {
	return Tally{t.Received + o.Received, t.Lost + o.Lost, t.Duplicated + o.Duplicated, t.Reordered + o.Reordered}
}

// Totals sums the ledgers. Expected is published times those who should have had
// each message, a queue group counting as one; a publish that the client library
// accepted counts, whether a server ever saw it. Once the traffic is settled,
// Expected = Received - Duplicated + Lost. While it runs, Lost counts only the
// gaps that a later message has proved, and Expected runs ahead of Received by
// what is in flight.
type Totals struct {
	Publishing bool   `json:"publishing"`
	Settled    bool   `json:"settled"` // traffic was stopped and the last message waited for
	Rate       int    `json:"rate"`    // numbered messages a second that are asked for, of all publishers
	Published  uint64 `json:"published"`
	Refused    uint64 `json:"refused,omitempty"` // publishes that the client library refused
	Unsure     uint64 `json:"unsure,omitempty"`  // published, but the write failed
	Expected   uint64 `json:"expected"`
	Tally
	Listeners  int           `json:"listeners"` // subscribers and queue groups
	Behind     int           `json:"behind"`    // those that had not yet heard every publisher since they came back
	Reconnects int           `json:"reconnects"`
	AwayP50    time.Duration `json:"away_p50"`
	AwayP99    time.Duration `json:"away_p99"`
	AwayMax    time.Duration `json:"away_max"`
	Requests   Requests      `json:"requests,omitzero"`
	Stored     Stored        `json:"stored,omitzero"`
}

// Cost is something that went wrong for a client, dated by what caused it: what
// was in flight when a connection broke, by that; everything else, by when it
// was sent.
type Cost struct {
	At     time.Time     `json:"at"`
	Client string        `json:"client"`
	Kind   CostKind      `json:"kind"`
	For    time.Duration `json:"for,omitempty"` // how long it took until that was known, or was over
}

// CostKind is what went wrong.
type CostKind string

// A request that came to nothing; and a message to a stream, or a value to a
// bucket, that took long or more than one attempt until it was acknowledged.
const (
	CostTimedOut CostKind = "timed out"
	CostUnserved CostKind = "no responders"
	CostFailed   CostKind = "failed"
	CostStalled  CostKind = "stalled"
)

// Requests is what came of requests. Its times depend on the probe: how often
// one is sent, and when it is given up.
type Requests struct {
	Rate     int           `json:"rate"`    // a second, of all requesters
	Timeout  time.Duration `json:"timeout"` // after which one is given up
	Sent     uint64        `json:"sent"`
	Answered uint64        `json:"answered"`
	TimedOut uint64        `json:"timed_out"`
	Unserved uint64        `json:"unserved"` // the server said that nobody is there to answer
	Failed   uint64        `json:"failed"`   // could not be sent, or the connection was lost
	P50      time.Duration `json:"p50"`      // of the answered ones
	P99      time.Duration `json:"p99"`
	Max      time.Duration `json:"max"`
}

// Stored is what came of messages to a stream and values in a key-value bucket.
// Who publishes goes on with a message until it is acknowledged, under the same
// message id, as an application does that must not lose any. Its times depend on
// the probe: how often one is published, and when an attempt is given up.
type Stored struct {
	Rate     int           `json:"rate"`      // messages a second, of all publishers
	Timeout  time.Duration `json:"timeout"`   // of one attempt
	Asked    uint64        `json:"asked"`     // messages that were begun
	Acked    uint64        `json:"acked"`     // messages that a server acknowledged
	Again    uint64        `json:"again"`     // of these, those that the server said it had already
	Refused  uint64        `json:"refused"`   // attempts that came back with an error
	TimedOut uint64        `json:"timed_out"` // attempts that came back with nothing
	Stalls   uint64        `json:"stalls"`    // messages that took more than one attempt, or longer than StallFrom
	StallMax time.Duration `json:"stall_max"`
	LastAck  time.Time     `json:"last_ack,omitzero"` // when the newest was acknowledged

	Consumed    uint64 `json:"consumed"`    // different messages that the durable consumer handed out
	Redelivered uint64 `json:"redelivered"` // and those that it handed out again

	Written    uint64        `json:"written"`   // values in the bucket, acknowledged
	KVFailed   uint64        `json:"kv_failed"` // attempts to write that failed
	KVStalls   uint64        `json:"kv_stalls"` // values that took more than one attempt, or longer than StallFrom
	KVStallMax time.Duration `json:"kv_stall_max"`
	Backwards  uint64        `json:"backwards"` // values older than the one before, as the reader saw them

	// After the end every acknowledged message is looked up in the stream.
	Looked  bool   `json:"looked"`
	Found   uint64 `json:"found"`   // acknowledged, and there once
	Missing uint64 `json:"missing"` // acknowledged, and not there
	Twice   uint64 `json:"twice"`   // there more than once
	Unsure  uint64 `json:"unsure"`  // begun and never acknowledged: nobody knows
	KVLost  bool   `json:"kv_lost"` // the bucket's last value is not the last that was acknowledged
}

// Standing is for how long now nothing was acknowledged, of a message that was begun, when
// the fleet was looked at; 0 if that is not longer than usual.
func (s Stored) Standing(at time.Time) time.Duration {
	if s.Acked == s.Asked || s.LastAck.IsZero() || s.Looked || s.Rate <= 0 {
		return 0
	}
	if d := at.Sub(s.LastAck) - time.Second/time.Duration(s.Rate); d > StallFrom {
		return d
	}
	return 0
}

// PinnedName is what a subscriber that knows only this node's server is called.
func PinnedName(node string) string { return "sub of " + node + " only" }

// StallFrom is how long a message may take before that counts as a stall.
const StallFrom = 100 * time.Millisecond

// Stream is a JetStream stream as its leader sees it. While nobody answers for it,
// it has no leader, and no messages and replicas either.
type Stream struct {
	Name     string    `json:"name"`
	Leader   string    `json:"leader,omitempty"` // a node
	Messages uint64    `json:"messages"`
	Replicas []Replica `json:"replicas,omitempty"` // without the leader

	Copies int       `json:"copies,omitempty"` // how many servers are to have it
	Memory bool      `json:"memory,omitempty"` // they keep it in memory, not in files
	Put    uint64    `json:"put,omitempty"`    // messages of a sample, put in at the start; 0: it is written to
	Filled time.Time `json:"filled,omitzero"`  // when a sample had them
	Led    []string  `json:"led,omitempty"`    // the nodes that led it, in order; the last one leads, or led last
}

// Home is the node that leads the stream, or led it last.
func (s Stream) Home() string {
	if len(s.Led) == 0 {
		return ""
	}
	return s.Led[len(s.Led)-1]
}

// Replica is a follower of a stream, in its leader's eyes.
type Replica struct {
	Node    string `json:"node"`
	Current bool   `json:"current"`
	Offline bool   `json:"offline,omitempty"`
	Lag     uint64 `json:"lag,omitempty"` // operations
}

// Unanswered counts the requests that came to nothing.
func (r Requests) Unanswered() uint64 { return r.TimedOut + r.Unserved + r.Failed }

// Workload says which clients to start.
type Workload struct {
	Subscribers int `json:"subscribers"` // beside the tutorial's `nats sub ">"`
	Wildcards   int `json:"wildcards,omitempty"`
	Queue       int `json:"queue,omitempty"`      // members of one queue group
	Publishers  int `json:"publishers,omitempty"` // of numbered messages; 0 counts as 1
	Rate        int `json:"rate"`                 // numbered messages a second of each publisher; 0 for none
	Payload     int `json:"payload,omitempty"`    // bytes of each at least; it is never less than the number needs

	Requesters int           `json:"requesters,omitempty"`
	Asks       int           `json:"asks,omitempty"` // requests a second of each requester
	Timeout    time.Duration `json:"timeout,omitempty"`

	Stores    int `json:"stores,omitempty"`     // clients that publish to a stream
	StoreRate int `json:"store_rate,omitempty"` // messages a second of each
	Consumers int `json:"consumers,omitempty"`  // that pull from one durable consumer
	KV        int `json:"kv,omitempty"`         // values a second that are written to a bucket
	Samples   int `json:"samples,omitempty"`    // messages in each of a few small streams of other kinds

	// Pinned lists nodes; each has one more subscriber, which knows only that node's
	// server and waits for it when it is away.
	Pinned []string `json:"pinned,omitempty"`

	Behaviour Behaviour `json:"behaviour,omitzero"`

	Parties []Party `json:"parties,omitempty"` // that differ from the others

	Applications []string `json:"applications,omitempty"` // commands of the user's own that run beside them
}

// Party is clients that differ from the others: in who they are, in what they
// subscribe to, or in how they behave. They are no part of the ledger, and nobody
// waits for them.
type Party struct {
	Name      string    `json:"name"`
	Members   int       `json:"members"`
	At        string    `json:"at"`             // the permanent node where they begin
	User      string    `json:"user,omitempty"` // who they are; empty for nobody in particular
	Password  string    `json:"password"`       // for a server on this machine
	Subjects  []string  `json:"subjects"`       // what they subscribe to
	Says      string    `json:"says,omitempty"` // the subject to which each publishes a little, if any
	Behaviour Behaviour `json:"behaviour,omitzero"`
	Late      bool      `json:"late,omitempty"` // they come only when they are called (ActJoin)
}

// Act is what an application can do with its connections, done by the rehearsal's
// own clients when they are told to.
type Act string

// The acts of the subscribers; and the one of a Party.
const (
	// ActReconnect leaves the server for the next one in the client's list.
	ActReconnect Act = "reconnect"
	// ActDraw shuffles that list, and goes to the first in it; who is there already
	// stays. (nats.go SetServerPool, ForceReconnect)
	ActDraw Act = "draw"
	// ActRenew closes the connection and makes a new one, given every permanent
	// server, as an application does that is started anew with several URLs.
	ActRenew Act = "renew"
	// ActJoin connects the members of a party.
	ActJoin Act = "join"
)

// JetStream says that the workload needs streams.
func (w Workload) JetStream() bool { return w.Stores+w.Consumers+w.KV > 0 }

// Behaviour is how clients are set up; the zero value is the client library's
// own but for MaxReconnects.
type Behaviour struct {
	All              bool `json:"all,omitempty"` // a client is given every permanent server at first, not only one
	NoRandomize      bool `json:"no_randomize,omitempty"`
	IgnoreDiscovered bool `json:"ignore_discovered,omitempty"`
	// MaxReconnects is how often a client tries a server before it gives up on
	// it; 0 means for ever. (The library's own is 60.)
	MaxReconnects int `json:"max_reconnects,omitempty"`
}

// Stranded says that clients know a single server, and wait for it when it is
// away.
func (b Behaviour) Stranded() bool { return b.IgnoreDiscovered && !b.All }

// Clients is how many clients the workload has in all.
func (w Workload) Clients() int {
	n := 1 + w.Subscribers + len(w.Pinned) + w.Wildcards + w.Queue + max(1, w.Publishers) + w.Requesters
	if w.Requesters > 0 {
		n += Responders
	}
	if w.JetStream() {
		n += 1 + w.Stores + w.Consumers
	}
	if w.KV > 0 {
		n += 2
	}
	return n
}

// Responders is how many clients answer requests, as one queue group.
const Responders = 2

// On counts the fleet's clients whose connection is up, by node.
func (f Fleet) On() map[string]int {
	on := map[string]int{}
	for _, c := range f.Clients {
		if c.Status == ClientConnected {
			on[c.Node]++
		}
	}
	return on
}
