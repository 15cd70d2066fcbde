package fleet

import (
	"slices"

	"nats-roll/cluster"
)

// ledger is what one subscriber got of the numbers 1, 2, 3, … A message in its
// turn costs a comparison and an addition. Memory grows with the number of
// gaps, never with the number of messages.
//
// Always received − duplicated + lost = last: every number up to the last was either
// received, once or more, or is missing. The zero ledger expects number 1.
type ledger struct {
	last    uint64 // the highest number received, or settled
	missing []span // below last, ascending, never touching each other
	lost    uint64 // how many numbers those are

	received   uint64 // duplicates included
	duplicated uint64
	reordered  uint64 // came after a higher one, and were missing until then
}

// span is a run of numbers, both ends included.
type span struct{ first, last uint64 }

// observe counts the arrival of a number.
func (l *ledger) observe(seq uint64) {
	l.received++
	switch {
	case seq == l.last+1:
		l.last = seq
	case seq > l.last:
		l.miss(span{l.last + 1, seq - 1})
		l.last = seq
	default:
		l.late(seq)
	}
}

// settle says that numbers were published up to this one, and that nothing is
// in flight: what did not come is lost. Should one come nevertheless, it counts.
func (l *ledger) settle(published uint64) {
	if published > l.last {
		l.miss(span{l.last + 1, published})
		l.last = published
	}
}

func (l *ledger) miss(s span) {
	l.lost += s.last - s.first + 1
	if n := len(l.missing); n > 0 && l.missing[n-1].last+1 == s.first {
		l.missing[n-1].last = s.last
		return
	}
	l.missing = append(l.missing, s)
}

// late counts a number below one that was there before it: it fills a gap, or
// was there before itself.
func (l *ledger) late(seq uint64) {
	i, found := slices.BinarySearchFunc(l.missing, seq, func(s span, seq uint64) int {
		switch {
		case s.last < seq:
			return -1
		case s.first > seq:
			return 1
		}
		return 0
	})
	if !found {
		l.duplicated++
		return
	}
	l.reordered++
	l.lost--
	switch gap := &l.missing[i]; {
	case gap.first == gap.last:
		l.missing = slices.Delete(l.missing, i, i+1)
	case seq == gap.first:
		gap.first++
	case seq == gap.last:
		gap.last--
	default:
		after := span{seq + 1, gap.last}
		gap.last = seq - 1
		l.missing = slices.Insert(l.missing, i+1, after)
	}
}

func (l *ledger) tally() cluster.Tally {
	return cluster.Tally{Received: l.received, Lost: l.lost, Duplicated: l.duplicated, Reordered: l.reordered}
}

// missingUpTo counts the numbers up to this one that were never observed.
func (l *ledger) missingUpTo(seq uint64) uint64 {
	n := max(seq, l.last) - l.last
	for _, s := range l.missing {
		if s.first <= seq {
			n += min(s.last, seq) - s.first + 1
		}
	}
	return n
}
