package fleet

import (
	"sync"
	"time"
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

// cause dates what was sent then and came to nothing, or took long: by the first
// connection that broke while it was out, or else by when it was sent.
func (b *breaks) cause(sent time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	cause := sent
	for _, at := range b.at {
		if at.After(sent) && (cause.Equal(sent) || at.Before(cause)) {
			cause = at
		}
	}
	return cause
}
