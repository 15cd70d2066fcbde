package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// Unit is what a budget is counted in.
type Unit string

// The units of budgets.
const (
	UnitMessages Unit = "messages"
	UnitTime     Unit = "ms"
)

// Limited is something that a rehearsal may cost only so much of. A row in
// Budgets is all that a new one needs: the flag of run, the verdict and its
// place in every report follow from it.
type Limited struct {
	Name  string // of the flag, without the dashes
	About string // what the flag limits
	Noun  string // what was seen too much of
	Unit  Unit
	// Seen is what the rehearsal cost, and Share what one step of it did, in
	// messages or nanoseconds. Shares add up, or the largest counts.
	Seen   func(rehearsal.State) int64
	Share  func(rehearsal.State, upgrade.StepProgress) int64
	AddsUp bool
	// Always: the limit is 0 if nobody says otherwise, where there is something of it.
	Always bool
	// Lacking says why a workload has nothing of it; nil if every one has.
	Lacking func(cluster.Workload) string
}

// Budgets lists what can be limited.
var Budgets = []Limited{
	{
		Name: "max-lost", About: "how many messages may be lost, of all subscribers together", Noun: "messages lost", Unit: UnitMessages, AddsUp: true, Lacking: silent,
		Seen:  func(s rehearsal.State) int64 { return int64(s.World.Fleet.Lost) },
		Share: func(_ rehearsal.State, st upgrade.StepProgress) int64 { return int64(st.Impact.Lost) },
	},
	{
		Name: "max-duplicated", About: "how many messages may come twice, of all subscribers together", Noun: "messages duplicated", Unit: UnitMessages, AddsUp: true, Lacking: silent,
		Seen:  func(s rehearsal.State) int64 { return int64(s.World.Fleet.Duplicated) },
		Share: func(_ rehearsal.State, st upgrade.StepProgress) int64 { return int64(st.Impact.Duplicated) },
	},
	{
		Name: "max-gap", About: "how long a client, yours too, may be without a server, whether it comes back or not", Noun: "longest without a server", Unit: UnitTime,
		Seen: gap,
		Share: func(s rehearsal.State, st upgrade.StepProgress) int64 {
			return int64(max(st.Impact.LongestAway, absence(s, st.ID)))
		},
	},
	{
		Name: "max-reconnect", About: "how long a client that comes back may take for it", Noun: "slowest reconnect", Unit: UnitTime,
		Seen:  func(s rehearsal.State) int64 { return int64(s.World.Fleet.AwayMax) },
		Share: func(_ rehearsal.State, st upgrade.StepProgress) int64 { return int64(st.Impact.LongestAway) },
	},
	{
		Name: "max-stall", About: "how long JetStream may take to acknowledge a message or a value", Noun: "longest stall", Unit: UnitTime,
		Seen:    func(s rehearsal.State) int64 { return int64(stall(s.World.Fleet.Stored)) },
		Share:   func(_ rehearsal.State, st upgrade.StepProgress) int64 { return int64(st.Bill.Longest) },
		Lacking: streamless,
	},
	{
		Name: "max-lost-acked", About: "how many messages that a stream has acknowledged may be missing in it at the end; 0 if nobody says so", Noun: "acknowledged messages missing", Unit: UnitMessages,
		Seen: func(s rehearsal.State) int64 { return int64(s.World.Fleet.Stored.Missing) },
		Share: func(s rehearsal.State, st upgrade.StepProgress) int64 { // they are looked up when all is over
			if st.ID != upgrade.LookBack {
				return 0
			}
			return int64(s.World.Fleet.Stored.Missing)
		},
		Lacking: streamless, Always: true,
	},
}

func silent(w cluster.Workload) string {
	if w.Rate == 0 {
		return "no numbered messages are sent"
	}
	return ""
}

func streamless(w cluster.Workload) string {
	if w.Stores+w.KV == 0 {
		return "nothing is published to JetStream"
	}
	return ""
}

// gap is the longest that a client was without a server, or still is. Of one that
// is not nats-roll's, only what is certain counts.
func gap(s rehearsal.State) int64 {
	longest := max(s.World.Fleet.AwayMax, absence(s, ""))
	for _, c := range s.World.Fleet.Clients {
		if c.Status != cluster.ClientConnected && !c.AwaySince.IsZero() {
			longest = max(longest, ended(s).Sub(c.AwaySince))
		}
	}
	return int64(longest)
}

// Budget is what the rehearsal cost of something that was limited.
type Budget struct {
	Name  string  `json:"name"`
	Unit  Unit    `json:"unit"`
	Limit float64 `json:"limit"`
	Seen  float64 `json:"seen"`
	OK    *bool   `json:"ok,omitempty"`    // absent: it was within the limit when the rehearsal ended too early
	Step  string  `json:"step,omitempty"`  // the one that went over the limit
	Share float64 `json:"share,omitempty"` // of that step
}

func budgets(s rehearsal.State) []Budget {
	out := []Budget{}
	for _, limit := range s.Limits {
		for _, l := range Budgets {
			if l.Name == limit.Name {
				out = append(out, l.judge(s, limit.Most))
			}
		}
	}
	return out
}

func (l Limited) judge(s rehearsal.State, most int64) Budget {
	seen := l.Seen(s)
	b := Budget{Name: l.Name, Unit: l.Unit, Limit: l.in(most), Seen: l.in(seen)}
	over, ok := seen > most, seen <= most
	if over || s.Plan.Outcome == upgrade.OutcomeVerified {
		b.OK = &ok
	}
	if !over {
		return b
	}
	sum := int64(0)
	for _, st := range s.Plan.Steps {
		share := l.Share(s, st)
		if sum += share; !l.AddsUp {
			sum = share
		}
		if sum > most {
			b.Step, b.Share = st.ID, l.in(share)
			break
		}
	}
	return b
}

// in is a quantity in the budget's unit.
func (l Limited) in(n int64) float64 {
	if l.Unit == UnitTime {
		return ms(time.Duration(n))
	}
	return float64(n)
}

// over says that the budget is broken.
func (b Budget) over() bool { return b.OK != nil && !*b.OK }

// limited is the row of Budgets that this is of.
func (b Budget) limited() Limited {
	for _, l := range Budgets {
		if l.Name == b.Name {
			return l
		}
	}
	return Limited{Name: b.Name, Noun: b.Name}
}

// quantity puts a number of a budget into words. A time is told to the
// microsecond, as it is judged.
func (b Budget) quantity(n float64) string {
	if b.Unit == UnitTime {
		return (time.Duration(math.Round(n*1000)) * time.Microsecond).String()
	}
	return number(uint64(n))
}

// words say how a budget stands: "messages lost: 77, limit 10; step stop-a went
// over it (32 there)".
func (b Budget) words() string {
	s := fmt.Sprintf("%s: %s, limit %s", b.limited().Noun, b.quantity(b.Seen), b.quantity(b.Limit))
	switch {
	case b.OK == nil:
		return s + "; the rehearsal ended too early to judge it"
	case !b.over():
		return s
	case b.Step == "":
		return s + "; no single step went over it"
	case b.limited().AddsUp:
		return s + fmt.Sprintf("; step %s went over it (%s there)", b.Step, b.quantity(b.Share))
	}
	return s + fmt.Sprintf("; step %s went over it", b.Step)
}

// BudgetError says which budgets a rehearsal broke that was verified.
type BudgetError struct{ broken []Budget }

func (e *BudgetError) Error() string {
	var out []string
	for _, b := range e.broken {
		out = append(out, b.words())
	}
	return "over budget: " + strings.Join(out, "; and ")
}

// Hint is what would have passed.
func (e *BudgetError) Hint() string {
	var out []string
	for _, b := range e.broken {
		enough := fmt.Sprint(uint64(b.Seen))
		if b.Unit == UnitTime { // the next whole millisecond
			enough = fmt.Sprintf("%dms", uint64(b.Seen)+1)
		}
		out = append(out, fmt.Sprintf("--%s %s", b.Name, enough))
	}
	return strings.Join(out, " ") + " would have passed"
}

// OverBudget is the error of a rehearsal that was verified and cost too much;
// nil if it did not.
func (r Report) OverBudget() error {
	var broken []Budget
	for _, b := range r.Budgets {
		if b.over() {
			broken = append(broken, b)
		}
	}
	if r.Outcome != upgrade.OutcomeVerified || broken == nil {
		return nil
	}
	return &BudgetError{broken}
}
