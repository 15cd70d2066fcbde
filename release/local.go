package release

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"nats-roll/cluster"
)

var (
	_ Source = linked{}
	_ Source = onPath{}
)

// linked is the server inside the running program's own file.
type linked struct{ version cluster.Version }

func (linked) Name() string { return "embedded" }

func (l linked) Get(ctx context.Context, v cluster.Version, _ Progress) (cluster.Build, error) {
	if l.version == "" || v != l.version {
		return cluster.Build{}, ErrAbsent
	}
	return l.build(ctx)
}

// build asks the program's own file like any other: it may have been replaced
// on disk since this program started.
func (l linked) build(ctx context.Context) (cluster.Build, error) {
	if l.version == "" {
		return cluster.Build{}, &Error{
			Source: l.Name(), Reason: "this program has no server inside", Err: ErrAbsent,
			Hint: "give a version, or a file: " + flagName + " ./nats-server",
		}
	}
	file, err := os.Executable()
	if err != nil {
		return cluster.Build{}, &Error{
			Want: string(l.version), Source: l.Name(), Hint: giveFile, Err: err,
			Reason: fmt.Sprintf("find this program's own file: %v", err),
		}
	}
	b, err := Identify(ctx, file)
	if err != nil {
		return cluster.Build{}, endedOr(ctx, err, l.version, l.Name())
	}
	if b.Version != l.version {
		return cluster.Build{}, &Error{
			Want: string(l.version), Source: l.Name(), Err: ErrNotServer,
			Reason: fmt.Sprintf("this program's file was replaced since it started and holds %s now", b.Version),
			Hint:   "start the program again",
		}
	}
	b.Source = l.Name()
	return b, nil
}

// onPath is the nats-server that the user has installed.
type onPath struct{}

func (onPath) Name() string { return "path" }

func (o onPath) Get(ctx context.Context, v cluster.Version, p Progress) (cluster.Build, error) {
	// A match in the current directory is an error of LookPath and not used.
	file, err := exec.LookPath(program)
	if err != nil {
		return cluster.Build{}, ErrAbsent
	}
	b, err := Identify(ctx, file)
	if err != nil {
		return cluster.Build{}, endedOr(ctx, err, v, o.Name())
	}
	if b.Version != v {
		p.say("nats-server on PATH is %s, not %s", b.Version, v)
		return cluster.Build{}, ErrAbsent
	}
	return b, nil
}
