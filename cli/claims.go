package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"nats-roll/advice"
	"nats-roll/proc"
	"nats-roll/rehearsal"
	"nats-roll/report"
	"nats-roll/upgrade"
)

// claimsFlags are the shared flags that make sense for claims: what the servers are
// and how many clients there are, but not which servers.
var claimsFlags = []string{"from", "to", "clients", "rate", "stop", "port-offset", "source", "mirror", "offline"}

func (a *app) claimsCommand() *cobra.Command {
	var s settings
	var asJSON, force bool
	cmd := &cobra.Command{
		Use:   "claims",
		Short: "Prove or refute the tutorial's sentences on running servers",
		Long: `Prove or refute the tutorial's sentences on running servers. The chapters
` + strings.Join(claimChapters(), ", ") + ` are walked unattended, one after the other, and every sentence
of the text is set beside what was seen: as the text says, differs (how, why,
since when, and where that can be read), or cannot be decided here.

It ends with 0 when it could be run, whatever the verdicts are, and with 1 when
a walk failed.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.claims(cmd, s, asJSON, force)
		},
	}
	all := pflag.NewFlagSet("claims", pflag.ContinueOnError)
	s.register(all)
	for _, name := range claimsFlags {
		cmd.Flags().AddFlag(all.Lookup(name))
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write the table as JSON, "+report.ClaimsSchema)
	cmd.Flags().BoolVar(&force, "force", false, "walk a step that is advised against")
	return cmd
}

// claimChapters are the chapters whose steps decide sentences.
func claimChapters() []string {
	var out []string
	for _, c := range upgrade.Chapters {
		if slices.ContainsFunc(upgrade.Sentences, func(s upgrade.Sentence) bool { return s.Chapter == c.Name }) {
			out = append(out, c.Name)
		}
	}
	return out
}

func (a *app) claims(cmd *cobra.Command, s settings, asJSON, force bool) error {
	ctx := cmd.Context()
	if len(s.from.Own)+len(s.to.Own) > 0 {
		return usagef("use --from 2.14.9", "claims are about two versions, not about builds of single servers")
	}
	var walks []rehearse
	for _, name := range claimChapters() {
		r, err := a.claimsWalk(ctx, cmd.Flags(), name)
		if err != nil {
			return err
		}
		r.force = force
		walks = append(walks, r)
	}
	var came []report.Report
	var failed []wayError
	for i, r := range walks {
		fmt.Fprintf(a.Err, "nats-roll: walk %d of %d: chapter %s\n", i+1, len(walks), r.kind.Name)
		got, err := a.quietly(ctx, r)
		if got != nil {
			came = append(came, *got)
			fmt.Fprintf(a.Err, "nats-roll: chapter %s: %s\n", r.kind.Name, got.Outcome)
		}
		if err != nil {
			failed = append(failed, wayError{r.kind.Name, err})
		}
		if code, _ := classify(err); ctx.Err() != nil || err != nil && code != exitFailed {
			return worst(failed)
		}
	}
	g := a.ground(ctx, walks[0], came[0])
	table := report.NewClaims(a.Version, g, came)
	write := table.Text
	if asJSON {
		write = table.JSON
	}
	if err := write(a.Out); err != nil {
		return environment(&outputError{"standard output", err}, "")
	}
	return worst(failed)
}

// claimsWalk is a rehearsal of one chapter with the flags that were given. The way
// down begins where the way up ends.
func (a *app) claimsWalk(ctx context.Context, given *pflag.FlagSet, chapter string) (rehearse, error) {
	var s settings
	flags := pflag.NewFlagSet("claims", pflag.ContinueOnError)
	s.register(flags)
	s.chapter = chapter
	c, _ := upgrade.FindChapter(chapter)
	var err error
	given.Visit(func(f *pflag.Flag) {
		name := f.Name
		if other, ok := map[string]string{"from": "to", "to": "from"}[name]; ok && c.Down {
			name = other
		}
		if flags.Lookup(name) != nil {
			err = errors.Join(err, flags.Set(name, f.Value.String()))
		}
	})
	if err != nil {
		return rehearse{}, err
	}
	r, err := s.check()
	if err != nil {
		return r, err
	}
	return r, s.choice().sides(ctx, &r.from.Side, &r.to.Side)
}

// quietly walks a rehearsal without a person and tells nobody; nil if it did not come
// to anything.
func (a *app) quietly(ctx context.Context, r rehearse) (*report.Report, error) {
	s, err := a.open(ctx, r, func(rehearsal.Record, rehearsal.State) {})
	if err != nil {
		return nil, err
	}
	walked := s.walk(ctx, nil)
	came, closed := s.close()
	return &came, errors.Join(walked, closed)
}

// ground is what decides the sentences that no server does: what is known of the
// step, and what the command-line tool says to the text's line for C.
func (a *app) ground(ctx context.Context, r rehearse, came report.Report) upgrade.Ground {
	g := upgrade.Ground{From: came.From, To: came.To}
	if known, err := advice.For(came.From, came.To, r.situation()); err == nil {
		g.Advice = known
	}
	c := r.topology.Nodes[len(r.topology.Nodes)-1]
	line := []string{"server", "-D", "-p", fmt.Sprint(c.ClientPort), "-cluster", c.RouteURL(), "-routes"}
	var routes []string
	for _, n := range r.topology.Permanent() {
		routes = append(routes, n.RouteURL())
	}
	g.CLI.Path, g.CLI.Code, g.CLI.Said = proc.Try(ctx, "nats", append(line, strings.Join(routes, ","))...)
	return g
}
