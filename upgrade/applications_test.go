package upgrade_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

func TestJoined(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 11, 1, 12, 0, s, 0, time.UTC) }
	up := cluster.Started{Node: "A", Process: cluster.Process{PID: 10, Started: at(0)}}
	launched := cluster.ApplicationStarted{Name: "app1", PID: 20, At: at(1)}
	lists := func(node, app string) cluster.Answered {
		return cluster.Answered{Answer: cluster.Answer{Node: node, ServerID: node, Began: at(2), Clients: []cluster.Connection{{CID: 5, Name: "orders", Start: at(1), Application: app}}}}
	}
	for _, tc := range []struct {
		name   string
		after  int // seconds
		events []cluster.Event
		met    bool
		want   string
	}{
		{"not started", 1, nil, false, "it was not started"},
		{"started", 2, []cluster.Event{launched}, false, "no connection yet"},
		{"connected", 3, []cluster.Event{launched, lists("A", "app1")}, true, "on A"},
		{"somebody else is", 3, []cluster.Event{launched, lists("A", "")}, false, "no connection yet"},
		{"another one is", 3, []cluster.Event{launched, lists("A", "app2")}, false, "no connection yet"},
		{"it runs elsewhere", 6, []cluster.Event{launched}, true, "it runs, pid 20; no connection of its processes is seen"},
		{"it has ended", 6, []cluster.Event{launched, cluster.ApplicationExited{Name: "app1", PID: 20, Exit: cluster.Exit{Code: 3, Reason: "no route"}}}, false, "app1 has ended: exit status 3, no route"},
		{"it was connected and has ended", 6, []cluster.Event{launched, lists("A", "app1"), cluster.ApplicationExited{Name: "app1", PID: 20, Exit: cluster.Exit{Signal: "SIGSEGV"}}}, false, "app1 has ended: ended by SIGSEGV"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := cluster.Observe(topology(t, 2, true)).Apply(at(0), up)
			for _, e := range tc.events {
				o = o.Apply(at(tc.after), e)
			}
			if v := (upgrade.Joined{Application: "app1"}).Eval(o); v.Met != tc.met || v.Detail != tc.want {
				t.Errorf("%t, %q", v.Met, v.Detail)
			}
		})
	}
}

func withApplication(t *testing.T) upgrade.Spec {
	s := spec(t, 2, true)
	s.Workload.Applications = []string{"./orders"}
	return s
}

// gone is the end of the fake's first application.
func (w *walk) gone() {
	w.lab.Emit(cluster.ApplicationExited{Name: "app1", PID: 5000, Exit: cluster.Exit{At: time.Now(), Code: 127, Reason: "not found"}})
}

// Nobody waits for an application that has ended before it was connected.
func TestAnApplicationThatEndsAtOnceFailsItsStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, withApplication(t), false, nil)
		w.at("connect-clients", upgrade.Checking)
		began := time.Now()
		w.gone()
		s, err := w.end()
		if err == nil || !strings.Contains(err.Error(), "step connect-clients: app1 has ended: exit status 127, not found") {
			t.Errorf("ended with %v", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("after %s", took)
		}
		if n := s.Notes; len(n) != 1 || n[0].Text != "app1 ended by itself: exit status 127, not found" {
			t.Errorf("notes %+v", n)
		}
	})
}

// Later it is told of, and fails nothing: what the servers do is another matter.
func TestAnApplicationThatEndsLaterFailsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, withApplication(t), false, nil)
		w.until("A is being stopped", func(p upgrade.Progress) bool {
			st, _ := p.Step()
			return st.ID == "stop-a"
		})
		w.gone()
		if s, err := w.end(); err != nil || s.Plan.Outcome != upgrade.OutcomeVerified || len(s.Notes) != 1 {
			t.Errorf("%s with %v, notes %+v", s.Plan.Outcome, err, s.Notes)
		}
	})
}

// On screen Enter starts it anew.
func TestAnApplicationIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, withApplication(t), true, nil)
		w.enterTo("connect-clients")
		w.at("connect-clients", upgrade.Ready)
		w.press("connect-clients")
		w.at("connect-clients", upgrade.Checking)
		w.gone()
		if st := w.at("connect-clients", upgrade.Stuck); !strings.Contains(st.Reason, "app1 has ended") {
			t.Errorf("stuck: %s", st.Reason)
		}
		time.Sleep(time.Second) // or this is the same instant
		w.press("connect-clients")
		w.at("start-c", upgrade.Ready)
		w.cancel()
		s, _ := w.end()
		if st := find(s.Plan, "connect-clients"); st.Status != upgrade.Verified || st.How != upgrade.ByPlan {
			t.Errorf("%s %s", st.Status, st.How)
		}
	})
}
