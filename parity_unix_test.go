//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The chapter as it is; and no password is in what it writes for others.
func TestParityChapter(t *testing.T) {
	t.Parallel()
	env := around(t)
	dir := t.TempDir()
	args := []string{"run", "--chapter", "parity", "--port-offset", env["OFFSET"], "--offline", "--from", "2.15.1", "--to", "2.15.2", "--events", filepath.Join(dir, "events.jsonl")}
	for _, ext := range []string{"json", "md", "html", "xml"} {
		args = append(args, "--report", filepath.Join(dir, "report."+ext))
	}
	said, err := command(t, env, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	for _, want := range []string{
		"user orders, may subscribe: A: orders.>; B: orders.>; C: >",
		"user audit: A: there; B: there; C: missing",
		"unexpected privileges: ",
		"audit clients were closed for good, after two refusals by C each",
		"the configurations of A, B and C agree where they must",
		"4 of 4 new audit clients are connected, and 0 were refused",
	} {
		if !bytes.Contains(said, []byte(want)) {
			t.Errorf("it does not say %q", want)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "said.txt"), said, 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if len(text) == 0 || strings.Contains(string(text), "lab-of-") {
			t.Errorf("%s: %d bytes, or with a password", f.Name(), len(text))
		}
	}
	r, err := readReport(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	if m := r.Messages; r.Outcome != "verified" || len(r.Steps) != 19 || m.Expected != m.Received-m.Duplicated+m.Lost || m.Expected != 5*m.Published {
		t.Errorf("%s, %d steps, %+v", r.Outcome, len(r.Steps), *m)
	}
	nothingLeft(t, env)
}
