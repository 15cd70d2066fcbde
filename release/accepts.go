package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"nats-roll/cluster"
)

// Accepts asks a nats-server file whether it would start with these arguments.
// A server checks its configuration with -t, and only if it is given a file; one
// that changes nothing stands in where the arguments name none. An unknown flag
// makes a server print its usage and end with status 0, so only its word that
// all is valid counts. (nats-server main.go and server/opts.go ConfigureOptions)
func Accepts(ctx context.Context, file string, args []string) error {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	all := append([]string{"-t"}, args...)
	if !hasConfig(args) {
		stand, err := standIn(filepath.Dir(file))
		if err != nil {
			return err
		}
		defer os.Remove(stand)
		all = append([]string{"-t", "-c", stand}, args...)
	}
	var said head
	err := runIdle(ctx, func() *exec.Cmd {
		said = head{}
		cmd := command(ctx, file, all...)
		cmd.Args[0] = program
		cmd.Dir = filepath.Dir(file) // where the configuration is, too
		cmd.Stdout, cmd.Stderr = &said, &said
		return cmd
	})
	exit, exited := errors.AsType[*exec.ExitError](err)
	line := clip(firstLine(strings.TrimPrefix(firstLine(said.String()), program+":")))
	switch {
	case ctx.Err() != nil:
		return notServer("gives no answer to -t for %s", askFor)
	case err != nil && !exited:
		return err
	case exited && line == "":
		return notServer("does not take the command line: %s", exit)
	case exited, !strings.Contains(said.String(), "is valid"):
		return notServer("does not take the command line: %s", line)
	}
	return nil
}

// standIn is a configuration file that changes nothing, beside the server, where it is
// cleaned away with it if the program is killed meanwhile. (nats-server
// server/const.go DEFAULT_PING_MAX_OUT; newer servers refuse an empty file)
func standIn(dir string) (string, error) {
	f, err := os.CreateTemp(dir, "nats-roll-*.conf")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString("ping_max: 2\n")
	return f.Name(), errors.Join(err, f.Close())
}

func hasConfig(args []string) bool {
	for _, a := range args {
		switch name, _, _ := strings.Cut(strings.TrimLeft(a, "-"), "="); {
		case !strings.HasPrefix(a, "-"):
		case name == "c", name == "config":
			return true
		}
	}
	return false
}

// Inspect finds out what a staged file is worth as a node's next binary: it is
// the build that it should be, and it takes the node's command line. It tells
// each thing that it tried, up to the first that is wrong.
func Inspect(ctx context.Context, file string, b cluster.Build, args []string) []cluster.Fact {
	got, err := Identify(ctx, file)
	var facts []cluster.Fact
	tried := func(ok bool, format string, words ...any) bool {
		facts = append(facts, cluster.Fact{OK: ok, Detail: fmt.Sprintf(format, words...)})
		return ok
	}
	e, _ := errors.AsType[*Error](err)
	switch {
	case e != nil:
		tried(false, "%s", e.Reason)
	case err != nil:
		tried(false, "%v", err)
	case !tried(b.SHA256 == "" || got.SHA256 == b.SHA256, "sha256 %.12s…", got.SHA256):
	case !tried(got.Version == b.Version, "it prints %s", got.Version):
	default:
		if err := Accepts(ctx, file, args); err != nil {
			tried(false, "%v", err)
			break
		}
		tried(true, "it takes the command line")
	}
	return facts
}
