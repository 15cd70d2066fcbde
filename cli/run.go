package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"nats-roll/cluster"
	"nats-roll/proc"
	"nats-roll/rehearsal"
	"nats-roll/report"
	"nats-roll/upgrade"
)

// unattended walks the rehearsal without a person.
func (a *app) unattended(ctx context.Context, r rehearse) error {
	_, err := a.walked(ctx, r)
	return err
}

// walked is what a rehearsal without a person came to; nil if it did not come to
// one.
func (a *app) walked(ctx context.Context, r rehearse) (*report.Report, error) {
	if err := a.leftovers(ctx, r, false); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	out := newWriter("standard output", a.Out, stop)
	printer := report.NewPrinter(out, a.header())
	tell, told := printer.Watch, func() error { return nil }
	if r.json {
		journal := rehearsal.NewJournal(out, a.header())
		tell, told = journal.Watch, journal.Close
	}
	s, err := a.open(ctx, r, tell)
	if err != nil {
		return nil, errors.Join(err, out.Close(ctx))
	}
	walked := s.walk(ctx, nil)
	came, closed := s.close()
	if err := cmp.Or(told(), out.Close(ctx)); err != nil { // what was not told cannot be relied on
		return nil, errors.Join(environment(err, ""), closed)
	}
	if !r.json {
		a.farewell(s)
	}
	return &came, errors.Join(walked, closed, came.OverBudget())
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
		for _, srv := range state.World.Servers {
			fmt.Fprint(a.Out, stays(srv))
		}
	case state.Plan.Outcome == upgrade.OutcomeFailed && s.settings.dir == "":
		fmt.Fprintf(a.Out, "the servers' logs: %s\n", s.failedDir())
	case s.settings.dir != "":
		fmt.Fprintf(a.Out, "the servers' folders: %s\n", s.dir)
	}
	if s.tape != nil && s.tape.whole {
		fmt.Fprintf(a.Out, "the recording: %s; nats-roll replay shows it\n", tilde(s.tape.path))
	}
}

// stays tells what a server that was to be kept is left as.
func stays(s cluster.Server) string {
	switch p := s.Process; {
	case p.Alive():
		return fmt.Sprintf("%s goes on with %s: pid %d, %s; nats-roll clean ends it\n", s.Node.Name, p.Build, p.PID, s.Node.ClientURL())
	case s.Node.Permanent && p.Exit != nil:
		return fmt.Sprintf("%s is down: %s; its binary is %s\n", s.Node.Name, upgrade.ExitDetail(p), s.Disk)
	}
	return ""
}

// plan prints the plan. A version is taken at its word; a file is asked.
func (a *app) plan(ctx context.Context, r rehearse, format string) error {
	if !slices.Contains(report.PlanFormats, format) {
		return usagef("use --format text, markdown or json", "unknown format %q", format)
	}
	from, err := namedSide(ctx, "from", r.from.Side)
	if err != nil {
		return err
	}
	to, err := namedSide(ctx, "to", r.to.Side)
	if err != nil {
		return err
	}
	p := r.kind.Plan(upgrade.Spec{Advice: r.advise(from, to), Topology: r.topology, From: from, To: to, Workload: r.workload, Stop: r.how, Windows: runtime.GOOS == "windows"})
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
	stays := r.dir != "" // the user named the folder: what is in it is theirs
	for _, l := range found {
		end := l.End
		if stays {
			end = l.EndServers
		}
		if len(l.Processes) == 0 {
			if err := end(ctx); err != nil {
				return environment(err, "remove it by hand")
			}
			continue
		}
		describe(a.Err, l)
		if !ask || !a.yes(ctx, "End them?") {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			fmt.Fprintf(a.Err, "nats-roll: hint: nats-roll clean%s\n", dirFlag(r.settings))
			continue
		}
		if err := end(ctx); err != nil {
			return environment(err, "nats-roll clean"+dirFlag(r.settings))
		}
	}
	return nil
}

// dirFlag is what has to be said again for the same folder.
func dirFlag(s settings) string {
	if s.dir == "" {
		return ""
	}
	return " --dir " + s.dir
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

// yes asks a question on the terminal; anything but y is no, and so is a signal.
func (a *app) yes(ctx context.Context, question string) bool {
	fmt.Fprintf(a.Err, "%s [y/N] ", question)
	answered := make(chan string, 1)
	go func() { // reads on when a signal comes first, and ends with the program
		var answer string
		_, _ = fmt.Fscanln(a.In, &answer)
		answered <- answer
	}()
	select {
	case answer := <-answered:
		return strings.EqualFold(strings.TrimSpace(answer), "y")
	case <-ctx.Done():
		fmt.Fprintln(a.Err)
		return false
	}
}
