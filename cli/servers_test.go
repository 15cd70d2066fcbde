package cli

import (
	"errors"
	"testing"

	"nats-roll/cluster"
	"nats-roll/release"
	"nats-roll/report"
)

func TestWhatIsNeededStays(t *testing.T) {
	e := release.Entry{Build: cluster.Build{Version: "2.14.9", SHA256: "aa"}}
	for name, tt := range map[string]struct {
		use  report.InventoryUse
		stay bool
	}{
		"it runs":             {report.InventoryUse{State: "running", SHA256: "aa"}, true},
		"another runs":        {report.InventoryUse{State: "running", SHA256: "bb"}, false},
		"it was kept":         {report.InventoryUse{State: "kept", SHA256: "aa"}, false},
		"nothing is recorded": {report.InventoryUse{State: "running"}, false},
	} {
		if err := needed(e, []report.InventoryUse{tt.use}); (err != nil) != tt.stay {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := needed(release.Entry{}, []report.InventoryUse{{State: "running"}}); err != nil {
		t.Errorf("what is not there: %v", err)
	}
}

// What several versions failed with becomes one line, with the worst exit code.
func TestFailuresAreOneLine(t *testing.T) {
	var f failures
	if err := f.err("fetched", 3); err != nil {
		t.Fatal(err)
	}
	f.add("2.14.9", &release.Error{Want: "2.14.9", Reason: "no", Hint: "give a file: --from ./nats-server", Err: release.ErrSelector})
	err := f.err("fetched", 3)
	if code, hint := classify(err); code != exitUsage || hint != "give a file: nats-roll run --from ./nats-server" || err.Error() != "nats-server 2.14.9: no" {
		t.Errorf("%d, %q, %v", code, hint, err)
	}
	f.add("2.12.1", errors.New("two\nlines"))
	err = f.err("fetched", 3)
	if code, _ := classify(err); code != exitEnvironment || err.Error() != "2 of 3 versions are not fetched: 2.14.9: no; 2.12.1: two lines" {
		t.Errorf("%d, %v", code, err)
	}
	f.hint = "nats-roll servers fetch"
	if _, hint := classify(f.err("whole", 3)); hint != "nats-roll servers fetch 2.14.9 2.12.1" {
		t.Errorf("hint %q", hint)
	}
}
