package cluster

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// conn is a connection of app, taken at this millisecond.
func conn(cid uint64, ms int, name string) Connection {
	return Connection{CID: cid, Name: name, Lang: "go", Version: "1.55.0", Start: at(ms)}
}

// lists is an answer of one millisecond, with these connections.
func lists(node string, ms int, conns ...Connection) Answered {
	slices.SortFunc(conns, func(a, b Connection) int { return b.Start.Compare(a.Start) })
	return Answered{Answer: Answer{Node: node, ServerID: "id" + node, Began: at(ms), Ended: at(ms + 1), Clients: conns}}
}

func (a Answered) of(more ...Connection) Answered { // a page with older ones left out
	a.Answer.Clients, a.Answer.Partial = more, true
	return a
}

func (a Answered) closed(cid uint64, seen, stop int, reason string) Answered {
	c := Closing{CID: cid, Seen: at(seen), Reason: reason}
	if stop > 0 {
		c.Stop = at(stop)
	}
	a.Answer.Closed = append(slices.Clip(a.Answer.Closed), c)
	return a
}

func asked(node string, pid, ms int, how Stop) StopAsked {
	return StopAsked{Node: node, PID: pid, Stop: how, At: at(ms)}
}

func exited(node string, pid, ms int) Exited {
	return Exited{Node: node, PID: pid, Exit: Exit{At: at(ms), Asked: true}}
}

// story tells a stranger in one line: "app connected: A 10, B 60 away 10–12".
func story(x Stranger) string {
	ms := func(t time.Time) string { return fmt.Sprint(t.Sub(epoch).Milliseconds()) }
	name := x.Name
	if x.Number > 1 {
		name += fmt.Sprint("#", x.Number)
	}
	var stays []string
	for _, s := range x.Trail {
		w := s.Node + " " + ms(s.At)
		switch {
		case s.Away.Blur > 0:
			w += fmt.Sprintf(" away %d–%d", s.Away.Least().Milliseconds(), s.Away.Most.Milliseconds())
		case s.Away.Most > 0:
			w += fmt.Sprintf(" away %d", s.Away.Most.Milliseconds())
		}
		if !s.Gone.IsZero() {
			w += " to " + ms(s.Gone)
		}
		if s.LameDuck {
			w += " draining"
		}
		if s.Why != "" {
			w += " (" + s.Why + ")"
		}
		stays = append(stays, w)
	}
	return name + " " + string(x.Status) + ": " + strings.Join(stays, ", ")
}

func TestStrangersAreFollowed(t *testing.T) {
	run := slices.Clip([]Event{started("A", 10, 0, Build{}), started("B", 11, 0, Build{}), started("C", 12, 0, Build{})})
	for _, tc := range []struct {
		name   string
		events []Event
		want   []string
	}{
		{"one comes", []Event{lists("A", 20, conn(5, 10, "app"))}, []string{"app connected: A 10"}},
		{"the fleet's and the system's are none", []Event{lists("A", 20, conn(5, 10, FleetPrefix+"sub 1"), Connection{CID: 6, Name: "watch", Lang: "go", System: true})}, nil},
		{"one that has not said yet who it is", []Event{lists("A", 20, Connection{CID: 5, Start: at(15)})}, nil},
		{"one that never says who it is", []Event{lists("A", 1020, Connection{CID: 5, Start: at(15)})}, []string{" connected: A 15"}},
		{
			"it moves when its server is stopped",
			[]Event{lists("A", 20, conn(5, 10, "app")), asked("A", 10, 50, StopInt), exited("A", 10, 54), lists("B", 70, conn(7, 60, "app"))},
			[]string{"app connected: A 10 to 54 (its server ended), B 60 away 6–10"},
		},
		{
			"it is back before the end of its server is told",
			[]Event{lists("A", 20, conn(5, 10, "app")), asked("A", 10, 50, StopInt), lists("B", 53, conn(7, 52, "app")), exited("A", 10, 54)},
			[]string{"app connected: A 10 to 52 (its server ended), B 52 away 0–2"},
		},
		{
			"a server that dies is last heard of when it answers",
			[]Event{lists("A", 20, conn(5, 10, "app")), lists("A", 40, conn(5, 10, "app")), exited("A", 10, 54), lists("B", 70, conn(7, 60, "app"))},
			[]string{"app connected: A 10 to 54 (its server ended), B 60 away 6–20"},
		},
		{
			"it does not come back",
			[]Event{lists("A", 20, conn(5, 10, "app")), exited("A", 10, 54), lists("B", 90)},
			[]string{"app away: A 10 to 54 (its server ended)"},
		},
		{
			"the server says when and why",
			[]Event{lists("A", 20, conn(5, 10, "app")), lists("A", 40).closed(5, 20, 33, "Slow Consumer (Write Deadline)"), lists("A", 50, conn(6, 36, "app"))},
			[]string{"app connected: A 10 to 33 (Slow Consumer (Write Deadline)), A 36 away 3"},
		},
		{
			"nobody knows why",
			[]Event{lists("A", 20, conn(5, 10, "app")), lists("A", 40), lists("B", 50, conn(6, 45, "app"))},
			[]string{"app connected: A 10 to 41, B 45 away 4–25"},
		},
		{
			"the monitor saw it later than this log tells",
			[]Event{lists("A", 20, conn(5, 10, "app")), lists("A", 40).closed(5, 35, 0, ""), lists("B", 50, conn(6, 45, "app"))},
			[]string{"app connected: A 10 to 41, B 45 away 4–10"},
		},
		{
			"it is back before its server has written down that it left",
			[]Event{lists("A", 20, conn(5, 10, "app")), lists("B", 40, conn(7, 32, "app")), lists("A", 41).closed(5, 20, 33, "Kicked")},
			[]string{"app connected: A 10 to 32 (Kicked), B 32"},
		},
		{
			"it leaves by itself",
			[]Event{lists("A", 20, conn(5, 10, "app")), lists("A", 40).closed(5, 20, 33, ClosedByClient)},
			[]string{"app gone: A 10 to 33 (Client Closed)"},
		},
		{
			"it heeds lame duck mode, which its server notices late",
			[]Event{
				lists("A", 20, conn(5, 10, "app")), asked("A", 10, 30, StopLameDuck), lists("A", 36, conn(5, 10, "app")), lists("B", 38, conn(6, 34, "app")),
				lists("A", 40).closed(5, 36, 37, ClosedByClient),
			},
			[]string{"app connected: A 10 to 34 draining (Client Closed), B 34"},
		},
		{
			"it heeds lame duck mode",
			[]Event{lists("A", 20, conn(5, 10, "app")), asked("A", 10, 30, StopLameDuck), lists("A", 40).closed(5, 20, 33, ClosedByClient), lists("B", 50, conn(6, 34, "app"))},
			[]string{"app connected: A 10 to 33 draining (Client Closed), B 34 away 1"},
		},
		{
			"it waits in lame duck mode to be closed",
			[]Event{lists("A", 20, conn(5, 10, "app")), asked("A", 10, 30, StopLameDuck), lists("A", 40, conn(5, 10, "app")), lists("B", 52, conn(6, 48, "app")), lists("A", 51).closed(5, 40, 46, "Server Shutdown")},
			[]string{"app connected: A 10 to 46 draining (Server Shutdown), B 48 away 2"},
		},
		{
			"the last one of a lame duck ends with it",
			[]Event{lists("A", 20, conn(5, 10, "app")), asked("A", 10, 30, StopLameDuck), lists("A", 40, conn(5, 10, "app")), exited("A", 10, 48)},
			[]string{"app away: A 10 to 48 draining (its server ended)"},
		},
		{
			"two of the same identity: who has been away longest is back first",
			[]Event{
				lists("A", 20, conn(5, 10, "app")), lists("B", 20, conn(5, 11, "app")),
				exited("B", 11, 40), exited("A", 10, 50), lists("C", 80, conn(5, 60, "app"), conn(6, 70, "app")),
			},
			[]string{"app connected: A 10 to 50 (its server ended), C 70 away 20–50", "app#2 connected: B 11 to 40 (its server ended), C 60 away 20–40"},
		},
		{
			"one that lost its server is back before one that left",
			[]Event{
				lists("A", 20, conn(5, 10, "app")), lists("B", 20, conn(5, 11, "app")),
				lists("A", 30).closed(5, 20, 25, ClosedByClient), exited("B", 11, 40), lists("C", 60, conn(5, 55, "app")),
			},
			[]string{"app gone: A 10 to 25 (Client Closed)", "app#2 connected: B 11 to 40 (its server ended), C 55 away 15–35"},
		},
		{
			"another name, account or user is another client",
			[]Event{
				lists("A", 20, conn(5, 10, "app")), exited("A", 10, 40),
				lists("B", 60, conn(5, 50, "other"), Connection{CID: 6, Name: "app", Lang: "go", Version: "1.55.0", Account: "APP", Start: at(51)}),
			},
			[]string{"app away: A 10 to 40 (its server ended)", "other connected: B 50", "app connected: B 51"},
		},
		{
			"its account is known after its name",
			[]Event{
				lists("A", 20, Connection{CID: 5, Name: "app", Account: "APP", Start: at(10)}), exited("A", 10, 40),
				lists("B", 50, Connection{CID: 6, Name: "app", Start: at(49)}), lists("B", 60, Connection{CID: 6, Name: "app", Account: "APP", Start: at(49)}),
			},
			[]string{"app connected: A 10 to 40 (its server ended), B 49 away 9–29"},
		},
		{
			"who was there before is not the return of one that is lost later",
			[]Event{lists("A", 20, conn(5, 10, "app")), lists("B", 20, conn(5, 11, "app")), lists("A", 30, conn(5, 10, "app")), exited("A", 10, 40)},
			[]string{"app away: A 10 to 40 (its server ended)", "app#2 connected: B 11"},
		},
		{
			"one that is too old for the page is not known to be gone",
			[]Event{lists("A", 20, conn(5, 10, "app")), lists("A", 40).of(conn(9, 30, "new"), conn(8, 25, "late")), lists("A", 60, conn(5, 10, "app"), conn(9, 30, "new"))},
			[]string{"app connected: A 10", "late away: A 25 to 61", "new connected: A 30"},
		},
		{
			"it may have gone at any time since",
			[]Event{lists("A", 20, conn(5, 10, "app")), lists("A", 40).of(conn(9, 30, "new")), asked("A", 10, 70, StopInt), exited("A", 10, 72), lists("B", 90, conn(5, 80, "app"))},
			[]string{"app connected: A 10 to 72 (its server ended), B 80 away 8–60", "new away: A 30 to 72 (its server ended)"},
		},
		{
			"a connection id of another process is another connection",
			[]Event{lists("A", 20, conn(5, 10, "app")), exited("A", 10, 30), started("A", 13, 35, Build{}), lists("A", 50, conn(5, 45, "app"))},
			[]string{"app connected: A 10 to 30 (its server ended), A 45 away 15–25"},
		},
		{
			"an answer of the process before changes nothing",
			[]Event{lists("A", 20, conn(5, 10, "app")), exited("A", 10, 30), lists("A", 29, conn(6, 28, "late"))},
			[]string{"app away: A 10 to 30 (its server ended)"},
		},
		{
			"the whole roll",
			[]Event{
				lists("A", 20, conn(5, 10, "app")), asked("A", 10, 50, StopKill), exited("A", 10, 50), lists("B", 70, conn(7, 60, "app")),
				started("A", 13, 80, Build{}), asked("B", 11, 100, StopKill), exited("B", 11, 100), lists("C", 130, conn(7, 105, "app")), lists("A", 130),
			},
			[]string{"app connected: A 10 to 50 (its server ended), B 60 away 10 to 100 (its server ended), C 105 away 5"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			live := observed(t, append(run, tc.events...)...).Followed
			var got []string
			for _, x := range live {
				got = append(got, story(x))
			}
			if logged := observed(t, recorded(t, append(run, tc.events...))...).Followed; !reflect.DeepEqual(logged, live) {
				t.Errorf("from a log %+v", logged)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

// recorded is the events as they are read from a log.
func recorded(t *testing.T, events []Event) (out []Event) {
	t.Helper()
	for _, e := range events {
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		v := reflect.New(reflect.TypeOf(e))
		if err := json.Unmarshal(data, v.Interface()); err != nil {
			t.Fatal(err)
		}
		out = append(out, v.Elem().Interface().(Event))
	}
	return out
}

func TestWhatStrangersWentThrough(t *testing.T) {
	o := observed(t,
		started("A", 10, 0, Build{}), started("B", 11, 0, Build{}),
		lists("A", 20, conn(5, 10, "app")), asked("A", 10, 30, StopLameDuck), lists("A", 40).closed(5, 20, 33, ClosedByClient), lists("B", 50, conn(6, 34, "app")),
		exited("A", 10, 52), started("A", 13, 60, Build{}),
		asked("B", 11, 70, StopKill), exited("B", 11, 75), lists("A", 90, conn(5, 85, "app")),
		lists("A", 100).closed(5, 90, 95, ClosedByClient), lists("A", 500, conn(6, 490, "app")))
	if len(o.Followed) != 1 {
		t.Fatalf("%d strangers", len(o.Followed))
	}
	x := o.Followed[0]
	// 1 ms, 10 to 15 ms, and a pause of its own that is not the servers' doing.
	if ms := time.Millisecond; x.Reconnects != 3 || x.Longest != (Span{15 * ms, 5 * ms}) || x.Total != (Span{16 * ms, 5 * ms}) {
		t.Errorf("%d reconnects, away %+v at most, %+v in all", x.Reconnects, x.Longest, x.Total)
	}
	if x.LameDucks != 1 || x.Heeded != 1 {
		t.Errorf("of %d lame ducks it heeded %d", x.LameDucks, x.Heeded)
	}
	if len(o.Strangers()) != 1 || o.Strangers()[0].Last().Node != "A" {
		t.Errorf("strangers %+v", o.Strangers())
	}
}

// Clients that come and go all the time, each under a name of its own, or one
// that never stays, take bounded room.
func TestStrangersAreBounded(t *testing.T) {
	events := []Event{started("A", 10, 0, Build{})}
	for i := range 1000 {
		events = append(events, lists("A", 10*i+5, conn(uint64(2*i), 10*i+1, fmt.Sprint("once ", i)), conn(uint64(2*i+1), 10*i+2, "restless"), Connection{CID: 1 << 20, Name: "faithful", Start: at(1)}))
	}
	o := observed(t, events...)
	restless := o.Followed[slices.IndexFunc(o.Followed, func(x Stranger) bool { return x.Name == "restless" })]
	if len(restless.Trail) != keepStays || restless.Reconnects != 999 {
		t.Errorf("%d stays after %d reconnects", len(restless.Trail), restless.Reconnects)
	}
	if n := len(o.Followed); n > keepGone+3 {
		t.Errorf("%d strangers are kept", n)
	}
	for _, name := range []string{"faithful", "once 999", "once 900"} {
		if !slices.ContainsFunc(o.Followed, func(x Stranger) bool { return x.Name == name }) {
			t.Errorf("%s is forgotten", name)
		}
	}
	if slices.ContainsFunc(o.Followed, func(x Stranger) bool { return x.Name == "once 0" }) {
		t.Error("the first one is still kept")
	}
}

// Servers that list the same connections again and again cost nothing.
func BenchmarkFollow(b *testing.B) {
	top, _ := NewTopology(2, true, 0)
	o := Observe(top).Apply(epoch, started("A", 10, 0, Build{}))
	var conns []Connection
	for i := range 128 {
		conns = append(conns, conn(uint64(i), i, fmt.Sprint("app ", i)))
	}
	answer := lists("A", 1000, conns...)
	b.ReportAllocs()
	for b.Loop() {
		o = o.Apply(epoch, answer)
	}
}
