package report

import (
	"errors"
	"testing"
	"time"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// The steps of the walk lose 168, 88 and 120 messages; each client is away for
// 8 ms at a time.
func TestTheStepThatWentOverABudget(t *testing.T) {
	s := rehearse(t, setting{}).state
	for _, tc := range []struct {
		limit rehearsal.Limit
		words string
	}{
		{rehearsal.Limit{Name: "max-lost", Most: 376}, "messages lost: 376, limit 376"},
		{rehearsal.Limit{Name: "max-lost", Most: 375}, "messages lost: 376, limit 375; step stop-c went over it (120 there)"},
		{rehearsal.Limit{Name: "max-lost", Most: 200}, "messages lost: 376, limit 200; step stop-b went over it (88 there)"},
		{rehearsal.Limit{Name: "max-lost", Most: 0}, "messages lost: 376, limit 0; step stop-a went over it (168 there)"},
		{rehearsal.Limit{Name: "max-duplicated", Most: 0}, "messages duplicated: 0, limit 0"},
		{rehearsal.Limit{Name: "max-gap", Most: int64(8 * time.Millisecond)}, "longest without a server: 8ms, limit 8ms"},
		{rehearsal.Limit{Name: "max-gap", Most: int64(8*time.Millisecond) - 1}, "longest without a server: 8ms, limit 7.999ms; step stop-a went over it"},
		{rehearsal.Limit{Name: "max-reconnect", Most: int64(time.Millisecond)}, "slowest reconnect: 8ms, limit 1ms; step stop-a went over it"},
	} {
		got := budgets(s.Apply(s.At, rehearsal.Budgeted{Limits: []rehearsal.Limit{tc.limit}}))
		if len(got) != 1 || got[0].words() != tc.words || got[0].over() != (got[0].Step != "") {
			t.Errorf("%+v: %+v, %s", tc.limit, got, got[0].words())
		}
	}

	// What no step has on its account is no step's.
	s.World.Fleet.Lost = 500
	if got := budgets(s.Apply(s.At, rehearsal.Budgeted{Limits: []rehearsal.Limit{{Name: "max-lost", Most: 400}}}))[0].words(); got != "messages lost: 500, limit 400; no single step went over it" {
		t.Error(got)
	}
}

// A rehearsal that ended too early keeps no budget, and may have broken one.
func TestBudgetsOfARehearsalThatFailed(t *testing.T) {
	s := rehearse(t, setting{broken: true, lone: true}).state
	s.World.Fleet.Clients = append([]cluster.Client{}, s.World.Fleet.Clients...)
	s.World.Fleet.Clients[3].Status, s.World.Fleet.Clients[3].AwaySince = cluster.ClientAway, s.Plan.Ended.Add(-70*time.Millisecond) // it never came back
	s = s.Apply(s.At, rehearsal.Budgeted{Limits: []rehearsal.Limit{
		{Name: "max-lost", Most: 200}, {Name: "max-lost", Most: 100}, {Name: "max-gap", Most: int64(60 * time.Millisecond)}, {Name: "max-reconnect", Most: int64(60 * time.Millisecond)},
	}})
	want := []string{
		"messages lost: 168, limit 200; the rehearsal ended too early to judge it",
		"messages lost: 168, limit 100; step stop-a went over it (168 there)",
		"longest without a server: 70ms, limit 60ms; no single step went over it",
		"slowest reconnect: 8ms, limit 60ms; the rehearsal ended too early to judge it",
	}
	for i, b := range budgets(s) {
		if b.words() != want[i] {
			t.Errorf("%s\nwant %s", b.words(), want[i])
		}
	}
	r := New(s, rehearsal.Header{})
	if r.OverBudget() != nil || r.verdict() != "failed" {
		t.Error("a rehearsal that failed is told to be over budget instead")
	}
}

func TestTheHintWouldHavePassed(t *testing.T) {
	s := rehearse(t, setting{}).state
	limited := func(limits ...rehearsal.Limit) Report {
		return New(s.Apply(s.At, rehearsal.Budgeted{Limits: limits}), rehearsal.Header{})
	}
	r := limited(rehearsal.Limit{Name: "max-lost", Most: 1}, rehearsal.Limit{Name: "max-gap", Most: 1}, rehearsal.Limit{Name: "max-reconnect", Most: int64(time.Second)})
	err, ok := errors.AsType[*BudgetError](r.OverBudget())
	if !ok || r.Outcome != upgrade.OutcomeVerified {
		t.Fatalf("%v, %s", err, r.Outcome)
	}
	if got := err.Hint(); got != "--max-lost 376 --max-gap 9ms would have passed" {
		t.Error(got)
	}
	if err := limited(rehearsal.Limit{Name: "max-lost", Most: 376}, rehearsal.Limit{Name: "max-gap", Most: int64(9 * time.Millisecond)}).OverBudget(); err != nil {
		t.Error(err)
	}
}
