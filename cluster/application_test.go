package cluster

import (
	"maps"
	"slices"
	"testing"
	"time"
)

func launched(name string, pid, ms int) ApplicationStarted {
	return ApplicationStarted{Name: name, Command: "./" + name, PID: pid, At: at(ms)}
}

func TestApplicationsStartAndEnd(t *testing.T) {
	o := observed(t,
		launched("app1", 20, 1), launched("app2", 21, 2),
		ApplicationExited{Name: "app1", PID: 20, Exit: Exit{At: at(5), Code: 3}},
		launched("app1", 22, 6),
		ApplicationExited{Name: "app1", PID: 20, Exit: Exit{Code: 9}}, // told late, of the one before
		ApplicationExited{Name: "app2", PID: 21, Exit: Exit{At: at(9), Asked: true}},
	)
	if len(o.Applications) != 2 {
		t.Fatalf("%+v", o.Applications)
	}
	if a, ok := o.Application("app1"); !ok || a.PID != 22 || a.Exit != nil || a.Command != "./app1" || !a.Started.Equal(at(6)) {
		t.Errorf("app1 is %+v", a)
	}
	if a, _ := o.Application("app2"); a.Exit == nil || !a.Exit.Asked {
		t.Errorf("app2 is %+v", a)
	}
	if a, ok := o.Application("app3"); ok {
		t.Errorf("app3 is %+v", a)
	}
}

// Two connections of one application, and somebody else's with the same name.
func TestWhatAnApplicationWentThrough(t *testing.T) {
	of := func(app string, c Connection) Connection {
		c.Application = app
		return c
	}
	o := observed(t,
		started("A", 10, 0, Build{}), started("B", 11, 0, Build{}), launched("app1", 20, 1),
		lists("A", 20, of("app1", conn(5, 10, "app")), of("app1", conn(6, 11, "app")), conn(7, 12, "app")),
		asked("A", 10, 30, StopLameDuck),
		lists("A", 40, of("app1", conn(6, 11, "app")), conn(7, 12, "app")).closed(5, 20, 33, ClosedByClient),
		lists("B", 45, of("app1", conn(5, 35, "app"))),
		lists("A", 60, conn(7, 12, "app")).closed(6, 45, 50, "Server Shutdown"),
		exited("A", 10, 70),
		lists("B", 80, of("app1", conn(5, 35, "app")), conn(8, 75, "app")),
		lists("B", 90, of("app1", conn(5, 35, "app")), of("app1", conn(9, 85, "app")), conn(8, 75, "app")),
		asked("B", 11, 91, StopKill), exited("B", 11, 92),
	)
	p := Through(o.Of("app1"))
	if ms := time.Millisecond; p.Reconnects != 2 || p.Longest != (Span{Most: 35 * ms}) || p.Total != (Span{Most: 37 * ms}) {
		t.Errorf("%+v", p)
	}
	if p.Away != 2 || len(p.On) != 0 || p.LameDucks != 2 || p.Heeded != 1 {
		t.Errorf("%+v", p)
	}
	if p := Through(o.Of("app2")); !maps.Equal(p.On, map[string]int{}) || p.Reconnects != 0 {
		t.Errorf("of one that there is not: %+v", p)
	}
}

// Whether its end, or its server's, is told first.
func TestNobodyOfAnApplicationThatHasEndedIsAway(t *testing.T) {
	c := conn(5, 10, "app")
	c.Application = "app1"
	run := []Event{started("A", 10, 0, Build{}), launched("app1", 20, 1), lists("A", 20, c)}
	ends := []Event{ApplicationExited{Name: "app1", PID: 20}, exited("A", 10, 40)}
	for _, i := range []int{0, 1} {
		o := observed(t, append(slices.Clip(run), ends[i], ends[1-i])...)
		if x := o.Followed[0]; x.Status != ClientGone || x.Last().Why != ServerEnded || len(o.Strangers()) != 0 {
			t.Errorf("%s first: %s", ends[i].Kind(), story(x))
		}
		if p := Through(o.Of("app1")); p.Away != 0 {
			t.Errorf("%s first: %+v", ends[i].Kind(), p)
		}
	}
}
