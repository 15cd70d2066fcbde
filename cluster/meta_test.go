package cluster

import "testing"

func TestMetaLeader(t *testing.T) {
	says := func(leaders ...string) Observation {
		top, err := NewTopology(3, false, 0)
		if err != nil {
			t.Fatal(err)
		}
		o := Observe(top)
		for i, l := range leaders {
			if l == "dead" {
				continue
			}
			o.Servers[i].Process.PID = 10 + i
			o.Servers[i].Answer.JetStream.Meta.Leader = l
		}
		return o
	}
	for _, tt := range []struct {
		name    string
		leaders []string
		want    string
	}{
		{"all say so", []string{"B", "B", "B"}, "B"},
		{"nobody knows", []string{"", "", ""}, ""},
		{"it does not say so itself", []string{"B", "", "B"}, ""},
		{"it is dead", []string{"B", "dead", "B"}, ""},
		{"an old one has not noticed", []string{"A", "B", "B"}, "B"},
		{"it is alone", []string{"A", "dead", "dead"}, "A"},
	} {
		s, ok := says(tt.leaders...).MetaLeader()
		if s.Node.Name != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, %t", tt.name, s.Node.Name, ok)
		}
	}
}

// What was asked for before an action says nothing of it, and /jsz is asked for less
// often than the rest.
func TestSinceLooksAtJetStreamOfItsOwn(t *testing.T) {
	top, _ := NewTopology(2, false, 0)
	o := Observe(top)
	o.Servers[0].Answer = Answer{ServerID: "X", Began: at(50), JetStream: JetStream{Asked: at(40), Meta: Meta{Size: 3}}}
	if got := o.Since(at(45)).Servers[0].Answer; !got.Known() || got.JetStream.Meta.Size != 0 {
		t.Errorf("%+v", got)
	}
	if got := o.Since(at(40)).Servers[0].Answer; got.JetStream.Meta.Size != 3 {
		t.Errorf("%+v", got)
	}
}

func TestSinceWhenAServerIsUnwell(t *testing.T) {
	answer := func(ms int, well bool) Answered {
		a := lists("A", ms)
		a.Answer.Healthy = well
		return a
	}
	o := observed(t, started("A", 10, 0, Build{}), answer(10, true), answer(20, false), answer(30, false))
	if s := o.Servers[0]; !s.Unwell.Equal(at(20)) {
		t.Errorf("unwell since %s", s.Unwell)
	}
	o = o.Apply(at(40), answer(40, true)).Apply(at(50), exited("A", 10, 50)).Apply(at(60), started("A", 11, 60, Build{}))
	if s := o.Servers[0]; !s.Unwell.IsZero() || s.Was != "idA" {
		t.Errorf("%+v", s)
	}
}

// The ids are those that servers of these names print.
func TestPeersAreKnownByTheirIDs(t *testing.T) {
	for said, want := range map[string]string{
		"B": "B",
		"Server name unknown at this time (peerID: jZ6RvVRH)": "C",
		"Server name unknown at this time (peerID: 1vR9AhxX)": "D",
		"Server name unknown at this time (peerID: 00000000)": "Server name unknown at this time (peerID: 00000000)",
	} {
		if got := PeerName(said); got != want {
			t.Errorf("%s: %s", said, got)
		}
	}
}
