package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"nats-roll/cluster"
)

// serverModule is the module that `go install` builds. All versions since 2.2
// have this path.
const serverModule = "github.com/nats-io/nats-server/v2"

var _ Source = module{}

// module installs a version with the go command, into the store. The go command
// checks the source against Go's checksum database, as the user has set it up.
type module struct{ store *Store }

func (module) Name() string { return "module" }

func (m module) Get(ctx context.Context, v cluster.Version, p Progress) (cluster.Build, error) {
	return m.store.Fetch(ctx, v, m.Name(), p, func(ctx context.Context, dir string) (string, error) {
		return filepath.Join(dir, fileName()), install(ctx, v, dir, p)
	})
}

// install runs `go install` with dir as its GOBIN, in an empty directory: no
// module and no workspace of the user's has a say in what is built. What a go
// command that is killed leaves of its work goes away with dir.
func install(ctx context.Context, v cluster.Version, dir string, p Progress) error {
	tool, err := exec.LookPath("go")
	if err != nil {
		return &Error{Reason: ErrNoToolchain.Error(), Hint: installGo, Err: ErrNoToolchain}
	}
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		return err
	}
	env := append(os.Environ(),
		"GO111MODULE=on", "GOWORK=off", "GOBIN="+dir, "GOTMPDIR="+dir,
		"GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "CGO_ENABLED=0")
	flags, err := userFlags(ctx, tool, work, env)
	if err != nil {
		return err
	}

	cmd := command(ctx, tool, "install", "-v", serverModule+"@"+v.Tag())
	cmd.Dir = work
	cmd.Env = append(slices.Clip(env), "GOFLAGS="+flags)
	lines := make(chan string)
	cmd.Stderr = &lineWriter{out: lines}
	p.say("installing nats-server %s with %s", v, tool)
	done := make(chan error, 1)
	go func() {
		done <- cmd.Run() // returns when the last line has been taken
		close(lines)
	}()
	said := follow(lines, p)
	if err := <-done; err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return explain(said, err)
	}
	return nil
}

// userFlags is the GOFLAGS to install with: the user's, without what would name
// another module, another output, or vendoring. They come from the go command
// since `go env -w` keeps them in a file. -buildvcs=false, which changes nothing
// here, is there because an empty GOFLAGS would mean that file again. Without
// -trimpath the packages that the user's own programs have compiled are used.
func userFlags(ctx context.Context, tool, dir string, env []string) (string, error) {
	cmd := command(ctx, tool, "env", "-json", "GOFLAGS")
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.Output()
	if err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		var said []string
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			said = strings.Split(strings.TrimSpace(string(e.Stderr)), "\n")
		}
		return "", explain(said, err)
	}
	var got struct{ GOFLAGS string }
	if err := json.Unmarshal(out, &got); err != nil {
		return "", fmt.Errorf("read what go env says: %w", err)
	}
	return cleanFlags(got.GOFLAGS), nil
}

func cleanFlags(flags string) string {
	kept := []string{"-buildvcs=false"}
	for _, f := range strings.Fields(flags) {
		name, _, _ := strings.Cut(strings.TrimLeft(f, `'"-`), "=")
		switch name {
		case "mod", "modfile", "o", "C", "n", "json", "buildvcs":
		default:
			kept = append(kept, f)
		}
	}
	return strings.Join(kept, " ")
}
