package embedded_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nats-roll/cluster"
	"nats-roll/release/embedded"
)

func TestMain(m *testing.M) {
	if embedded.Asked(os.Args[0]) {
		embedded.Main()
	}
	os.Exit(m.Run())
}

func TestAsked(t *testing.T) {
	for argv0, want := range map[string]bool{
		"nats-server": true, "/opt/a/nats-server": true, "./nats-server.exe": true,
		"nats-roll": false, "": false, "nats-server-old": false, "/nats-server/x": false,
	} {
		if got := embedded.Asked(argv0); got != want {
			t.Errorf("Asked(%q) is %v", argv0, got)
		}
	}
}

// server starts this test binary as nats-server and waits for its end.
func server(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Args[0] = "nats-server"
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestMainIsNatsServer(t *testing.T) {
	good, bad := filepath.Join(t.TempDir(), "good.conf"), filepath.Join(t.TempDir(), "bad.conf")
	for path, text := range map[string]string{good: "port: 4222\n", bad: "port: {\n"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		args           string
		status         int
		stdout, stderr string
	}{
		"version":       {"--version", 0, "nats-server: " + embedded.Version.Tag() + "\n", ""},
		"short version": {"-v", 0, "nats-server: " + embedded.Version.Tag() + "\n", ""},
		"help":          {"-h", 0, "Usage: nats-server [options]", ""},
		"unknown flag":  {"--no-such-flag", 0, "Usage: nats-server [options]", "flag provided but not defined: -no-such-flag"},
		"good config":   {"-t -c " + good, 0, "", "nats-server: configuration file " + good + " is valid (sha256:"},
		"bad config":    {"-t -c " + bad, 1, "", "nats-server: "},
		"bad port":      {"-p 123456 -a localhost", 1, "", "invalid port"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, status := server(t, strings.Fields(tc.args)...)
			if status != tc.status || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) {
				t.Errorf("exit status %d, stdout %.200q, stderr %.400q", status, stdout, stderr)
			}
		})
	}
	stdout, _, _ := server(t, "--version")
	if v, err := cluster.VersionOfBanner(stdout); err != nil || v != embedded.Version {
		t.Errorf("version read from %q is %q, %v", stdout, v, err)
	}
}

// The help text is a copy; a new nats-server may have a new one.
func TestHelpIsTheLinkedServersOwn(t *testing.T) {
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/nats-io/nats-server/v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	help, _, _ := server(t, "--help")
	if !strings.Contains(string(source), "`"+strings.TrimSuffix(help, "\n")+"`") {
		t.Errorf("main.go of nats-server %s does not have this help:\n%s", embedded.Version, help)
	}
}

// The fields that the server does not know are told with their lines, in sections, too;
// what is wrong otherwise is for -t.
func TestUnknown(t *testing.T) {
	for text, want := range map[string][]string{
		"port: 4222\njetstream {}\n": nil,
		"port: 4222\nmax_conections: 5\nauthorization { user: a, pasword: s3cret }\n": {"max_conections, line 2", "pasword, line 3"},
		"tls { cert_file: gone.pem, key_file: gone.pem }\n":                           nil,
		"port: ": nil,
	} {
		file := filepath.Join(t.TempDir(), "nats-server.conf")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := embedded.Unknown(file)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
