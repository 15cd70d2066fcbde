package monitor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"nats-roll/cluster"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// world is a made-up server, for the pace.
type world struct {
	mu     sync.Mutex
	answer cluster.Answer
	err    error
	takes  time.Duration
	health bool
	asked  []time.Time // when each round began
	healed []time.Time // the rounds with /healthz
	events []cluster.Event
	at     []time.Time
}

func (w *world) ask(ctx context.Context, n cluster.Node, r round) (cluster.Answer, error) {
	w.mu.Lock()
	began := time.Now()
	w.asked = append(w.asked, began)
	a, err, takes := w.answer, w.err, w.takes
	if r.health {
		w.healed = append(w.healed, began)
		a.Healthy = w.health
		if !w.health {
			a.Health = "no leader"
		}
	}
	w.mu.Unlock()
	select {
	case <-ctx.Done():
		return cluster.Answer{}, ctx.Err()
	case <-time.After(takes):
	}
	a.Node, a.Began, a.Ended = n.Name, began, time.Now()
	return a, err
}

func (w *world) sink(e cluster.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events, w.at = append(w.events, e), append(w.at, time.Now())
}

func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// clear forgets what was asked and told, and returns how much that was.
func (w *world) clear() (asked int, events []cluster.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	asked, events = len(w.asked), w.events
	w.asked, w.healed, w.events, w.at = nil, nil, nil, nil
	return asked, events
}

func inBubble(t *testing.T, test func(*testing.T, *world, *Watcher)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{answer: cluster.Answer{ServerID: "X"}, health: true, takes: time.Millisecond}
		watcher := Watch([]cluster.Node{{Name: "A"}}, w.sink, Options{ask: w.ask})
		test(t, w, watcher)
		watcher.Close()
	})
}

func TestPace(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world, watcher *Watcher) {
		time.Sleep(time.Minute)
		if asked, _ := w.clear(); asked != 0 {
			t.Errorf("asked %d times before there was a process", asked)
		}

		watcher.Up("A")
		up := time.Now()
		time.Sleep(time.Minute)
		if first := w.first(); !first.Equal(up) {
			t.Errorf("first asked %s after the start", first.Sub(up))
		}
		gaps := w.gaps()
		settled := slices.Index(gaps, slowest) // from then on, at whole seconds
		if settled < 2 || gaps[0] != fastest+w.takes || !slices.IsSorted(gaps[:settled-1]) {
			t.Errorf("gaps %v", gaps)
		}
		for _, g := range gaps[settled:] {
			if g != slowest {
				t.Errorf("settled, but gaps %v", gaps[settled:])
			}
		}

		w.clear()
		w.set(func() { w.answer.InMsgs++ })
		time.Sleep(10 * time.Second)
		if asked, _ := w.clear(); asked > 11 { // a whole second at either end
			t.Errorf("asked %d times in 10 s because a counter ran", asked)
		}
		w.set(func() { w.answer.Routes++ })
		time.Sleep(slowest + 500*time.Millisecond)
		if asked, _ := w.clear(); asked < 5 {
			t.Errorf("asked %d times in the second of a change", asked)
		}

		time.Sleep(time.Minute)
		watcher.Down("A")
		w.clear()
		watcher.Quicken()
		time.Sleep(time.Minute)
		if asked, _ := w.clear(); asked != 0 {
			t.Errorf("asked %d times after its end", asked)
		}
	})
}

func TestPaceInLameDuckMode(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world, watcher *Watcher) {
		watcher.Up("A")
		watcher.Drain("A")
		time.Sleep(10 * time.Second)
		w.clear()
		time.Sleep(time.Minute)
		for _, g := range w.gaps() {
			if g != tense+w.takes {
				t.Fatalf("gaps %v", w.gaps())
			}
		}
		watcher.Up("A") // another process
		time.Sleep(10 * time.Second)
		w.clear()
		time.Sleep(time.Minute)
		if asked, _ := w.clear(); asked > 61 {
			t.Errorf("the next process is asked %d times in a minute", asked)
		}
	})
}

func (w *world) first() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[0]
}

func (w *world) gaps() (gaps []time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.asked[1:] {
		gaps = append(gaps, w.asked[i+1].Sub(w.asked[i]))
	}
	return gaps
}

// The round under way when Quicken is called began before it and proves nothing.
func TestQuickenDuringARound(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world, watcher *Watcher) {
		watcher.Up("A")
		time.Sleep(time.Minute)
		w.set(func() { w.takes = 300 * time.Millisecond })
		watcher.Quicken()
		time.Sleep(100 * time.Millisecond)
		w.clear()
		called := time.Now()
		watcher.Quicken()
		watcher.Quicken()
		time.Sleep(210 * time.Millisecond)
		if asked, told := w.clear(); asked != 1 || len(told) != 1 {
			t.Fatalf("asked %d times, told %v", asked, told)
		}
		time.Sleep(300 * time.Millisecond)
		_, told := w.clear()
		if len(told) != 1 || told[0].(cluster.Answered).Answer.Began.Before(called) {
			t.Errorf("told %v", told)
		}
	})
}

func TestStartIsQuiet(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world, watcher *Watcher) {
		refused := fmt.Errorf("ask A: %w", errors.New("connection refused"))
		w.set(func() { w.err = refused })
		watcher.Up("A")
		time.Sleep(900 * time.Millisecond)
		if asked, told := w.clear(); asked < 70 || len(told) != 0 {
			t.Errorf("asked %d times, told %v", asked, told)
		}
		time.Sleep(3 * time.Second)
		_, told := w.clear()
		if len(told) != 3 {
			t.Errorf("told %d times in 3 s", len(told))
		}
		if u := told[0].(cluster.Unanswered); u.Node != "A" || u.Reason != "connection refused" || u.Began.IsZero() {
			t.Errorf("told %+v", u)
		}
		time.Sleep(time.Hour)
		w.clear()
		time.Sleep(10 * time.Second)
		if asked, _ := w.clear(); asked > 11 {
			t.Errorf("still asks %d times in 10 s", asked)
		}
		w.set(func() { w.err = nil })
		time.Sleep(slowest + 500*time.Millisecond)
		if _, told := w.clear(); len(told) == 0 {
			t.Error("does not notice that it answers")
		}

		// It had answered: now every silence is news, at once and once a second.
		w.set(func() { w.err = refused })
		watcher.Quicken()
		time.Sleep(5 * time.Millisecond)
		if _, told := w.clear(); len(told) != 1 {
			t.Errorf("told %v", told)
		}
		time.Sleep(10 * time.Second)
		if _, told := w.clear(); len(told) < 5 || len(told) > 10 {
			t.Errorf("told %d times in 10 s", len(told))
		}
	})
}

// A restart between question and answer: the answer is about the old process.
func TestTurnDropsTheRound(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world, watcher *Watcher) {
		w.set(func() { w.takes = time.Hour })
		watcher.Up("A")
		time.Sleep(time.Second)
		w.set(func() { w.takes = time.Millisecond })
		watcher.Down("A")
		watcher.Up("A")
		up := time.Now()
		time.Sleep(2 * time.Millisecond)
		_, told := w.clear()
		if len(told) != 1 || told[0].(cluster.Answered).Answer.Began.Before(up) {
			t.Errorf("told %v", told)
		}
	})
}

// Each /healthz that fails makes the server write a warning.
func TestUnwellIsAskedRarely(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world, watcher *Watcher) {
		w.set(func() { w.health = false })
		watcher.Up("A")
		for range 100 {
			time.Sleep(10 * time.Millisecond)
			watcher.Quicken()
		}
		w.mu.Lock()
		if len(w.asked) < 90 || len(w.healed) > 5 {
			t.Errorf("%d of %d rounds asked for health", len(w.healed), len(w.asked))
		}
		for _, e := range w.events {
			if a := e.(cluster.Answered).Answer; a.Healthy || a.Health != "no leader" {
				t.Fatalf("told %+v", a)
			}
		}
		w.mu.Unlock()
		w.set(func() { w.health = true })
		time.Sleep(2 * time.Second)
		_, told := w.clear()
		if a := told[len(told)-1].(cluster.Answered).Answer; !a.Healthy || a.Health != "" {
			t.Errorf("told %+v", a)
		}
	})
}

func TestWatchServers(t *testing.T) {
	events := make(chan cluster.Event, 1000)
	a, nodeA := start(t, "A", nil)
	nodeF := node(t, "F", frozen(t))
	w := Watch([]cluster.Node{nodeA, nodeF}, func(e cluster.Event) { events <- e }, Options{})
	defer w.Close()
	w.Up("A")
	w.Up("F")
	w.Up("nowhere")
	var answered, silent, joined bool
	deadline := time.After(20 * time.Second)
	for !answered || !silent || !joined {
		select {
		case e := <-events:
			switch e := e.(type) {
			case cluster.Answered:
				if e.Answer.Node != "A" || e.Answer.ServerID != a.ID() {
					t.Fatalf("told %+v", e)
				}
				if !answered {
					answered = true
					start(t, "B", a)
				}
				joined = len(e.Answer.Peers) == 1
			case cluster.Unanswered:
				if e.Node != "F" || !strings.HasSuffix(e.Reason, errSilent.Error()) {
					t.Fatalf("told %+v", e)
				}
				silent = true
			}
		case <-deadline:
			t.Fatalf("answered %t, silent %t, joined %t", answered, silent, joined)
		}
	}
}

// Three settled servers, asked once a second each: the cost of one round.
func BenchmarkAsk(b *testing.B) {
	node := replay(b, "testdata/2.15.2")
	client := NewClient()
	defer client.CloseIdleConnections()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Ask(b.Context(), client, node, DefaultPage); err != nil {
			b.Fatal(err)
		}
	}
}
