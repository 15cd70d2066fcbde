package view

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/tui/theme"
	"nats-roll/upgrade"
)

func TestYourOwnClients(t *testing.T) {
	top, err := cluster.NewTopology(2, true, 0)
	if err != nil {
		t.Fatal(err)
	}
	at := func(ms int) time.Time {
		return time.Date(2026, 11, 1, 12, 0, 0, ms*int(time.Millisecond), time.UTC)
	}
	conn := func(cid uint64, ms int, name, app string) cluster.Connection {
		return cluster.Connection{CID: cid, Name: name, Lang: "go", Version: "1.55.0", Start: at(ms), Application: app}
	}
	lists := func(node string, ms int, conns ...cluster.Connection) cluster.Answered {
		return cluster.Answered{Answer: cluster.Answer{Node: node, ServerID: node, Began: at(ms), Ended: at(ms), Clients: conns}}
	}
	o := cluster.Observe(top)
	for i, n := range top.Nodes {
		o = o.Apply(at(0), cluster.Started{Node: n.Name, Process: cluster.Process{PID: 10 + i, Started: at(0)}})
	}
	for i, command := range []string{"./orders --fast", "./bills", "./pool", "./broken", "./late"} {
		o = o.Apply(at(1), cluster.ApplicationStarted{Name: cluster.ApplicationName(i), Command: command, PID: 20 + i, At: at(1)})
	}
	for _, e := range []cluster.Event{
		lists("B", 20, conn(8, 10, "", "")),
		lists("A", 20, conn(7, 10, "billing", "app2"), conn(6, 11, "pool", "app3"), conn(5, 12, "orders", "app1"), conn(4, 13, "somebody", "")),
		lists("C", 20, conn(5, 10, "pool", "app3")),
		cluster.StopAsked{Node: "A", PID: 10, Stop: cluster.StopInt, At: at(40)},
		cluster.Exited{Node: "A", PID: 10, Exit: cluster.Exit{At: at(42), Asked: true}},
		lists("B", 70, conn(9, 60, "orders", "app1"), conn(10, 61, "pool", "app3"), conn(8, 10, "", "")),
		cluster.ApplicationExited{Name: "app4", PID: 23, Exit: cluster.Exit{Code: 3}},
	} {
		o = o.Apply(at(80), e)
	}
	size := Size{W: 80, H: 20}
	var got []string
	for _, l := range Clients(theme.New(lipgloss.NewRenderer(nil)), o, upgrade.Prediction{}, at(5042), 0, size) {
		got = append(got, strings.TrimRight(ansi.Strip(l), " "))
	}
	want := []string{
		"client             library       was on    moves   longest   lost",
		"app1 ./orders --f… go 1.55.0     A›B           1   ≤ 20 ms  yours",
		"app2 ./bills       go 1.55.0     away          0      0:05  yours",
		"app3 ./pool        go 1.55.0     B1 C1         1   ≤ 21 ms  yours",
		"app4 ./broken                    exit 3        0            yours",
		"app5 ./late                      –             0            yours",
		"cid 8              go 1.55.0     B             0            yours",
		"somebody           go 1.55.0     away          0      0:05  yours",
	}
	if !slices.Equal(got[4:], want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if line := ansi.Strip(ClientLine(theme.New(lipgloss.NewRenderer(nil)), o, upgrade.Prediction{}, 120)); !strings.HasSuffix(line, "2 without a server  app4 ended  6 of them yours") {
		t.Errorf("in a line: %s", line)
	}
	if r := ClientRange(o, upgrade.Prediction{}, 0, Size{W: 80, H: 8}); r != "1–4 of 7" {
		t.Errorf("range %s", r)
	}
}

func TestWhoseLogComesNext(t *testing.T) {
	var s rehearsal.State
	follow := func(from, selected string, want ...string) {
		t.Helper()
		for _, w := range want {
			if from = NextLog(s, from, selected); from != w {
				t.Fatalf("%q instead of %q", from, w)
			}
		}
	}
	follow("", "A", "A", "", "A")
	follow("B", "A", "") // another server is selected meanwhile
	for i := range 2 {
		s.World = s.World.Apply(time.Time{}, cluster.ApplicationStarted{Name: cluster.ApplicationName(i)})
	}
	follow("", "A", "A", "app1", "app2", "", "A")
	follow("B", "A", "app1")
}

// Where there is no room for both predictions there is one: no number is cut.
func TestNoPredictionIsCut(t *testing.T) {
	top, err := cluster.NewTopology(2, true, 0)
	if err != nil {
		t.Fatal(err)
	}
	o := cluster.Observe(top)
	for i := range 302 {
		o.Fleet.Clients = append(o.Fleet.Clients, cluster.Client{ID: i, Status: cluster.ClientConnected, Node: []string{"B", "C"}[i%2]})
	}
	p := upgrade.Prediction{Lists: map[string]int{"B": 147, "C": 155}, Text: map[string]int{"B": 151, "C": 151}, Ahead: true}
	for w, want := range map[int]string{58: "next by lists 0/147/155", 70: "next by lists 0/147/155, by text 0/151/151", 78: "next by lists 0/147/155, by text 0/151/151"} {
		line := strings.TrimSpace(ansi.Strip(ClientLine(theme.New(lipgloss.NewRenderer(nil)), o, p, w)))
		if !strings.HasSuffix(line, want) || ansi.StringWidth(line) > w {
			t.Errorf("%d: %q", w, line)
		}
	}
}
