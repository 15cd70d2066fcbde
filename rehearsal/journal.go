package rehearsal

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"time"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// Header is the first line of an event log.
type Header struct {
	Schema  string    `json:"schema"`
	Tool    string    `json:"tool"`
	Command []string  `json:"command,omitempty"`
	Began   time.Time `json:"began"`
}

type line struct {
	Seq  uint64          `json:"seq"`
	At   time.Time       `json:"at"`
	Kind string          `json:"kind"`
	Data json.RawMessage `json:"data"`
}

// Journal writes an event log. Its Watch is a Watcher; what goes wrong while
// writing is kept and told by Err.
type Journal struct {
	w   io.Writer
	err error
}

// NewJournal writes the header.
func NewJournal(w io.Writer, h Header) *Journal {
	j := &Journal{w: w}
	h.Schema = Schema
	j.write(h)
	return j
}

// Watch writes one event.
func (j *Journal) Watch(r Record, _ State) {
	data, err := json.Marshal(r.Event)
	if err != nil {
		j.err = fmt.Errorf("encode event %d: %w", r.Seq, err)
		return
	}
	j.write(line{Seq: r.Seq, At: r.At, Kind: r.Event.Kind(), Data: data})
}

func (j *Journal) write(v any) {
	if j.err != nil {
		return
	}
	b, err := json.Marshal(v)
	if err == nil {
		_, err = j.w.Write(append(b, '\n'))
	}
	j.err = err
}

// Err is the first thing that went wrong. Call it after the lab is closed.
func (j *Journal) Err() error { return j.err }

var kinds = func() map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for _, list := range [][]cluster.Event{cluster.Events, upgrade.Events, {Note{}, Typed{}}} {
		for _, e := range list {
			out[e.Kind()] = reflect.TypeOf(e)
		}
	}
	return out
}()

// maxLine bounds a line of an event log, in bytes.
const maxLine = 64 << 20

// ReadJournal reads an event log and hands every record to yield. Kinds it does
// not know are passed over; a last line that is cut off ends the log. A log of a
// form that is newer than this program is a *SchemaError.
func ReadJournal(r io.Reader, yield func(Record)) (Header, error) {
	var h Header
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 1<<20), maxLine)
	if sc.Scan() {
		_ = json.Unmarshal(sc.Bytes(), &h) // what is none has no schema
	}
	if err := sc.Err(); err != nil {
		return h, err
	}
	form, err := h.number()
	if err != nil {
		return h, err
	}
	var broken error
	for n := 2; sc.Scan(); n++ {
		if broken != nil {
			return h, broken
		}
		var l line
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			broken = fmt.Errorf("event log line %d: %w", n, err) // unless it is the last
			continue
		}
		t, ok := kinds[l.Kind]
		if !ok {
			continue
		}
		v := reflect.New(t)
		data, err := migrate(form, l.Kind, l.Data)
		if err == nil {
			err = json.Unmarshal(data, v.Interface())
		}
		if err != nil {
			return h, fmt.Errorf("event log line %d: %s: %w", n, l.Kind, err)
		}
		yield(Record{Seq: l.Seq, At: l.At, Event: v.Elem().Interface().(cluster.Event)})
	}
	return h, sc.Err()
}
