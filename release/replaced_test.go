package release_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// getItself makes a child ask for the server inside its own file.
const getItself = "RELEASE_TEST_GET_ITSELF"

// A program whose file is another one by now hands that out only if it is the
// same server.
func TestTheProgramsFileIsReplaced(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		with func(t *testing.T) string // empty: with nothing
		says string
	}{
		"itself":         {func(*testing.T) string { return self }, sumOf(t, self)},
		"another server": {func(t *testing.T) string { return built(t, saying(banner(published))) }, "was replaced since it started and holds 2.99.1 now"},
		"no server":      {func(t *testing.T) string { return built(t, saying("hello")) }, `prints "hello", no nats-server version`},
		"nothing":        {func(*testing.T) string { return "" }, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "program")
			c := startChild(t, copied(t, self, program), getItself+"=1")
			if err := os.Remove(program); err != nil {
				t.Fatal(err)
			}
			if with := tc.with(t); with != "" {
				copied(t, with, program)
			}
			if err := c.in.Close(); err != nil {
				t.Fatal(err)
			}
			if got := c.line(); !strings.Contains(got, tc.says) {
				t.Errorf("it was given %q, want %q", got, tc.says)
			}
		})
	}
}
