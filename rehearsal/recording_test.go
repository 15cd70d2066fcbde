package rehearsal_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"nats-roll/rehearsal"
)

func recordingOf(t *testing.T, log string) *rehearsal.Recording {
	t.Helper()
	r, err := rehearsal.ReadRecording(strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Wherever one jumps in a recording, the state is the one that a reader from the
// beginning has there.
func TestAStateIsTheSameFromWhereverOneComes(t *testing.T) {
	_, log := walk(t)
	want := read(t, log)
	r := recordingOf(t, log)
	if r.Len() != len(want) || r.Len() < 3*256 {
		t.Fatalf("%d records of %d", r.Len(), len(want))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		place := random.IntN(r.Len() + 1)
		got := r.State(place)
		if place == 0 {
			if got.Seq != 0 {
				t.Errorf("at the beginning, %d events have happened", got.Seq)
			}
			continue
		}
		was := want[place-1]
		if got.Seq != was.state.Seq || got.Traffic.Len() != was.state.Traffic.Len() {
			t.Fatalf("at %d: %d events", place, got.Seq)
		}
		if x, y := facts(t, was.state, true), facts(t, got, true); x != y {
			t.Fatalf("at %d: %s", place, difference(x, y))
		}
		if at := r.Time(place); !at.Equal(was.At) || r.Place(at) < place || r.Place(at.Add(-1)) >= place {
			t.Errorf("at %d it is %s, and then %d to %d", place, at, r.Place(at.Add(-1)), r.Place(at))
		}
	}
}

func TestMomentsAndMarksOfARecording(t *testing.T) {
	live, log := walk(t)
	r := recordingOf(t, log)
	kinds := map[string]int{}
	for i, m := range r.Moments {
		kinds[m.Event.Kind()]++
		if s := r.State(m.Place); !s.At.Equal(m.At) || i > 0 && m.Place <= r.Moments[i-1].Place {
			t.Errorf("moment %d, %s, is at %d", i, m.Event.Kind(), m.Place)
		}
	}
	end := live[len(live)-1].state
	if kinds["step-ended"] != 12 || kinds["started"] != len(end.Lives) || kinds["stop-asked"] == 0 || kinds["finished"] != 1 || kinds["answered"] > 0 {
		t.Errorf("moments %v", kinds)
	}
	died := 0
	for i, m := range r.Marks {
		if m.What == rehearsal.MarkDied {
			died++
		}
		if w := end.Marks[i]; m.Node != w.Node || m.What != w.What || !m.At.Equal(w.At) {
			t.Errorf("mark %+v, want %+v", m, w)
		}
	}
	if len(r.Marks) != len(end.Marks) || died != 1 || r.Outline.Title == "" {
		t.Errorf("%d marks, %d died, %q", len(r.Marks), died, r.Outline.Title)
	}
}

// What one can look at need not be much.
func TestARecordingOfNothing(t *testing.T) {
	var b strings.Builder
	j := rehearsal.NewJournal(&b, rehearsal.Header{Tool: "1.2.3", Began: noon})
	r := recordingOf(t, b.String())
	if r.Len() != 0 || !r.Time(0).Equal(noon) || r.Place(noon) != 0 || r.State(0).Seq != 0 || r.Header.Tool != "1.2.3" {
		t.Errorf("%+v", r)
	}
	// A clock that is set back does not turn time around.
	j.Watch(rehearsal.Record{At: noon, Event: rehearsal.Note{Text: "x"}}, rehearsal.State{})
	j.Watch(rehearsal.Record{At: noon.Add(-1e9), Event: rehearsal.Note{Text: "y"}}, rehearsal.State{})
	r = recordingOf(t, b.String())
	if r.Len() != 2 || !r.Time(2).Equal(noon) || r.Place(noon) != 2 {
		t.Errorf("%d records, the last at %s", r.Len(), r.Time(2))
	}
	n := 0
	r.Watch(func(e rehearsal.Record, s rehearsal.State) {
		if n++; s.Seq != uint64(n) || len(s.Notes) != n {
			t.Errorf("record %d with state %d", n, s.Seq)
		}
	})
	if n != 2 {
		t.Errorf("%d records were shown", n)
	}
}
