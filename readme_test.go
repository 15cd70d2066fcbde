package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"nats-roll/release/embedded"
	"nats-roll/tui"
)

// The README lists every key and every flag, in the program's own words.
func TestTheREADMEIsTrue(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	for _, k := range tui.KeyTable() {
		if row := fmt.Sprintf("| `%s` | %s |", k.Keys, k.Does); !strings.Contains(readme, row) {
			t.Errorf("no row %s", row)
		}
	}
	help, err := exec.Command("nats-roll", "run", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	flags := regexp.MustCompile(`(?m)^ +--([a-z-]+)`).FindAllSubmatch(help, -1)
	if len(flags) < 10 {
		t.Fatalf("%d flags in %s", len(flags), help)
	}
	for _, f := range flags {
		if !strings.Contains(readme, "`--"+string(f[1])) {
			t.Errorf("--%s is missing", f[1])
		}
	}
	if !strings.Contains(readme, "nats-server "+string(embedded.Version)+" is linked in") {
		t.Errorf("the embedded server is %s", embedded.Version)
	}
}
