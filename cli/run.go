package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"nats-roll/proc"
	"nats-roll/rehearsal"
	"nats-roll/report"
	"nats-roll/upgrade"
)

// unattended walks the rehearsal without a person.
func (a *app) unattended(ctx context.Context, r rehearse) error {
	if err := a.leftovers(ctx, r, false); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	out := &output{to: a.Out, stop: stop}
	printer := report.NewPrinter(out, a.meta())
	tell := printer.Watch
	told := printer.Err
	if r.json {
		j := rehearsal.NewJournal(out, a.header())
		tell, told = j.Watch, j.Err
	}
	s, err := a.open(r, tell)
	if err != nil {
		return err
	}
	walked := s.walk(ctx, nil)
	_, closed := s.close()
	if gone, ok := errors.AsType[*outputError](context.Cause(ctx)); ok {
		return errors.Join(environment(gone, ""), closed)
	}
	if !r.json {
		a.farewell(s)
	}
	return errors.Join(walked, closed, told())
}

// output is standard output. When nobody reads it any more, the rehearsal ends:
// there is no one left to tell.
type output struct {
	to   io.Writer
	stop context.CancelCauseFunc
}

type outputError struct{ err error }

func (e *outputError) Error() string { return fmt.Sprintf("write to standard output: %v", e.err) }
func (e *outputError) Unwrap() error { return e.err }

func (o *output) Write(p []byte) (int, error) {
	n, err := o.to.Write(p)
	if err != nil {
		o.stop(&outputError{err})
	}
	return n, err
}

// farewell says what stays behind on purpose.
func (a *app) farewell(s *session) {
	state, _ := s.lab.State()
	for _, srv := range state.World.Servers {
		if p := srv.Process; p.Alive() && p.Guest && !s.keep {
			fmt.Fprintf(a.Out, "%s was started by hand and goes on: pid %d\n", srv.Node.Name, p.PID)
		}
	}
	switch {
	case s.keep:
		for _, n := range state.World.Alive() {
			srv, _ := state.World.Server(n)
			fmt.Fprintf(a.Out, "%s goes on with %s: pid %d, %s; nats-roll clean ends it\n", n, srv.Process.Build, srv.Process.PID, srv.Node.ClientURL())
		}
	case state.Plan.Outcome == upgrade.OutcomeFailed && s.settings.dir == "":
		fmt.Fprintf(a.Out, "the servers' logs: %s\n", s.failedDir())
	case s.settings.dir != "":
		fmt.Fprintf(a.Out, "the servers' folders: %s\n", s.dir)
	}
}

// plan prints the plan. A version is taken at its word; a file is asked.
func (a *app) plan(ctx context.Context, r rehearse, format string) error {
	if !slices.Contains(report.PlanFormats, format) {
		return usagef("use --format text, markdown or json", "unknown format %q", format)
	}
	from, err := named(ctx, "from", r.from)
	if err != nil {
		return err
	}
	to, err := named(ctx, "to", r.to)
	if err != nil {
		return err
	}
	p := upgrade.Rolling(upgrade.Spec{Topology: r.topology, From: from, To: to, Workload: r.workload, Stop: r.how})
	return report.Plan(a.Out, p.Outline(), format)
}

// leftovers finds what earlier rehearsals left behind. Folders without a
// process are removed. Servers that still run are ended if the person says so;
// unattended they are only told of, and if they hold a port that is needed, the
// port says so.
func (a *app) leftovers(ctx context.Context, r rehearse, ask bool) error {
	found, err := proc.Leftovers(ctx, r.stateDir())
	if err != nil {
		return environment(fmt.Errorf("look for what earlier rehearsals left: %w", err), "use --dir with a folder that can be read and written")
	}
	for _, l := range found {
		if len(l.Processes) == 0 {
			if err := l.End(ctx); err != nil {
				return environment(err, "remove it by hand")
			}
			continue
		}
		describe(a.Err, l)
		if !ask || !a.yes("End them?") {
			fmt.Fprintln(a.Err, "nats-roll: hint: nats-roll clean")
			continue
		}
		if err := l.End(ctx); err != nil {
			return environment(err, "nats-roll clean")
		}
	}
	return nil
}

func describe(w io.Writer, l proc.Leftover) {
	why := "an earlier rehearsal ended without stopping its servers"
	if l.Kept {
		why = "an earlier rehearsal left its servers running (--keep)"
	}
	var names []string
	for _, p := range l.Processes {
		names = append(names, fmt.Sprintf("%s pid %d", p.Node, p.PID))
	}
	fmt.Fprintf(w, "nats-roll: %s: %s\n", why, strings.Join(names, ", "))
}

// yes asks a question on the terminal; anything but y is no.
func (a *app) yes(question string) bool {
	fmt.Fprintf(a.Err, "%s [y/N] ", question)
	var answer string
	_, _ = fmt.Fscanln(a.In, &answer)
	return strings.EqualFold(strings.TrimSpace(answer), "y")
}
