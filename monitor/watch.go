package monitor

import (
	"context"
	"net/http"
	"sync"

	"nats-roll/cluster"
)

// Options adjusts a Watcher; the zero value is good.
type Options struct {
	Page   int          // connections of each server to list; DefaultPage when 0
	Client *http.Client // NewClient when nil

	ask asker // what asks, in tests
}

// asker asks a node.
type asker func(ctx context.Context, node cluster.Node, r round) (cluster.Answer, error)

// Watcher keeps asking the servers of the nodes that have a process.
type Watcher struct {
	posts  map[string]*post
	client *http.Client
	cancel context.CancelFunc
	wait   sync.WaitGroup
}

// Watch makes a watcher of these nodes. It asks nobody until Up, and calls the
// sink from one goroutine for each node.
func Watch(nodes []cluster.Node, sink cluster.Sink, o Options) *Watcher {
	if o.Page <= 0 {
		o.Page = DefaultPage
	}
	if o.Client == nil {
		o.Client = NewClient()
	}
	if o.ask == nil {
		o.ask = func(ctx context.Context, node cluster.Node, r round) (cluster.Answer, error) {
			return ask(ctx, o.Client, node, o.Page, r)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &Watcher{posts: make(map[string]*post, len(nodes)), client: o.Client, cancel: cancel}
	for _, n := range nodes {
		p := &post{node: n, ask: o.ask, sink: sink, kick: make(chan struct{}, 1)}
		w.posts[n.Name] = p
		w.wait.Go(func() { p.run(ctx) })
	}
	return w
}

// Up says that a process was started on the node: it is asked at once and fast
// until it settles. What the process before it still had to say is dropped.
func (w *Watcher) Up(node string) {
	if p := w.posts[node]; p != nil {
		p.turn(true)
	}
}

// Down says that the node's process ended: it is asked no more.
func (w *Watcher) Down(node string) {
	if p := w.posts[node]; p != nil {
		p.turn(false)
	}
}

// Drain says that the node's process has entered lame duck mode: it is asked often
// from then on.
func (w *Watcher) Drain(node string) {
	if p := w.posts[node]; p != nil {
		p.drain()
	}
}

// Quicken says that something is about to change: every node that is up is
// asked at once, by questions that leave after this call, and fast from then on.
func (w *Watcher) Quicken() {
	for _, p := range w.posts {
		p.quicken()
	}
}

// Close ends the watch and waits until nothing of it runs.
func (w *Watcher) Close() {
	w.cancel()
	w.wait.Wait()
	w.client.CloseIdleConnections()
}
