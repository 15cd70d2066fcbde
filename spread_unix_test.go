//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// The chapter as it is: 300 clients, and the cures.
func TestSpread(t *testing.T) {
	t.Parallel()
	walkSpread(t, "2.15.1", "2.15.2", 100, 25)
}

// spreadReport is what the report says of where clients went.
type spreadReport struct {
	reported
	Steps []struct {
		ID, Outcome string
		Moved       map[string]int
		Listed      map[string]int
		Told        []string
	}
}

// walkSpread walks the chapter and says where the clients went.
func walkSpread(t *testing.T, from, to string, clients, steps int) {
	env := around(t)
	file := filepath.Join(t.TempDir(), "r.json")
	said, err := command(t, env, "run", "--chapter", "spread", "--clients", fmt.Sprint(clients), "--port-offset", env["OFFSET"], "--offline", "--from", from, "--to", to, "--report", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r spreadReport
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if r.Outcome != "verified" || len(r.Steps) != steps {
		t.Errorf("%s, %d steps", r.Outcome, len(r.Steps))
	}
	if m := r.Messages; m.Expected != m.Published*(clients+1) || m.Expected != m.Received-m.Duplicated+m.Lost {
		t.Errorf("messages %+v", *m)
	}
	all := func(node string) string { return fmt.Sprintf("map[%s:%d]", node, clients+2) } // with nats sub, and the publisher
	certain := map[string]string{                                                         // whatever chance did before
		"stop-b":            all("C"),
		"stop-c":            all("A"),
		"pile-up-once-more": all("B"),
	}
	for _, s := range r.Steps {
		if want := certain[s.ID]; want != "" && fmt.Sprint(s.Listed) != want {
			t.Errorf("%s: by their lists %v, want %s", s.ID, s.Listed, want)
		}
		for _, l := range s.Told {
			t.Logf("%s: %s", s.ID, l)
		}
	}
	nothingLeft(t, env)
}
