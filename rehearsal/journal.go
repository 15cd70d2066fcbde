package rehearsal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"nats-roll/cluster"
	"nats-roll/redact"
	"nats-roll/upgrade"
)

// Header is the first line of an event log.
type Header struct {
	Schema  string    `json:"schema"`
	Tool    string    `json:"tool"`
	Command []string  `json:"command,omitempty"`
	Began   time.Time `json:"began"`
	Host    Host      `json:"host,omitzero"`
}

// Host is the machine that a rehearsal ran on.
type Host struct {
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Cores int    `json:"cores"`
}

type line struct {
	Seq  uint64          `json:"seq"`
	At   time.Time       `json:"at"`
	Kind string          `json:"kind"`
	Data json.RawMessage `json:"data"`
}

// Journal writes an event log, without the secrets. Its Watch is a Watcher; what goes wrong while
// writing is kept and told by Err. The log has less than everything: what only
// counts comes now and then, and fields that are as they were in the line before
// are left out. See digest and shorter.
type Journal struct {
	w      io.Writer
	seq    uint64
	digest *digest
	short  *shorter
	err    error
}

// NewJournal writes the header.
func NewJournal(w io.Writer, h Header) *Journal {
	j := &Journal{w: w, short: newShorter()}
	j.digest = newDigest(j.log)
	h.Schema = Schema
	j.write(h)
	return j
}

// Watch takes one event.
func (j *Journal) Watch(r Record, s State) {
	if j.err == nil {
		j.digest.take(r, s)
	}
}

// Err is the first thing that went wrong. It is for watchers.
func (j *Journal) Err() error { return j.err }

// Close writes what has been held back, and returns the first thing that went
// wrong. Call it after the lab is closed.
func (j *Journal) Close() error {
	if j.err == nil {
		j.digest.release(true)
	}
	return j.err
}

func (j *Journal) log(at time.Time, e cluster.Event) {
	j.seq++
	short, err := j.short.shorten(e)
	data, err2 := json.Marshal(short)
	if err = errors.Join(err, err2); err != nil {
		j.err = fmt.Errorf("encode event %d: %w", j.seq, err)
		return
	}
	j.write(line{Seq: j.seq, At: at, Kind: e.Kind(), Data: data})
}

func (j *Journal) write(v any) {
	if j.err != nil {
		return
	}
	b, err := json.Marshal(v)
	if err == nil {
		_, err = j.w.Write(append(redact.JSON(b), '\n'))
	}
	j.err = err
}

var kinds = func() map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for _, list := range [][]cluster.Event{cluster.Events, upgrade.Events, {Note{}, Typed{}, Budgeted{}}} {
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
	decode := decoder(form)
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
		e, err := decode(l.Kind, l.Data)
		if err != nil {
			return h, fmt.Errorf("event log line %d: %s: %w", n, l.Kind, err)
		}
		if e != nil {
			yield(Record{Seq: l.Seq, At: l.At, Event: e})
		}
	}
	return h, sc.Err()
}

// decoder decodes the events of a log of this form, in order. A kind that it does
// not know is no event.
func decoder(form int) func(kind string, data json.RawMessage) (cluster.Event, error) {
	short := newShorter()
	return func(kind string, data json.RawMessage) (cluster.Event, error) {
		t, ok := kinds[kind]
		if !ok {
			return nil, nil
		}
		data, err := migrate(form, kind, data)
		if err != nil {
			return nil, err
		}
		if form >= shortened {
			if e, ok, err := short.restore(kind, data); ok {
				return e, err
			}
		}
		v := reflect.New(t)
		if err := json.Unmarshal(data, v.Interface()); err != nil {
			return nil, err
		}
		return v.Elem().Interface().(cluster.Event), nil
	}
}
