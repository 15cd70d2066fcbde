package fleet

import (
	"bytes"
	"strconv"
	"time"
)

// kind is what a message of the rehearsal is for.
type kind byte

const (
	hello  kind = 'h' // interest has travelled as far as whoever gets it
	number kind = 'n' // counted in the ledgers
	kept   kind = 's' // in a stream, whose ledgers are others
	end    kind = 'e' // what was published before it has been delivered, or never will be
)

// message is what the publisher sends: one line of text, so that a `nats sub`
// in another terminal shows something a person can read:
//
//	number 4711 by 0 of 9f86d081 at 12345678
//
// The publisher is its place among the publishers. The run tells rehearsals
// apart: one may see another's messages on ">". The time is nanoseconds since the
// fleet was made, on its monotonic clock. What follows fills the payload.
type message struct {
	kind kind
	seq  uint64 // from 1
	by   int
	sent time.Duration
}

// word is what a message of this kind begins with.
func (k kind) word() string {
	switch k {
	case hello:
		return "hello "
	case number:
		return "number "
	case kept:
		return "stored "
	case end:
		return "end "
	}
	return ""
}

// appendTo appends the message's text to b.
func (m message) appendTo(b []byte, run string) []byte {
	b = append(b, m.kind.word()...)
	b = strconv.AppendUint(b, m.seq, 10)
	b = append(b, " by "...)
	b = strconv.AppendInt(b, int64(m.by), 10)
	b = append(b, " of "...)
	b = append(b, run...)
	b = append(b, " at "...)
	return strconv.AppendInt(b, int64(m.sent), 10)
}

// parse reads a message of this run; anything else is a stranger's.
func parse(b []byte, run string) (m message, ours bool) {
	if len(b) == 0 {
		return m, false
	}
	m.kind = kind(b[0])
	word := m.kind.word()
	b, ok := bytes.CutPrefix(b, []byte(word))
	if !ok || word == "" {
		return m, false
	}
	if m.seq, b, ok = digits(b); !ok || m.seq == 0 {
		return m, false
	}
	if b, ok = bytes.CutPrefix(b, []byte(" by ")); !ok {
		return m, false
	}
	by, b, ok := digits(b)
	if !ok || by >= maxPublishers {
		return m, false
	}
	m.by = int(by)
	if b, ok = bytes.CutPrefix(b, []byte(" of ")); !ok || len(b) < len(run) || string(b[:len(run)]) != run {
		return m, false
	}
	if b, ok = bytes.CutPrefix(b[len(run):], []byte(" at ")); !ok {
		return m, false
	}
	sent, b, ok := digits(b)
	m.sent = time.Duration(sent)
	return m, ok && (len(b) == 0 || b[0] == filler)
}

// filler fills messages up to the payload that was asked for.
const filler = ' '

// fill makes a message at least size bytes long.
func fill(b []byte, size int) []byte {
	for len(b) < size {
		b = append(b, filler)
	}
	return b
}

// digits reads a decimal number and returns what follows it. It takes at most
// 18 digits, which cannot overflow.
func digits(b []byte) (n uint64, rest []byte, ok bool) {
	i := 0
	for ; i < len(b) && i < 18 && b[i] >= '0' && b[i] <= '9'; i++ {
		n = n*10 + uint64(b[i]-'0')
	}
	return n, b[i:], i > 0
}
