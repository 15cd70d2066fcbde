package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nats-roll/cluster"
	"nats-roll/report"
)

func (a *app) compareCommand() *cobra.Command {
	var format, out string
	cmd := &cobra.Command{
		Use:   "compare FILE FILE…",
		Short: "Set recorded rehearsals side by side",
		Long: `Set recorded rehearsals side by side, step by step: the same rehearsal with other
versions, other servers or another way to stop them. FILE is an event log
(--events, or what run --json prints), or the name of a recording.
"nats-roll run --compare int,ldm,kill" makes and compares them at once.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 || len(args) > maxCompared {
				return usagef("nats-roll compare FILE FILE…", "compare takes 2 to %d recordings, not %d", maxCompared, len(args))
			}
			return nil
		},
		ValidArgsFunction: completeRecordings(maxCompared),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(report.CompareFormats, format) {
				return usagef("use --format "+strings.Join(report.CompareFormats, ", "), "unknown format %q", format)
			}
			var all []report.Named
			for i, name := range shortNames(args) {
				r, err := recorded(cmd.Context(), "compare", args[i:i+1])
				if err != nil {
					return err
				}
				all = append(all, report.Named{Name: name, Report: r})
			}
			return a.render(out, func(w io.Writer) error { return report.Compare(all...).Write(w, format) })
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", strings.Join(report.CompareFormats, ", "))
	cmd.Flags().StringVarP(&out, "output", "o", "", "the file to write (default: standard output)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(report.CompareFormats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// maxCompared is how many recordings are set side by side.
const maxCompared = 20

// shortNames are files without folder and extension, unless two are then the same.
func shortNames(files []string) []string {
	var out []string
	for _, f := range files {
		out = append(out, strings.TrimSuffix(filepath.Base(f), filepath.Ext(f)))
	}
	if len(slices.Compact(slices.Sorted(slices.Values(out)))) < len(out) {
		return files
	}
	return out
}

// comparable says what does not go together with --compare.
func (s *settings) comparable() error {
	if len(s.compare) == 1 {
		return usagef("use --compare int,ldm", "--compare %s has nothing to compare with", s.compare[0])
	}
	for _, way := range s.compare {
		how, err := cluster.ParseStop(way)
		if err == nil {
			err = stoppable(how)
		}
		switch {
		case err != nil:
			return usagef("use --compare int,ldm,kill", "--compare: %w", err)
		case s.json:
			return usagef("use --events FILE", "--compare and --json do not go together: each rehearsal has an event log of its own")
		case s.keep:
			return usagef("leave out one of the two", "--compare and --keep do not go together: the next rehearsal needs the servers' ports")
		}
	}
	return nil
}

// compareWays walks the rehearsal once for each way to stop servers, one after
// the other, and compares what it cost. Files that are to be written have the way
// in their names. What goes wrong with one rehearsal does not keep the next one
// from being walked, unless none can be.
func (a *app) compareWays(ctx context.Context, r rehearse) error {
	var all []report.Named
	var failed []wayError
	for i, way := range r.compare {
		name := way
		if n := count(r.compare[:i], way); n > 0 {
			name = fmt.Sprintf("%s-%d", way, n+1)
		}
		fmt.Fprintf(a.Out, "%s== %s ==\n", strings.Repeat("\n", min(i, 1)), name)
		came, err := a.walked(ctx, r.stoppedBy(way, name))
		if came != nil {
			all = append(all, report.Named{Name: name, Report: *came})
		}
		if err != nil {
			failed = append(failed, wayError{name, err})
		}
		if code, _ := classify(err); ctx.Err() != nil || err != nil && code != exitFailed && code != exitBudget {
			return worst(failed)
		}
	}
	fmt.Fprintln(a.Out)
	if err := report.Compare(all...).Write(a.Out, "text"); err != nil {
		return environment(&outputError{"standard output", err}, "")
	}
	return worst(failed)
}

// stoppedBy is the same rehearsal with another way to stop servers.
func (r rehearse) stoppedBy(way, name string) rehearse {
	r.stop, r.how, r.compare = way, cluster.Stop(way), nil
	if r.events != "" {
		r.events = beside(r.events, name)
	}
	r.reports = slices.Clone(r.reports)
	for i, file := range r.reports {
		r.reports[i] = beside(file, name)
	}
	return r
}

// beside is a file's name with a word before its extension: r-int.json.
func beside(file, word string) string {
	ext := filepath.Ext(file)
	return strings.TrimSuffix(file, ext) + "-" + word + ext
}

func count(list []string, word string) (n int) {
	for _, w := range list {
		if w == word {
			n++
		}
	}
	return n
}

// wayError is what went wrong with one of the rehearsals.
type wayError struct {
	name string
	err  error
}

// worst is all errors as one, with the exit code and the hints of the worst of
// them: an environment in which nothing can be said, then a failure, then a
// budget.
func worst(errs []wayError) error {
	if len(errs) == 0 {
		return nil
	}
	rank := []int{exitBudget, exitFailed, exitUsage, exitEnvironment}
	code := exitBudget
	var all, hints []string
	for _, e := range errs {
		c, hint := classify(e.err)
		if slices.Index(rank, c) > slices.Index(rank, code) {
			code, hints = c, nil
		}
		if c == code && hint != "" {
			hints = append(hints, e.name+": "+hint)
		}
		all = append(all, e.name+": "+e.err.Error())
	}
	return &codedError{code: code, err: errors.New(strings.Join(all, "; ")), hint: strings.Join(hints, "; ")}
}
