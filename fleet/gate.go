package fleet

import (
	"cmp"
	"fmt"
	"strings"
	"sync/atomic"

	"nats-roll/cluster"
)

// gate opens once as many have passed as it needs.
type gate struct {
	left atomic.Int64
	open chan struct{}
}

func (g *gate) need(n int) {
	g.left.Store(int64(n))
	g.open = make(chan struct{})
}

func (g *gate) pass() {
	if g.left.Add(-1) == 0 {
		close(g.open)
	}
}

// named is how many clients an error lists.
const named = 3

// unreached adds to err, which may be nil, the subscribers that were not
// reached or are closed for good.
func (f *Fleet) unreached(err error, reached func(*client) bool) error {
	var names []string
	more := 0
	for _, c := range f.subs {
		c.mu.Lock()
		ok := reached(c) && c.facts.Status != cluster.ClientClosed
		status := cmp.Or(c.facts.Status, "not connected")
		c.mu.Unlock()
		switch {
		case ok:
		case len(names) < named:
			names = append(names, fmt.Sprintf("%s is %s", c.facts.Name, status))
		default:
			more++
		}
	}
	if more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	switch list := strings.Join(names, ", "); {
	case len(names) == 0:
		return err
	case err == nil:
		return fmt.Errorf("not reached: %s", list)
	default:
		return fmt.Errorf("not reached: %s: %w", list, err)
	}
}
