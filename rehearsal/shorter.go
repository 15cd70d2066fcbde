package rehearsal

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"nats-roll/cluster"
)

// shorter is how a log writes what is told again and again: of a server's answer, a
// client and the totals, only the fields that differ from the line before. Writer
// and reader each keep what was last said.
type shorter struct {
	answers map[string]cluster.Answer
	clients map[int]cluster.Client
	totals  cluster.Totals
}

func newShorter() *shorter {
	return &shorter{answers: map[string]cluster.Answer{}, clients: map[int]cluster.Client{}}
}

// The lines of these events: fields that are not named here stay as they are.
type (
	answeredLine struct {
		cluster.Answered
		Answer json.RawMessage `json:"answer"`
	}
	fleetLine struct {
		cluster.FleetChanged
		Totals  json.RawMessage   `json:"totals"`
		Changed []json.RawMessage `json:"changed,omitempty"`
	}
)

var (
	answerForm = newForm[cluster.Answer]("node")
	clientForm = newForm[cluster.Client]("id")
	totalsForm = newForm[cluster.Totals]("")
)

// shorten is what to write as an event's data.
func (s *shorter) shorten(e cluster.Event) (any, error) {
	var err error
	switch e := e.(type) {
	case cluster.Answered:
		l := answeredLine{Answered: e}
		l.Answer, err = answerForm.less(s.answers[e.Answer.Node], e.Answer)
		s.answers[e.Answer.Node] = e.Answer
		return l, err
	case cluster.FleetChanged:
		l := fleetLine{FleetChanged: e}
		l.Totals, err = totalsForm.less(s.totals, e.Totals)
		s.totals = e.Totals
		for _, c := range e.Changed {
			var short json.RawMessage
			if short, err = clientForm.less(s.clients[c.ID], c); err != nil {
				return nil, err
			}
			l.Changed = append(l.Changed, short)
			s.clients[c.ID] = c
		}
		return l, err
	}
	return e, nil
}

// restore is the event of a line that shorten may have shortened; ok is false for
// the other kinds.
func (s *shorter) restore(kind string, data json.RawMessage) (e cluster.Event, ok bool, err error) {
	switch kind {
	case cluster.Answered{}.Kind():
		e, err = s.answered(data)
	case cluster.FleetChanged{}.Kind():
		e, err = s.fleet(data)
	default:
		return nil, false, nil
	}
	return e, true, err
}

func (s *shorter) answered(data json.RawMessage) (cluster.Answered, error) {
	var l answeredLine
	if err := json.Unmarshal(data, &l); err != nil {
		return l.Answered, err
	}
	var of struct{ Node string }
	_ = json.Unmarshal(l.Answer, &of) // over tells what is wrong with it
	a, err := answerForm.over(s.answers[of.Node], l.Answer)
	s.answers[of.Node] = a
	l.Answered.Answer = a
	return l.Answered, err
}

func (s *shorter) fleet(data json.RawMessage) (cluster.FleetChanged, error) {
	var l fleetLine
	err := json.Unmarshal(data, &l)
	if err == nil {
		s.totals, err = totalsForm.over(s.totals, l.Totals)
	}
	l.FleetChanged.Totals = s.totals
	for _, short := range l.Changed {
		if err != nil {
			break
		}
		var of struct{ ID int }
		_ = json.Unmarshal(short, &of)
		s.clients[of.ID], err = clientForm.over(s.clients[of.ID], short)
		l.FleetChanged.Changed = append(l.FleetChanged.Changed, s.clients[of.ID])
	}
	return l.FleetChanged, err
}

// form knows the fields of a struct by their names in JSON.
type form[T any] struct {
	key    string // the field that is always written
	fields []reflect.StructField
	names  []string
}

func newForm[T any](key string) form[T] {
	f := form[T]{key: key}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous || !field.IsExported() || name == "-" {
			continue
		}
		f.fields, f.names = append(f.fields, field), append(f.names, name)
	}
	return f
}

// less encodes the fields that differ; one that is empty now, too, or nobody would
// know that it was emptied.
func (f form[T]) less(was, is T) (json.RawMessage, error) {
	w, v := reflect.ValueOf(was), reflect.ValueOf(is)
	var b bytes.Buffer
	b.WriteByte('{')
	for i, field := range f.fields {
		x := v.FieldByIndex(field.Index)
		if f.names[i] != f.key && same(w.FieldByIndex(field.Index), x) {
			continue
		}
		data, err := json.Marshal(x.Interface())
		if err != nil {
			return nil, err
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + f.names[i] + `":`)
		b.Write(data)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func same(a, b reflect.Value) bool {
	if a.Comparable() && b.Comparable() {
		return a.Equal(b)
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// over decodes what less has encoded. It shares with was what is the same, and
// changes nothing of it.
func (f form[T]) over(was T, data json.RawMessage) (T, error) {
	var named object
	var is T
	if err := json.Unmarshal(data, &named); err != nil {
		return is, err
	}
	err := json.Unmarshal(data, &is)
	w, v := reflect.ValueOf(was), reflect.ValueOf(&is).Elem()
	for i, field := range f.fields {
		if _, ok := named[f.names[i]]; !ok {
			v.FieldByIndex(field.Index).Set(w.FieldByIndex(field.Index))
		}
	}
	return is, err
}
