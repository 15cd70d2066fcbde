package rehearsal

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"nats-roll/cluster"
)

// What is read is what was written, also where a field was emptied, and what was
// read before stays as it was.
func TestWhatIsLeftOutComesBack(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	first := cluster.Client{ID: 3, Name: "sub", Status: cluster.ClientAway, Known: []string{"x", "y"}, Trail: []cluster.Hop{{Node: "A", At: at}}, AwaySince: at, Err: "eof", Lost: 4}
	second := first
	second.Status, second.AwaySince, second.Err, second.Known, second.Received = cluster.ClientConnected, time.Time{}, "", []string{"z"}, 9
	third := second
	third.Known, third.Trail = nil, append(third.Trail, cluster.Hop{Node: "B", At: at})
	answer := cluster.Answer{Node: "B", ServerID: "1", Health: "not yet", Clients: []cluster.Connection{{CID: 1}}}
	better := cluster.Answer{Node: "B", ServerID: "1", Healthy: true}
	events := []cluster.Event{
		cluster.FleetChanged{At: at, Totals: cluster.Totals{Publishing: true, Published: 7}, Changed: []cluster.Client{{ID: 1}, first}},
		cluster.Answered{Answer: answer},
		cluster.Answered{Answer: cluster.Answer{Node: "A", ServerID: "2"}},
		cluster.FleetChanged{At: at.Add(1), Totals: cluster.Totals{Settled: true, Published: 7}, Changed: []cluster.Client{second}},
		cluster.Answered{Answer: better},
		cluster.FleetChanged{At: at.Add(2), Totals: cluster.Totals{Settled: true, Published: 7}, Changed: []cluster.Client{third}},
	}
	writer, read := newShorter(), decoder(schemaNow)
	var got []cluster.Event
	size := 0
	for _, e := range events {
		short, err := writer.shorten(e)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(short)
		if err != nil {
			t.Fatal(err)
		}
		size = len(data)
		back, err := read(e.Kind(), data)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		got = append(got, back)
	}
	for i := range events {
		if !reflect.DeepEqual(got[i], events[i]) {
			t.Errorf("event %d\nwas %+v\nis  %+v", i, events[i], got[i])
		}
	}
	if size > 200 {
		t.Errorf("%d bytes for a client that moved", size)
	}
	for _, bad := range []string{`{}`, `{"answer":[]}`, `{"answer":{"node":1}}`, `7`} {
		if _, err := read("answered", json.RawMessage(bad)); err == nil {
			t.Errorf("read %s", bad)
		}
	}
	for _, bad := range []string{`{}`, `{"totals":[]}`, `{"totals":{},"changed":[{"id":"x"}]}`, `7`} {
		if _, err := read("fleet", json.RawMessage(bad)); err == nil {
			t.Errorf("read %s", bad)
		}
	}
}

// The digest keeps of these what it knows; a new field needs a thought there.
func TestTheDigestKnowsWhatItHoldsBack(t *testing.T) {
	var fields []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[cluster.FleetChanged]()) {
		fields = append(fields, f.Name)
	}
	if want := []string{"At", "Totals", "Series", "Groups", "Costs", "Streams", "Asked", "Changed"}; !reflect.DeepEqual(fields, want) {
		t.Errorf("FleetChanged has %v; say in digest.go what becomes of it when several are told as one", fields)
	}
}
