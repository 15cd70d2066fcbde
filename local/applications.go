package local

import (
	"slices"
	"sync"
	"time"

	"nats-roll/cluster"
	"nats-roll/proc"
)

// launch starts the user's own applications, which are given the servers that a
// client of the rehearsal is given at first.
func (d *Driver) launch(w cluster.Workload) error {
	url := "NATS_URL=" + d.opts.Topology.GivenURL(0, w.Behaviour)
	for i, command := range w.Applications {
		if err := d.servers.Launch(cluster.ApplicationName(i), command, url); err != nil {
			return err
		}
	}
	return nil
}

// connection is one that a server lists.
type connection struct {
	cid   uint64
	start time.Time
}

// owners remembers whose connections are listed, so that each is looked for once.
type owners struct {
	mu sync.Mutex
	of map[string]map[connection]string // by node; an application's name, or nobody's
}

// answered passes on an answer, with the connections of applications marked.
func (d *Driver) answered(e cluster.Event) {
	if a, ok := e.(cluster.Answered); ok {
		a.Answer.Clients = d.mark(a.Answer)
		e = a
	}
	d.opts.Sink(e)
}

func (d *Driver) mark(a cluster.Answer) []cluster.Connection {
	d.owners.mu.Lock()
	defer d.owners.mu.Unlock()
	known, now := d.owners.of[a.Node], map[connection]string{}
	d.owners.of[a.Node] = now
	n, _ := d.opts.Topology.Node(a.Node)
	marked := slices.Clone(a.Clients)
	var sockets map[proc.Socket]string // looked for when there is somebody new
	for i, c := range marked {
		if !c.Stranger() {
			continue
		}
		this := connection{c.CID, c.Start}
		owner, ok := known[this]
		if !ok {
			if sockets == nil {
				sockets = d.servers.Sockets()
			}
			owner = sockets[proc.Socket{Addr: c.Addr, Port: n.ClientPort}]
		}
		now[this], marked[i].Application = owner, owner
	}
	return marked
}
