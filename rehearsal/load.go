package rehearsal

import "io"

// Load folds a whole event log into the state at its end. An Outcome that is
// empty says that the recording ends before the rehearsal did.
func Load(r io.Reader) (Header, State, error) {
	var s State
	h, err := ReadJournal(r, func(rec Record) { s = s.Apply(rec.At, rec.Event) })
	return h, s, err
}
