package cluster

import "time"

// ClientStatus is how a fleet client stands.
type ClientStatus string

// A client is connected, away (disconnected and trying), or closed for good.
const (
	ClientConnected ClientStatus = "connected"
	ClientAway      ClientStatus = "away"
	ClientClosed    ClientStatus = "closed"
)

// Client is one of the rehearsal's own NATS clients.
type Client struct {
	ID      int          `json:"id"` // its place in Fleet.Clients
	Name    string       `json:"name"`
	Subject string       `json:"subject"`
	Publish bool         `json:"publish,omitempty"` // the publisher; it subscribes to nothing
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
	At      time.Time `json:"at"` // when this was so
	Clients []Client  `json:"clients,omitempty"`
	Totals
}

// Totals sums the ledgers. Expected is published times the subscribers that
// should have had each message; a publish that the client library accepted
// counts, whether a server ever saw it. Once the traffic is settled,
// Expected = Received - Duplicated + Lost. While it runs, Lost counts only the
// gaps that a later message has proved, and Expected runs ahead of Received by
// what is in flight.
type Totals struct {
	Publishing bool          `json:"publishing"`
	Settled    bool          `json:"settled"` // traffic was stopped and the last message waited for
	Rate       int           `json:"rate"`    // numbered messages a second that are asked for
	Published  uint64        `json:"published"`
	Refused    uint64        `json:"refused,omitempty"` // publishes that the client library refused
	Expected   uint64        `json:"expected"`
	Received   uint64        `json:"received"`
	Lost       uint64        `json:"lost"`
	Duplicated uint64        `json:"duplicated"`
	Reordered  uint64        `json:"reordered"`
	Behind     int           `json:"behind"` // subscribers that had no message yet since they came back
	Reconnects int           `json:"reconnects"`
	AwayP50    time.Duration `json:"away_p50"`
	AwayP99    time.Duration `json:"away_p99"`
	AwayMax    time.Duration `json:"away_max"`
}

// Workload says which clients to start.
type Workload struct {
	Subscribers int `json:"subscribers"` // beside the tutorial's `nats sub ">"`
	Rate        int `json:"rate"`        // numbered messages a second; 0 for none
}

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
