package rehearsal

import (
	"slices"
	"testing"
)

func TestTailKeepsTheLastItemsAndSharesNothing(t *testing.T) {
	for _, batch := range []int{1, 7, chunkLen, 3*chunkLen + 5} {
		var all []int
		lists := []Tail[int]{NewTail[int](1000)}
		for len(all) < 3000 {
			items := make([]int, batch)
			for i := range items {
				items[i] = len(all) + i
			}
			all = append(all, items...)
			lists = append(lists, lists[len(lists)-1].Append(items...))
		}
		for i, l := range lists { // older lists are what they were
			n := i * batch
			got := slices.Collect(l.All())
			if len(got) != l.Len() || len(got) < min(n, 1000) || !slices.Equal(got, all[n-len(got):n]) {
				t.Fatalf("batches of %d: list %d holds %d items, want the last of %d", batch, i, len(got), n)
			}
		}
		last := lists[len(lists)-1]
		back := slices.Collect(last.Backward())
		slices.Reverse(back)
		if !slices.Equal(back, slices.Collect(last.All())) {
			t.Error("backward is not forward reversed")
		}
	}
}

// A fork of a list does not write into its sibling.
func TestTailForks(t *testing.T) {
	base := NewTail[int](100).Append(1, 2, 3)
	a, b := base.Append(4), base.Append(5)
	if a.At(3) != 4 || b.At(3) != 5 || base.Len() != 3 {
		t.Errorf("got %d and %d after %d", a.At(3), b.At(3), base.Len())
	}
}
