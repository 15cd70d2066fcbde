package fleet

import (
	"sync"
	"time"

	"nats-roll/cluster"
)

// listener is who should have each numbered message once: a subscriber, or a
// queue group as a whole.
type listener struct {
	mu      sync.Mutex
	since   time.Duration // it is reached by what was sent from then on
	streams []heard       // by publisher
	members int           // that are not closed for good
}

// heard is what a listener had of one publisher.
type heard struct {
	ledger
	latest time.Duration // when the newest was sent, on the clock in messages
}

func newListener(publishers, members int) *listener {
	return &listener{streams: make([]heard, publishers), members: members}
}

// observe counts a message.
func (l *listener) observe(m message) {
	l.mu.Lock()
	h := &l.streams[m.by]
	h.latest = max(h.latest, m.sent)
	if m.kind == number {
		h.observe(m.seq)
	}
	l.mu.Unlock()
}

// renew says that what was sent so far proves nothing any more: a member or a
// publisher has moved, or is gone.
func (l *listener) renew(now time.Duration) {
	l.mu.Lock()
	l.since = max(l.since, now)
	l.mu.Unlock()
}

// settle says that nothing is in flight any more.
func (l *listener) settle(published []uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, n := range published {
		l.streams[i].settle(n)
	}
}

// leave says that a member is closed for good.
func (l *listener) leave() {
	l.mu.Lock()
	l.members--
	l.mu.Unlock()
}

// reached says whether it has heard every publisher since it had to anew. Who is
// closed for good is not waited for.
func (l *listener) reached() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.members == 0 {
		return true
	}
	for i := range l.streams {
		if l.streams[i].latest < l.since || l.streams[i].latest == 0 {
			return false
		}
	}
	return true
}

// sum is what it had of all publishers.
func (l *listener) sum() (sum cluster.Tally) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.streams {
		sum = sum.Add(l.streams[i].tally())
	}
	return sum
}

// tally sums what it had of all publishers, and adds that of each to streams.
func (l *listener) tally(streams []cluster.Series) (sum cluster.Tally) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.streams {
		t := l.streams[i].tally()
		sum = sum.Add(t)
		streams[i].Tally = streams[i].Add(t)
	}
	return sum
}
