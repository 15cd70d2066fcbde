package fleet

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"nats-roll/cluster"
)

func TestLedger(t *testing.T) {
	for _, tt := range []struct {
		name      string
		seqs      []uint64
		published uint64
		missing   []span
		lost      uint64
		dup, reo  uint64
	}{
		{"in order", []uint64{1, 2, 3}, 3, nil, 0, 0, 0},
		{"nothing", nil, 0, nil, 0, 0, 0},
		{"nothing came", nil, 5, []span{{1, 5}}, 5, 0, 0},
		{"the first is missing", []uint64{2}, 2, []span{{1, 1}}, 1, 0, 0},
		{"a gap", []uint64{1, 5}, 5, []span{{2, 4}}, 3, 0, 0},
		{"the tail", []uint64{1, 2}, 4, []span{{3, 4}}, 2, 0, 0},
		{"filled from below", []uint64{1, 5, 2}, 5, []span{{3, 4}}, 2, 0, 1},
		{"filled from above", []uint64{1, 5, 4}, 5, []span{{2, 3}}, 2, 0, 1},
		{"split", []uint64{1, 5, 3}, 5, []span{{2, 2}, {4, 4}}, 2, 0, 1},
		{"closed", []uint64{1, 3, 2}, 3, nil, 0, 0, 1},
		{"twice", []uint64{1, 1, 2, 1}, 2, nil, 0, 2, 0},
		{"late and twice", []uint64{1, 3, 2, 2}, 3, nil, 0, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l ledger
			for _, s := range tt.seqs {
				l.observe(s)
			}
			l.settle(tt.published)
			if !slices.Equal(l.missing, tt.missing) || l.lost != tt.lost || l.duplicated != tt.dup || l.reordered != tt.reo {
				t.Errorf("%+v", l)
			}
			check(t, &l, tt.published)
		})
	}
}

func TestLateAfterSettling(t *testing.T) {
	var l ledger
	l.observe(1)
	l.settle(4)
	l.observe(3)
	l.settle(4)
	check(t, &l, 4)
	if l.lost != 2 || l.reordered != 1 {
		t.Errorf("%+v", l)
	}
}

// check holds the arithmetic that everything else is built on.
func check(t *testing.T, l *ledger, published uint64) {
	t.Helper()
	var sum uint64
	for i, m := range l.missing {
		sum += m.last - m.first + 1
		if m.first > m.last || i > 0 && l.missing[i-1].last+1 >= m.first {
			t.Fatalf("gaps %v", l.missing)
		}
	}
	if sum != l.lost || l.received-l.duplicated+l.lost != l.last || published != l.last {
		t.Fatalf("published %d, gaps sum to %d: %+v", published, sum, l)
	}
}

// naive remembers every number.
type naive struct {
	seen            map[uint64]bool
	high            uint64
	duplicated, reo uint64
}

func (n *naive) observe(seq uint64) {
	switch {
	case n.seen[seq]:
		n.duplicated++
	case seq < n.high:
		n.reo++
	}
	n.seen[seq], n.high = true, max(n.high, seq)
}

func compare(t *testing.T, seqs []uint64) {
	t.Helper()
	var l ledger
	n := naive{seen: map[uint64]bool{}}
	for _, s := range seqs {
		l.observe(s)
		n.observe(s)
	}
	published := n.high + 3
	l.settle(published)
	check(t, &l, published)
	if l.duplicated != n.duplicated || l.reordered != n.reo || l.lost != published-uint64(len(n.seen)) {
		t.Fatalf("%+v, naively %d duplicated, %d reordered of %v", l, n.duplicated, n.reo, seqs)
	}
}

func TestLedgerAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		seqs := make([]uint64, r.IntN(200))
		for i := range seqs {
			seqs[i] = max(1, uint64(i)+r.Uint64N(8))
		}
		compare(t, seqs)
	}
}

func FuzzLedger(f *testing.F) {
	f.Add([]byte{1, 2, 3})
	f.Add([]byte{1, 5, 3, 3, 2, 200, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		var seqs []uint64
		for _, s := range b {
			seqs = append(seqs, uint64(s)+1)
		}
		compare(t, seqs)
	})
}

func TestMessage(t *testing.T) {
	const run = "9f86d081"
	for _, m := range []message{{hello, 1, 0, 0}, {number, 123456789, 63, time.Hour}, {end, 7, 1, 1}} {
		if got, ours := parse(m.appendTo(nil, run), run); !ours || got != m {
			t.Errorf("%+v came back as %+v, ours %t", m, got, ours)
		}
	}
	for _, s := range []string{
		"", "n", "number", "number 1", "hi", "number 0 by 0 of 9f86d081 at 1", "number 1 by 0 of 9f86d082 at 1", "number 1 by 0 of 9f86d081",
		"number 1 by 0 of 9f86d081 at ", "number 1 by 0 of 9f86d081 at 1.", "number 1 by 64 of 9f86d081 at 1", "number 1 of 9f86d081 at 1", "number 9999999999999999999999 by 0 of 9f86d081 at 1", "numbers 1 by 0 of 9f86d081 at 1", "\x00",
	} {
		if m, ours := parse([]byte(s), run); ours {
			t.Errorf("%q is taken for %+v", s, m)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("number 4711 by 0 of 9f86d081 at 12345678"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, ours := parse(b, "9f86d081"); ours && (m.seq == 0 || m.sent < 0) {
			t.Errorf("%q is taken for %+v", b, m)
		}
	})
}

// One message in its turn, from bytes to the ledger.
func BenchmarkObserve(b *testing.B) {
	var l ledger
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = message{kind: number, seq: l.last + 1, sent: time.Second}.appendTo(buf[:0], "9f86d081")
		m, ours := parse(buf, "9f86d081")
		if !ours {
			b.Fatal("not ours")
		}
		l.observe(m.seq)
	}
	if l.lost != 0 {
		b.Fatal(l.lost)
	}
}

// What a delivered message costs: from the library's hands to the ledger.
func BenchmarkReceive(b *testing.B) {
	for _, queue := range []bool{false, true} {
		b.Run(fmt.Sprintf("queue=%t", queue), func(b *testing.B) {
			f := New(Options{Workload: cluster.Workload{Publishers: 3, Queue: 2}})
			defer f.Close()
			c := f.subs[0]
			if queue {
				c = f.subs[2]
			}
			msg := &nats.Msg{}
			seq := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				seq++
				msg.Data = message{kind: number, seq: seq, by: 1, sent: time.Second}.appendTo(msg.Data[:0], f.run)
				c.receive(msg)
			}
			if t := c.hears.sum(); t.Received != seq || t.Lost != 0 {
				b.Fatal(t)
			}
		})
	}
}
