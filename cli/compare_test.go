package cli

import (
	"errors"
	"strings"
	"testing"

	"nats-roll/upgrade"
)

func TestTheWorstOfSeveralRehearsals(t *testing.T) {
	failed := &upgrade.StepError{ID: "stop-a", Reason: "no"}
	budget := &codedError{code: exitBudget, err: errors.New("over budget"), hint: "--max-gap 9ms would have passed"}
	port := environment(errors.New("port taken"), "stop it")
	for name, tc := range map[string]struct {
		errs []wayError
		code int
		hint string
	}{
		"none":    {nil, exitVerified, ""},
		"budgets": {[]wayError{{"int", budget}, {"kill", budget}}, exitBudget, "int: --max-gap 9ms would have passed; kill: --max-gap 9ms would have passed"},
		"failed":  {[]wayError{{"int", budget}, {"ldm", failed}, {"kill", budget}}, exitFailed, ""},
		"port":    {[]wayError{{"int", failed}, {"ldm", port}}, exitEnvironment, "ldm: stop it"},
	} {
		err := worst(tc.errs)
		if err == nil {
			if tc.code != exitVerified {
				t.Errorf("%s: no error", name)
			}
			continue
		}
		code, hint := classify(err)
		if code != tc.code || hint != tc.hint {
			t.Errorf("%s: %d, %q", name, code, hint)
		}
		for _, e := range tc.errs {
			if !strings.Contains(err.Error(), e.name+": "+e.err.Error()) {
				t.Errorf("%s: %v does not tell of %s", name, err, e.name)
			}
		}
	}
}

func TestNamesOfFiles(t *testing.T) {
	if got := beside("out/r.html", "ldm-2"); got != "out/r-ldm-2.html" {
		t.Error(got)
	}
	if got := strings.Join(shortNames([]string{"x/int.jsonl", "kill.jsonl"}), " "); got != "int kill" {
		t.Error(got)
	}
	if got := strings.Join(shortNames([]string{"x/e.jsonl", "y/e.jsonl"}), " "); got != "x/e.jsonl y/e.jsonl" {
		t.Error(got)
	}
}
