package fleet

import (
	"sync"
	"time"

	"nats-roll/cluster"
)

// keepBreaks bounds how many are remembered.
const keepBreaks = 1000

// breaks remembers when connections broke, to date what was in flight then.
type breaks struct {
	mu sync.Mutex
	at []time.Time // the newest, in the order in which they were noticed
}

func (b *breaks) note(at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = append(b.at[max(0, len(b.at)+1-keepBreaks):], at)
}

// cause dates what was sent then and came to nothing, or took long: by the newest
// connection that had broken since all was well, or else by the first that broke
// just after it was sent, or else by when it was sent.
func (b *breaks) cause(well, sent time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	var before, after time.Time
	for _, at := range b.at {
		switch {
		case !at.After(well) || at.After(sent.Add(cluster.StallFrom)):
		case at.After(sent):
			if after.IsZero() || at.Before(after) {
				after = at
			}
		case at.After(before):
			before = at
		}
	}
	switch {
	case !before.IsZero():
		return before
	case !after.IsZero():
		return after
	}
	return sent
}
