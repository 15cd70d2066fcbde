package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode"

	"github.com/spf13/pflag"

	"nats-roll/proc"
	"nats-roll/redact"
	"nats-roll/rehearsal"
	"nats-roll/release"
	"nats-roll/report"
	"nats-roll/upgrade"
)

// Exit codes. They are documented in the README and by `nats-roll --help`.
const (
	exitVerified    = 0
	exitFailed      = 1 // a step or a check failed
	exitUsage       = 2 // usage or configuration
	exitEnvironment = 3 // a port is taken, a binary not to be had, permission
	exitBudget      = 4 // verified, but over a budget
	exitSignal      = 128
)

// codedError is an error that knows its exit code and, maybe, what to do.
type codedError struct {
	code int
	err  error
	hint string
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

func usagef(hint, format string, args ...any) error {
	return &codedError{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

func environment(err error, hint string) error {
	return &codedError{code: exitEnvironment, err: err, hint: hint}
}

// Signaled is the cause of a context that a signal ended.
type Signaled struct{ Signal os.Signal }

func (s Signaled) Error() string { return "ended by " + s.Signal.String() }

// exitCode decides the program's exit code, and prints the error and its hint.
func exitCode(ctx context.Context, err error, stderr io.Writer) int {
	var sig Signaled
	if errors.As(context.Cause(ctx), &sig) {
		if n, ok := sig.Signal.(syscall.Signal); ok {
			return exitSignal + int(n)
		}
		return exitSignal + int(syscall.SIGTERM)
	}
	if err == nil {
		return exitVerified
	}
	code, hint := classify(err)
	fmt.Fprintf(stderr, "nats-roll: error: %s\n", oneLine(redact.Text(err.Error())))
	if hint != "" {
		fmt.Fprintf(stderr, "nats-roll: hint: %s\n", oneLine(hint))
	}
	return code
}

func classify(err error) (code int, hint string) {
	code = exitFailed
	var coded *codedError
	var step *upgrade.StepError
	var port *proc.PortError
	var stage *proc.StageError
	var build *rehearsal.BuildError
	var budget *report.BudgetError
	if errors.As(err, &build) {
		code, hint = exitEnvironment, build.Advice()
		if errors.Is(err, release.ErrSelector) {
			code = exitUsage
		}
	}
	if out, ok := errors.AsType[*fs.PathError](err); ok && out.Op == "write" && out.Path == os.Stdout.Name() {
		code = exitEnvironment
	}
	switch {
	case errors.As(err, &coded):
		code = coded.code
		if coded.hint != "" {
			hint = coded.hint
		}
	case errors.As(err, &step):
		code = exitFailed
	case errors.As(err, &budget):
		code, hint = exitBudget, budget.Hint()
	case errors.As(err, &port):
		code, hint = exitEnvironment, "stop it, or use --port-offset 1000"
	case errors.As(err, &stage):
		code, hint = exitEnvironment, again(stage)
	}
	if newer, ok := errors.AsType[*rehearsal.SchemaError](err); ok {
		hint = newer.Advice()
	}
	return code, hint
}

// again is what to do before the next try, when a build could not be brought to
// its server.
func again(e *proc.StageError) string {
	_, full := errors.AsType[*proc.RoomError](e)
	switch {
	case full:
		return "free some space, or use --dir with a folder on another disk"
	case errors.Is(e, syscall.EFBIG):
		return "ulimit -f unlimited"
	}
	return ""
}

// oneLine also takes out what could speak to a terminal: errors name what comes from
// outside.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.Join(strings.Fields(s), " "))
}

// invalid says of a flag's value in words what it is not.
func invalid(err error) error {
	var v *pflag.InvalidValueError
	if !errors.As(err, &v) {
		return err
	}
	kinds := map[string]string{"int": "it is no whole number", "duration": "it is no duration such as 500ms", "bool": "it is neither true nor false"}
	if kind, ok := kinds[v.GetFlag().Value.Type()]; ok {
		return fmt.Errorf("invalid argument %q for \"--%s\" flag: %s", v.GetValue(), v.GetFlag().Name, kind)
	}
	return err
}
