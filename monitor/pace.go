package monitor

import (
	"time"

	"nats-roll/cluster"
)

// The pace of the questions. Three settled servers cost three rounds a second.
const (
	fastest = 15 * time.Millisecond  // between rounds while something changes
	slowest = time.Second            // and when nothing has for a while: at every cluster.Beat
	tense   = 100 * time.Millisecond // and when the server closes its clients one by one, and may end with any of them
	knock   = 10 * time.Millisecond  // while a new process does not answer yet
	patient = 5 * time.Second        // a new process is knocked at for so long
	unwell  = 250 * time.Millisecond // between two /healthz that fail, until one does not
	ill     = 2 * time.Second        // between two that fail later: each writes a warning into the server's log
	leisure = 150 * time.Millisecond // between two /jsz, at least: it lists every stream
	grace   = time.Second            // a new process may be silent for so long
	remind  = time.Second            // between two Unanswered
)

// pace is how long to wait until the next round.
type pace struct{ wait time.Duration }

// quick begins anew: the next waits are short.
func (p *pace) quick() { p.wait = 0 }

// next is the wait after a round that found a change, or none.
func (p *pace) next(changed bool) time.Duration {
	if changed || p.wait < fastest {
		p.wait = fastest
	} else {
		p.wait = min(p.wait*3/2, slowest)
	}
	if p.wait == slowest {
		return cluster.Beat(time.Now(), slowest)
	}
	return p.wait
}
