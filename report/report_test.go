package report

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

var (
	everyOnce sync.Once
	everyEnd  map[string]rehearsed
)

// every kind of end that a rehearsal can come to. They are walked once for all
// tests; states do not change.
func every(t *testing.T) map[string]rehearsed {
	t.Helper()
	everyOnce.Do(func() { everyEnd = walkEvery(t) })
	return everyEnd
}

func walkEvery(t *testing.T) map[string]rehearsed {
	t.Helper()
	verified := rehearse(t, setting{})
	return map[string]rehearsed{
		"verified": verified,
		"cut":      verified.upTo(t, `"kind":"step-ended","data":{"id":"stop-b"`),
		"unbegun":  verified.upTo(t, `"kind":"planned"`),
		"over budget": rehearse(t, setting{before: []cluster.Event{rehearsal.Budgeted{Limits: []rehearsal.Limit{
			{Name: "max-lost", Most: 200}, {Name: "max-duplicated", Most: 0}, {Name: "max-gap", Most: int64(7500 * time.Microsecond)}, {Name: "max-reconnect", Most: int64(time.Second)},
		}}}}),
		"worked":      rehearse(t, setting{before: []cluster.Event{rehearsal.Budgeted{Limits: []rehearsal.Limit{{Name: "max-stall", Most: int64(time.Second)}}}}, after: worked}),
		"taken back":  rehearse(t, setting{person: wavering()}),
		"failed":      rehearse(t, setting{broken: true, lone: true}),
		"rolled back": rehearse(t, setting{broken: true, lone: true, failing: upgrade.FailRollback}),
		"aborted": rehearse(t, setting{seen: func(_ *rehearsal.Lab, r rehearsal.Record, cancel func()) {
			if e, ok := r.Event.(upgrade.StepActed); ok && e.ID == "restart-a" {
				time.AfterFunc(time.Millisecond, cancel) // when all has been told that is to be told
			}
		}}),
	}
}

// wavering is a person who takes the stop of A back, and the end, each once.
func wavering() func(*rehearsal.Lab, rehearsal.Record, rehearsal.State) bool {
	back := map[string]bool{}
	return func(lab *rehearsal.Lab, r rehearsal.Record, s rehearsal.State) bool {
		// Nobody is quicker than what the step before has told.
		say := func(in upgrade.Intent) { time.AfterFunc(time.Millisecond, func() { lab.Say(in) }) }
		undo := func(id, step string) bool {
			first := !back[id]
			if back[id] = true; first {
				say(upgrade.Intent{Step: step, Undo: true})
			}
			return first
		}
		switch e := r.Event.(type) {
		case upgrade.StepReady:
			if e.ID != "replace-a" || !undo("stop-a", e.ID) {
				say(upgrade.Intent{Step: e.ID})
			}
		case upgrade.Finished:
			return !undo("look-back", "")
		}
		return false
	}
}

// worked is what came of requests and of JetStream, with what went wrong booked to
// the stop of A.
func worked(s rehearsal.State) cluster.Event {
	var at time.Time
	for _, st := range s.Plan.Steps {
		if st.ID == "stop-a" {
			at = st.Began
		}
	}
	e := cluster.FleetChanged{At: s.At, Totals: s.World.Fleet.Totals}
	e.Totals.Requests = cluster.Requests{Rate: 20, Timeout: time.Second, Sent: 240, Answered: 238, TimedOut: 1, Unserved: 1, P50: 800 * time.Microsecond, P99: 9 * time.Millisecond, Max: 31 * time.Millisecond}
	e.Totals.Stored = cluster.Stored{
		Rate: 50, Timeout: time.Second, Asked: 600, Acked: 600, Again: 1, TimedOut: 1, Stalls: 2, StallMax: 1200 * time.Millisecond, Consumed: 600, Redelivered: 3,
		Written: 120, KVFailed: 1, KVStallMax: 800 * time.Millisecond, Looked: true, Found: 600,
	}
	e.Costs = []cluster.Cost{
		{At: at, Client: "req 1", Kind: cluster.CostTimedOut, For: time.Second},
		{At: at, Client: "req 2", Kind: cluster.CostUnserved},
		{At: at, Client: "js 1", Kind: cluster.CostStalled, For: 1200 * time.Millisecond},
	}
	return e
}

func TestOutcomes(t *testing.T) {
	ends := every(t)
	for name, want := range map[string]string{
		"verified":    "verified: ",
		"over budget": "verified: ",
		"worked":      "verified: ",
		"taken back":  "verified: ",
		"cut":         "aborted: the recording ends before the rehearsal did",
		"unbegun":     "aborted: no step was walked",
		"failed":      "failed: step restart-a: A died: exit status 1, broken on purpose",
		"rolled back": "failed: step restart-a: A died: exit status 1, broken on purpose; A was rolled back to 2.15.1",
		"aborted":     "aborted: ended before the plan was through",
	} {
		r := ends[name].report()
		if got := string(r.Outcome) + ": " + r.Reason; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// schema is docs/report.schema.json. Strict, it allows no field that it does not
// describe, for a reader of a report must be able to look each one up.
func schema(t *testing.T, strict bool) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile("../docs/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if strict {
		closed(doc)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("urn:nats-roll:report:1", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("urn:nats-roll:report:1")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// closed forbids fields that no schema names.
func closed(doc any) {
	switch doc := doc.(type) {
	case map[string]any:
		if _, ok := doc["properties"].(map[string]any); ok {
			doc["additionalProperties"] = false
		}
		for _, v := range doc {
			closed(v)
		}
	case []any:
		for _, v := range doc {
			closed(v)
		}
	}
}

func TestReportsAreAsTheSchemaSays(t *testing.T) {
	strict, open := schema(t, true), schema(t, false)
	for name, r := range every(t) {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(written(t, r.report(), "json")))
		if err != nil {
			t.Fatal(err)
		}
		if err := strict.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		doc.(map[string]any)["new"] = "a field of tomorrow"
		if err := open.Validate(doc); err != nil {
			t.Errorf("%s with a field more: %v", name, err)
		}
		delete(doc.(map[string]any), "steps")
		if open.Validate(doc) == nil {
			t.Errorf("%s without its steps passes", name)
		}
	}
}

// What was written live and what is rendered from the recording is the same.
func TestARecordingGivesTheSameReport(t *testing.T) {
	for name, r := range every(t) {
		recorded := r.recorded(t)
		for _, format := range Formats() {
			if live, later := written(t, r.report(), format), written(t, recorded.report(), format); live != later {
				t.Errorf("%s as %s: live\n%s\nrecorded\n%s", name, format, live, later)
			}
		}
	}
}

// What follows are places that secrets come to a report from.
func TestNoFormatHasASecret(t *testing.T) {
	set := setting{broken: true, lone: true}
	set.notes = []string{"get https://bob:s3cret@mirror/SHA256SUMS: no", "--password 's3 cret' was used"}
	set.before = []cluster.Event{
		cluster.FetchFailed{Role: "from", Want: "2.15.1", Reason: "get https://s3cret@mirror/?token=s3cret", Instead: older},
		rehearsal.Note{Text: "nats://bob:s3cret@localhost:4222 is gone"},
	}
	set.seen = func(lab *rehearsal.Lab, r rehearsal.Record, _ func()) {
		if e, ok := r.Event.(cluster.Started); ok {
			lab.Emit(cluster.Logged{Lines: []cluster.LogLine{{Node: e.Node, PID: e.Process.PID, At: r.At, Level: cluster.LevelInfo, Text: `CONNECT {"user":"bob","pass":"s3cret"}`}}})
		}
	}
	r := rehearse(t, set)
	r.header.Command = []string{"nats-roll", "run", "--mirror", "https://bob:s3cret@mirror", "--client", "app --token s3cret", "--token", "s3 cret"}
	outputs := map[string]string{"the event log": r.events, "the printer": r.lines}
	for _, format := range Formats() {
		outputs[format] = written(t, r.report(), format)
	}
	for name, out := range outputs {
		for _, secret := range []string{"s3cret", "s3 cret"} {
			if i := strings.Index(out, secret); i >= 0 {
				t.Errorf("%s: %.100s", name, out[max(0, i-60):])
			}
		}
		if !strings.Contains(strings.ReplaceAll(out, `\*`, "*"), "***") {
			t.Errorf("%s: nothing was planted in it", name)
		}
	}
}

func TestTimelineCountsEveryMessageOnce(t *testing.T) {
	r := rehearse(t, setting{}).report()
	var delivered, lost uint64
	for i := range r.Timeline.Delivered {
		delivered, lost = delivered+r.Timeline.Delivered[i], lost+r.Timeline.Lost[i]
	}
	if delivered != r.Messages.Received || lost != r.Messages.Lost || lost == 0 {
		t.Errorf("%d delivered, %d lost; want %+v", delivered, lost, r.Messages)
	}
	var marks []string
	for _, m := range r.Timeline.Marks {
		marks = append(marks, m.Node+" "+string(m.What)+string(m.How))
	}
	if got := strings.Join(marks, ", "); got != "A started, B started, C started, A stoppedint, A started, B stoppedint, B started, C stoppedint" {
		t.Errorf("marks %s", got)
	}
}

func TestMarkdown(t *testing.T) {
	for name, r := range every(t) {
		golden(t, "report-"+strings.ReplaceAll(name, " ", "-")+".md", written(t, r.report(), "markdown"))
	}
}

// A clock that is set back or leaps ahead in the middle of a rehearsal leaves a
// timeline that is odd, and whole.
func TestTimelineWhenTheClockLeaps(t *testing.T) {
	began := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for name, leap := range map[string]time.Duration{
		"two hours back": -2 * time.Hour, "a day ahead": 24 * time.Hour, "to the year 1": began.Sub(time.Time{}) * -1, "centuries ahead": 1<<63 - 1,
	} {
		var s rehearsal.State
		at := began
		apply := func(e cluster.Event) {
			s = s.Apply(at, e)
			at = at.Add(time.Second)
		}
		apply(upgrade.Planned{Outline: upgrade.Outline{Steps: []upgrade.StepOutline{{ID: "x"}}}})
		apply(upgrade.StepBegan{ID: "x"})
		for n := range 20 {
			if n == 10 {
				at = at.Add(leap)
			}
			apply(cluster.FleetChanged{At: at, Totals: cluster.Totals{Published: uint64(n * 100), Tally: cluster.Tally{Received: uint64(n * 100)}}})
		}
		apply(upgrade.Finished{Outcome: upgrade.OutcomeVerified})
		r := New(s, rehearsal.Header{})
		if n := len(r.Timeline.Delivered); n > 200 {
			t.Errorf("%s: %d intervals", name, n)
		}
		for _, f := range Formats() {
			if err := r.Write(io.Discard, f); err != nil {
				t.Errorf("%s as %s: %v", name, f, err)
			}
		}
	}
}
