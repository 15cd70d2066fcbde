package fleet

import (
	"fmt"
	"slices"

	"nats-roll/cluster"
)

// Names are what the servers show in /connz, so that the rehearsal's own
// clients can be told from strangers.
const (
	prefix        = cluster.FleetPrefix
	tutorialName  = prefix + `nats sub ">"`
	publisherName = prefix + "publisher"
)

// The subjects. The wildcards hear strangers as well. A publisher's messages of
// control, hello and end, have a subject of their own, since of a queue group
// only one member would get them.
const (
	everything = ">"
	ours       = "roll.>"
	counted    = "roll.count." // and the publisher's number
	control    = "roll.control"
	asking     = "ask.roll"        // which those who count do not hear
	group      = "roll-workers"    // the queue group that hears numbered messages
	answering  = "roll-responders" // the one that answers requests
)

// maxPublishers is how many publishers a fleet may have.
const maxPublishers = 64

// crew makes the clients of a workload: those that hear numbered messages, then
// those that ask and answer, then the publishers. The place is the ID.
func (f *Fleet) crew(w cluster.Workload) {
	publishers := min(max(1, w.Publishers), maxPublishers)
	permanent := f.o.Topology.Permanent()
	first, last := 0, len(permanent)-1

	hear := func(name string, role cluster.Role, subject string, l *listener) {
		c := f.add(cluster.Client{Name: prefix + name, Role: role, Subject: subject}, first)
		if c.hears = l; l == nil {
			c.hears = newListener(publishers, 1)
			f.listeners = append(f.listeners, c.hears)
		}
		f.subs = append(f.subs, c)
	}
	hear(`nats sub ">"`, cluster.RoleTutorial, everything, nil)
	for i := range w.Subscribers {
		hear(fmt.Sprintf("sub %d", i+1), cluster.RoleSubscriber, ours, nil)
	}
	for i, n := range permanent {
		if slices.Contains(w.Pinned, n.Name) {
			hear(cluster.PinnedName(n.Name), cluster.RoleSubscriber, ours, nil)
			c := f.subs[len(f.subs)-1]
			c.at, c.facts.Pinned = i, n.Name
		}
	}
	for i := range w.Wildcards {
		hear(fmt.Sprintf("wildcard %d", i+1), cluster.RoleWildcard, everything, nil)
	}
	if w.Queue > 0 {
		f.queue = newListener(publishers, w.Queue)
		f.listeners = append(f.listeners, f.queue)
	}
	for i := range w.Queue {
		hear(fmt.Sprintf("queue %d", i+1), cluster.RoleQueue, counted+"*", f.queue)
	}

	if w.Requesters > 0 {
		for i := range cluster.Responders { // one where the requesters are not, at first
			c := f.add(cluster.Client{Name: fmt.Sprintf("%sresponder %d", prefix, i+1), Role: cluster.RoleResponder, Subject: asking}, []int{last, first}[i%2])
			f.asks.responders = append(f.asks.responders, c)
		}
	}
	for i := range w.Requesters {
		c := f.add(cluster.Client{Name: fmt.Sprintf("%srequester %d", prefix, i+1), Role: cluster.RoleRequester, Subject: asking}, first)
		f.asks.requesters = append(f.asks.requesters, c)
	}

	if w.JetStream() {
		s := &f.stored
		one := func(name string, role cluster.Role, at int) *client {
			return f.add(cluster.Client{Name: prefix + name, Role: role, Subject: streamName}, at)
		}
		s.watcher = one("stream watcher", cluster.RoleWatcher, last)
		for i := range w.Stores {
			s.publishers = append(s.publishers, one(fmt.Sprintf("js publisher %d", i+1), cluster.RoleStorer, last))
		}
		for i := range w.Consumers {
			s.consumers = append(s.consumers, one(fmt.Sprintf("consumer %d", i+1), cluster.RoleConsumer, first))
		}
		if w.KV > 0 {
			s.writer, s.reader = one("kv writer", cluster.RoleKVWriter, last), one("kv reader", cluster.RoleKVReader, first)
		}
	}

	for i := range publishers {
		name, at := publisherName, (last+i)%max(1, len(permanent)) // the first stop leaves one of them standing
		if publishers > 1 {
			name = fmt.Sprintf("%s %d", name, i+1)
		}
		subject := fmt.Sprintf("%s%d", counted, i+1)
		c := f.add(cluster.Client{Name: name, Role: cluster.RolePublisher, Subject: subject}, at)
		f.pumps = append(f.pumps, &pump{fleet: f, client: c, by: i, subject: subject})
	}
	f.invite(w.Parties) // last, so that the others need not wait for the late ones
}

func (f *Fleet) add(facts cluster.Client, at int) *client {
	facts.ID = len(f.all)
	c := newClient(f, facts, at)
	f.all = append(f.all, c)
	return c
}
