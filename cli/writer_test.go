package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// slow takes its time for each write.
type slow struct {
	bytes.Buffer
	pause time.Duration
}

func (s *slow) Write(p []byte) (int, error) {
	time.Sleep(s.pause) // virtual
	return s.Buffer.Write(p)
}

func TestASlowReaderKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &slow{pause: time.Second}
		w := newWriter("out", to, nil)
		began := time.Now()
		for range 1000 {
			if _, err := io.WriteString(w, "line\n"); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("writing took %s", took)
		}
		if err := w.Close(t.Context()); err != nil || to.String() != strings.Repeat("line\n", 1000) {
			t.Errorf("%d bytes arrived, %v", to.Len(), err)
		}
	})
}

func TestAReaderThatStopsIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter("out", &slow{pause: time.Hour}, nil)
		_, _ = io.WriteString(w, "line\n")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // until then it may be slow
		defer cancel()
		began := time.Now()
		var e *outputError
		if err := w.Close(ctx); !errors.As(err, &e) || time.Since(began) != time.Minute+writerGrace {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		time.Sleep(2 * time.Hour) // virtual: the goroutine ends
	})
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAReaderThatIsGoneIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		w := newWriter("out", broken{}, func(error) { told++ })
		_, _ = io.WriteString(w, "line\n")
		synctest.Wait()
		if _, err := io.WriteString(w, "more\n"); !errors.Is(err, io.ErrClosedPipe) || told != 1 {
			t.Errorf("%v, told %d times", err, told)
		}
		if err := w.Close(t.Context()); !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
	})
}
