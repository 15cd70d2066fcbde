package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
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
		Use:   "report [FILE]",
		Short: "Render a recorded rehearsal",
		Long: `Render a recorded rehearsal: the same report that run --report would have written
then. FILE is an event log (--events, or what run --json prints), or the name of a
recording; without it, the newest recording is rendered. One that ends before its
rehearsal did, because the program was killed, is rendered up to there.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("nats-roll compare sets several side by side", "one recording at a time: %q is one too many", args[1])
			}
			return nil
		},
		ValidArgsFunction: completeRecordings(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format == "" {
				format = formatOf(out)
			}
			if !slices.Contains(report.Formats(), format) {
				return usagef("use --format "+strings.Join(report.Formats(), ", "), "unknown format %q", format)
			}
			if len(args) > 0 && out != "" && oneFile(args[0], out) {
				return usagef("give -o another name", "the report would overwrite the recording %s", out)
			}
			r, err := recorded(cmd.Context(), "report", args)
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

// formatOf is the report format that a file's name asks for.
func formatOf(file string) string {
	if i := slices.Index(report.Extensions(), strings.ToLower(filepath.Ext(file))); i >= 0 {
		return report.Formats()[i]
	}
	return report.Formats()[0]
}

// recorded reads the report of a recorded rehearsal, for a command.
func recorded(ctx context.Context, command string, args []string) (report.Report, error) {
	var r report.Report
	err := theArchive().open(ctx, command, args, func(from io.Reader) error {
		h, s, err := rehearsal.Load(from)
		r = report.New(s, h)
		return err
	})
	return r, err
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
