package upgrade

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"nats-roll/cluster"
)

// movesClients is the first version whose servers can be asked to close a client's
// connection. (nats-server v2.10.0 server/events.go, clientKickReqSubj)
const movesClients cluster.Version = "2.10.0"

// Shift asks, through the system account, the server with the most clients to part
// with those that it has too many of: with KICK it closes their connections, with
// LDM it tells them that it is going to end, although it is not.
type Shift struct {
	Verb  string         // KICK or LDM
	Among []cluster.Node // between which the clients are to be shared out

	// What Bind finds.
	from    cluster.Node
	server  string // its id
	surplus int
}

// Bind finds the server, its id, and how many clients it has too many.
func (a Shift) Bind(o cluster.Observation) Action {
	clients := o.Fleet.On()
	name, most, all := fullest(clients, a.Among)
	s, ok := o.Server(name)
	if !ok || !s.Answer.Known() {
		return a
	}
	a.from, a.server, a.surplus = s.Node, s.Answer.ServerID, most-all/len(a.Among)
	return a
}

// Command lists the connections, and asks for each of them.
func (a Shift) Command(o cluster.Observation) string {
	if a.server == "" {
		if bound := a.Bind(o).(Shift); bound.server != "" {
			return bound.Command(o)
		}
		a.server, a.from = "$ID", a.Among[0]
	}
	ask := fmt.Sprintf("nats req -s %s --user %s --password %s --raw", a.from.ClientURL(), cluster.SystemUser, cluster.SystemPassword)
	return fmt.Sprintf(`%s '$SYS.REQ.SERVER.%s.CONNZ' '{"limit":%d}' | jq '.data.connections[].cid' | while read cid; do %s '$SYS.REQ.SERVER.%s.%s' "{\"cid\":$cid}"; done`,
		ask, a.server, a.surplus, ask, a.server, a.Verb)
}

// Run does the same.
func (a Shift) Run(ctx context.Context, d Driver) error {
	if a.server == "" {
		return fmt.Errorf("%s: no server has told its id", a.Verb)
	}
	subject := "$SYS.REQ.SERVER." + a.server + "."
	reply, err := d.Request(ctx, subject+"CONNZ", []byte(`{"limit":`+strconv.Itoa(a.surplus)+`}`))
	if err != nil {
		return err
	}
	var list struct {
		Data struct {
			Connections []struct {
				CID uint64 `json:"cid"`
			} `json:"connections"`
		} `json:"data"`
	}
	if err := json.Unmarshal(reply, &list); err != nil {
		return fmt.Errorf("the connections of %s: %w", a.from.Name, err)
	}
	for _, c := range list.Data.Connections {
		if _, err := d.Request(ctx, subject+a.Verb, fmt.Appendf(nil, `{"cid":%d}`, c.CID)); err != nil {
			return err
		}
	}
	return nil
}
