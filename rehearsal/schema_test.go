package rehearsal

import (
	"errors"
	"os"
	"strings"
	"testing"

	"nats-roll/upgrade"
)

// events-1.jsonl is a real rehearsal, recorded by the last program that wrote
// nats-roll/events/1; answers and counters that say nothing new were taken out.
func TestALogOfTheFirstFormOpens(t *testing.T) {
	f, err := os.Open("testdata/events-1.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var s State
	h, err := ReadJournal(f, func(r Record) { s = s.Apply(r.At, r.Event) })
	if err != nil || h.Schema != "nats-roll/events/1" {
		t.Fatalf("%+v, %v", h, err)
	}
	p := s.Plan
	if p.Outcome != upgrade.OutcomeVerified || len(p.Steps) != 12 || len(s.Lives) != 5 || s.World.Fleet.Lost != 13 || len(s.World.Fleet.Clients) != 4 {
		t.Errorf("%s after %d steps, %d lives, %+v", p.Outcome, len(p.Steps), len(s.Lives), s.World.Fleet.Totals)
	}
	var roles []string
	for _, c := range s.World.Fleet.Clients {
		roles = append(roles, string(c.Role))
	}
	if got := strings.Join(roles, " "); got != "tutorial subscriber subscriber publisher" {
		t.Errorf("roles %s", got)
	}
	if a := p.Outline.Advice; len(a) != 1 || a[0].To != "2.15.2" || len(a.Brief()) == 0 {
		t.Errorf("advice %+v", a)
	}
	if p.Outline.From.Of("A").Version != "2.15.1" {
		t.Errorf("from %+v", p.Outline.From)
	}
}

// Whoever changes the form says how a log of the form before is read.
func TestEveryFormHasItsMigration(t *testing.T) {
	for n := 1; n < schemaNow; n++ {
		if len(migrations[n]) == 0 {
			t.Errorf("nothing leads from %s%d to the next form", schemaName, n)
		}
	}
	if len(migrations) != schemaNow-1 {
		t.Errorf("%d migrations to %s", len(migrations), Schema)
	}
}

func TestWhatIsNoLogSaysSo(t *testing.T) {
	for name, log := range map[string]string{
		"empty": "", "text": "hello\n", "json": "{}\n", "report": `{"schema":"nats-roll/report/1"}`, "no number": `{"schema":"nats-roll/events/x"}`, "zero": `{"schema":"nats-roll/events/0"}`,
	} {
		if _, err := ReadJournal(strings.NewReader(log), nil); err == nil || !strings.HasPrefix(err.Error(), "not an event log of nats-roll: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := ReadJournal(strings.NewReader(`{"schema":"nats-roll/events/999","tool":"7.0.0"}`+"\n"), nil)
	newer, ok := errors.AsType[*SchemaError](err)
	if !ok || newer.Error() != "the event log has the form nats-roll/events/999 and was written by nats-roll 7.0.0; the newest form known here is nats-roll/events/2" ||
		newer.Advice() != "use nats-roll 7.0.0 or a later one" {
		t.Errorf("newer: %v", err)
	}
}
