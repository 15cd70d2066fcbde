package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nats-roll/rehearsal"
	"nats-roll/report"
)

func (a *app) reportCommand() *cobra.Command {
	var format, out string
	cmd := &cobra.Command{
		Use:   "report FILE",
		Short: "Render a recorded rehearsal",
		Long: `Render a rehearsal that was recorded with --events FILE: the same report that
run --report would have written then. A recording that ends before its rehearsal
did, because the program was killed, is rendered up to there.`,
		Args: recordings(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if format == "" {
				format = formatOf(out)
			}
			if !slices.Contains(report.Formats(), format) {
				return usagef("use --format "+strings.Join(report.Formats(), ", "), "unknown format %q", format)
			}
			r, err := recorded(args[0])
			if err != nil {
				return err
			}
			return a.render(out, func(w io.Writer) error { return r.Write(w, format) })
		},
	}
	cmd.Flags().StringVar(&format, "format", "", strings.Join(report.Formats(), ", ")+" (default: what the extension of -o says, or "+report.Formats()[0]+")")
	cmd.Flags().StringVarP(&out, "output", "o", "", "the file to write (default: standard output)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(report.Formats(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// recordings is how many files a command takes.
func recordings(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usagef("nats-roll "+cmd.Use, "%s takes the file of a recorded rehearsal, not %d", cmd.Name(), len(args))
		}
		return nil
	}
}

// formatOf is the report format that a file's name asks for.
func formatOf(file string) string {
	if i := slices.Index(report.Extensions(), strings.ToLower(filepath.Ext(file))); i >= 0 {
		return report.Formats()[i]
	}
	return report.Formats()[0]
}

// recorded reads the report of a recorded rehearsal.
func recorded(file string) (report.Report, error) {
	const hint = "give a file that nats-roll run --events FILE has written"
	f, err := os.Open(file)
	if err != nil {
		return report.Report{}, environment(fmt.Errorf("read the recording: %w", err), hint)
	}
	defer f.Close()
	h, s, err := rehearsal.Load(f)
	if unreadable := (*fs.PathError)(nil); errors.As(err, &unreadable) {
		return report.Report{}, environment(fmt.Errorf("read the recording: %w", unreadable), hint)
	}
	if err != nil {
		return report.Report{}, usagef(hint, "%s: %w", file, err)
	}
	return report.New(s, h), nil
}

// render writes to a file, or to standard output.
func (a *app) render(file string, write func(io.Writer) error) error {
	if file == "" {
		if err := write(a.Out); err != nil {
			return environment(&outputError{"standard output", err}, "")
		}
		return nil
	}
	f, err := os.Create(file)
	if err == nil {
		err = errors.Join(write(f), f.Close())
	}
	if err != nil {
		return environment(fmt.Errorf("write the report: %w", err), "use -o with a path that can be written")
	}
	return nil
}
