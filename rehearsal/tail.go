package rehearsal

import "iter"

// chunkLen is how many items are copied at most when one is appended.
const chunkLen = 128

// Tail is an immutable list that keeps about its last max items. Append shares
// all but the last chunk with the list it was made from, so that older states
// stay what they were at little cost.
type Tail[T any] struct {
	chunks [][]T
	max    int
}

// NewTail makes an empty list that keeps at least the last keep items.
func NewTail[T any](keep int) Tail[T] { return Tail[T]{max: keep} }

// Append returns the list with items at its end.
func (t Tail[T]) Append(items ...T) Tail[T] {
	if len(items) == 0 {
		return t
	}
	chunks := make([][]T, 0, len(t.chunks)+1+len(items)/chunkLen)
	chunks = append(chunks, t.chunks...)
	for len(items) > 0 {
		last := len(chunks) - 1
		if last < 0 || len(chunks[last]) == chunkLen {
			chunks = append(chunks, nil)
			last++
		}
		n := min(chunkLen-len(chunks[last]), len(items))
		grown := make([]T, 0, len(chunks[last])+n)
		grown = append(grown, chunks[last]...)
		chunks[last] = append(grown, items[:n]...)
		items = items[n:]
	}
	t.chunks = chunks
	for len(t.chunks) > 1 && t.Len()-len(t.chunks[0]) >= t.max {
		t.chunks = t.chunks[1:]
	}
	return t
}

// Len is the number of items.
func (t Tail[T]) Len() int {
	if len(t.chunks) == 0 {
		return 0
	}
	// Every chunk but the last is full.
	return (len(t.chunks)-1)*chunkLen + len(t.chunks[len(t.chunks)-1])
}

// At is the i-th item, from the oldest.
func (t Tail[T]) At(i int) T { return t.chunks[i/chunkLen][i%chunkLen] }

// Backward goes through the items from the newest.
func (t Tail[T]) Backward() iter.Seq[T] {
	return func(yield func(T) bool) {
		for i := t.Len() - 1; i >= 0; i-- {
			if !yield(t.At(i)) {
				return
			}
		}
	}
}

// All goes through the items from the oldest.
func (t Tail[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, chunk := range t.chunks {
			for _, item := range chunk {
				if !yield(item) {
					return
				}
			}
		}
	}
}
