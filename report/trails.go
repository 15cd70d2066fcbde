package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"nats-roll/cluster"
)

// trail is the way that some clients have gone alike. Thousands of clients take
// few ways.
type trail struct {
	nodes   []string
	role    cluster.Role
	status  string
	clients []string  // their names
	away    []float64 // the longest before each node, in milliseconds

	lost, duplicated uint64
}

// trails groups clients, the most common way first; of more than most, the last
// one stands for the rest.
func (r Report) trails(most int) []trail {
	var out []*trail
	byKey := map[string]*trail{}
	for _, c := range r.Clients {
		key := fmt.Sprint(c.Role, c.Status, c.Trail)
		t := byKey[key]
		if t == nil {
			t = &trail{nodes: c.Trail, role: c.Role, status: c.Status, away: make([]float64, len(c.Trail))}
			byKey[key] = t
			out = append(out, t)
		}
		t.take(c)
	}
	slices.SortStableFunc(out, func(a, b *trail) int {
		return cmp.Or(cmp.Compare(len(b.clients), len(a.clients)), slices.Compare(a.nodes, b.nodes))
	})
	var told []trail
	for i, t := range out {
		if i < most {
			told = append(told, *t)
			continue
		}
		rest := &told[most-1]
		rest.nodes, rest.away, rest.status = nil, nil, "other ways"
		rest.clients = append(rest.clients, t.clients...)
		rest.lost, rest.duplicated = rest.lost+t.lost, rest.duplicated+t.duplicated
	}
	return told
}

func (t *trail) take(c Client) {
	t.clients = append(t.clients, strings.TrimPrefix(c.Name, "nats-roll: "))
	t.lost, t.duplicated = t.lost+c.Lost, t.duplicated+c.Duplicated
	for i, away := range c.HopsMS {
		t.away[i] = max(t.away[i], away)
	}
}

// way is where they were: "A → B → A".
func (t trail) way() string {
	if t.nodes == nil {
		return t.status
	}
	way := strings.Join(t.nodes, " → ")
	if t.status != "connected" {
		way += ", " + t.status
	}
	return way
}

// longest is the longest that one of them was without a server.
func (t trail) longest() float64 { return slices.Max(append([]float64{0}, t.away...)) }

// who names a few of them.
func (t trail) who() string {
	const few = 3
	if len(t.clients) <= few {
		return strings.Join(t.clients, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(t.clients[:few], ", "), len(t.clients)-few)
}
