package report

import (
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
)

// withYours is a walk through which an application and two strangers went: each
// left A when it was stopped.
func withYours(t *testing.T) rehearsal.State {
	t.Helper()
	s := rehearse(t, setting{}).state
	stopped := s.Plan.Steps[4].Began
	left := func(app string, number int, away cluster.Span) cluster.Stranger {
		x := cluster.Stranger{
			Identity: cluster.Identity{Name: "cart", Lang: "nats.js", Version: "3.0.0", Application: app}, Number: number, Status: cluster.ClientConnected,
			Reconnects: 1, Longest: away, Total: away, LameDucks: 1, Heeded: number,
		}
		back := stopped.Add(away.Most)
		x.Trail = []cluster.Stay{{Node: "A", At: stopped.Add(-time.Second)}, {Node: "C", At: back, Away: away}}
		return x
	}
	s.World.Applications = []cluster.Application{{Name: "app1", Command: "node cart.js --token s3cret", Exit: &cluster.Exit{Code: 3, Reason: "enough"}}}
	s.World.Followed = []cluster.Stranger{
		left("app1", 1, cluster.Span{Most: 30 * time.Millisecond, Blur: 12 * time.Millisecond}),
		left("", 1, cluster.Span{Most: 9 * time.Millisecond}), left("", 0, cluster.Span{Most: 8 * time.Millisecond}),
	}
	return s
}

func TestYourClients(t *testing.T) {
	r := New(withYours(t), rehearsal.Header{})
	var got []string
	for _, y := range r.Yours {
		got = append(got, y.Name+": "+y.story())
	}
	want := []string{
		"app1: 1 client, nats.js 3.0.0; A → C; 1 reconnect, longest away ≤ 30 ms; noticed lame duck 1 of 1; DIED: exit status 3, enough",
		"cart: 2 clients, nats.js 3.0.0; A → C; 2 reconnects, longest away 9.0 ms; noticed lame duck 1 of 2",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(written(t, r, "json")))
	if err == nil {
		err = schema(t, true).Validate(doc)
	}
	if err != nil {
		t.Error(err)
	}
	for _, format := range []string{"markdown", "html", "json"} {
		out := written(t, r, format)
		if strings.Contains(out, "s3cret") || !strings.Contains(out, "nats.js") || !strings.Contains(out, "enough") {
			t.Errorf("%s tells of no client of yours, or its secret", format)
		}
	}
}

// Of a client that is not nats-roll's only what is certain counts, and it is
// booked to the step in which it lost its server.
func TestYourClientsHaveABudget(t *testing.T) {
	s := withYours(t)
	for most, want := range map[time.Duration]string{
		18 * time.Millisecond: "longest without a server: 18ms, limit 18ms",
		17 * time.Millisecond: "longest without a server: 18ms, limit 17ms; step stop-a went over it",
	} {
		got := budgets(s.Apply(s.At, rehearsal.Budgeted{Limits: []rehearsal.Limit{{Name: "max-gap", Most: int64(most)}}}))[0].words()
		if got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}
