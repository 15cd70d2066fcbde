package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"nats-roll/advice"
	"nats-roll/report"
)

func (a *app) adviseCommand() *cobra.Command {
	s := settings{source: "auto"}
	var format string
	cmd := &cobra.Command{
		Use:   "advise FROM TO",
		Short: "Say what is known about the step between two versions, with sources",
		Long: `Say what is known about the step between two versions, with sources: whether
their release lines still get patches, where to stop on the way, how far one can
come back, and what to look out for. FROM and TO are versions such as 2.14.9,
2.14 for its newest patch, latest, previous (FROM: the release before TO; TO:
the release before the embedded one), embedded, or a file. Nothing is started
and nothing is fetched.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("nats-roll advise 2.14.9 latest", "advise takes two versions, FROM and TO, not %d", len(args))
			}
			return nil
		},
		ValidArgsFunction: completeSelectors(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case s.json && cmd.Flags().Changed("format") && format != "json":
				return usagef("leave out one of the two", "--json and --format %s contradict each other", format)
			case s.json:
				format = "json"
			}
			return a.advise(cmd.Context(), s, args[0], args[1], format)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, markdown or json")
	cmd.Flags().BoolVar(&s.json, "json", false, "the same as --format json")
	cmd.Flags().BoolVar(&s.offline, "offline", false, "words for versions mean what is at hand")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(report.AdviceFormats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// advise prints what is known. A version is taken at its word; a file is asked.
func (a *app) advise(ctx context.Context, s settings, from, to, format string) error {
	if !slices.Contains(report.AdviceFormats, format) {
		return usagef("use --format text, markdown or json", "unknown format %q", format)
	}
	from, to, err := s.choice().pair(ctx, from, to)
	if err != nil {
		return err
	}
	one, err := named(ctx, "from", from)
	if err != nil {
		return err
	}
	other, err := named(ctx, "to", to)
	if err != nil {
		return err
	}
	// Nobody has said what the cluster has; everything that could matter is told.
	known, err := advice.For(one.Version, other.Version, advice.Situation{Unknown: true})
	if err != nil {
		return usagef("write versions such as 2.14.9", "%w", err)
	}
	return report.Advice(a.Out, known, format)
}
