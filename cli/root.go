// Package cli is the command line: it reads flags, wires the parts together,
// and decides the exit code. What the commands do is done elsewhere.
package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"golang.org/x/term"

	"nats-roll/cluster"
	"nats-roll/release/embedded"
	"nats-roll/report"
	"nats-roll/upgrade"
)

// Program is what main knows about itself.
type Program struct {
	Version string
	Args    []string // without the program's name
	In      *os.File
	Out     *os.File
	Err     io.Writer
}

const long = `nats-roll is the rolling-upgrade lab for NATS. It starts real nats-server
processes on this machine, connects clients, and upgrades the servers one by one
while you watch: stop a server, replace its binary, start it again.

Without a command it opens on screen; "nats-roll run" walks the same rehearsal
unattended and says whether it worked. Servers listen on localhost only and end
with the program.`

const exits = `
Exit codes:
  0    verified            1    a step or a check failed
  2    usage               3    environment: a port is taken, a binary not to be had
  4    verified, but over a budget that was given with --max-…
  129, 130, 143            ended by SIGHUP, SIGINT, SIGTERM
`

// exitsOfOthers are those of a command that walks nothing, or judges nothing.
const exitsOfOthers = `
Exit codes:
  0    done                1    it failed%s
  2    usage               3    environment: a port is taken, a binary not to be had
  129, 130, 143            ended by SIGHUP, SIGINT, SIGTERM
`

// Run is the program; it returns the exit code. A signal ends the context, with
// Signaled as its cause.
func Run(ctx context.Context, p Program) int {
	app := &app{Program: p}
	root := app.root()
	root.SetArgs(p.Args)
	root.SetOut(p.Out)
	root.SetErr(p.Err)
	root.SetIn(p.In)
	return exitCode(ctx, root.ExecuteContext(ctx), p.Err)
}

// app is one run of the program.
type app struct {
	Program
	lines sync.Mutex // held while one of several goroutines writes a line to Out
}

func (a *app) root() *cobra.Command {
	var s settings
	root := &cobra.Command{
		Use:           "nats-roll",
		Short:         "The rolling-upgrade lab for NATS",
		Long:          long,
		Args:          noArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.typed = a.Args
			given := s // a chapter gives flags values of its own
			permits := func(chapter string) error {
				was := s
				defer func() { s = was }()
				s = given
				s.chapter = chapter
				_, err := s.check()
				return err
			}
			with, resumed := &s, (*place)(nil)
			for {
				var next after
				err := a.with(cmd, with, func(ctx context.Context, r rehearse) (err error) {
					if !a.onTerminal() {
						return a.unattended(ctx, r)
					}
					last := resumed
					if last == nil {
						last = thePlace().fitting(a.Version, given)
					}
					next, err = a.screen(ctx, r, last, resumed != nil, permits)
					return err
				})
				if next == (after{}) {
					return err
				}
				with, resumed = &s, next.last
				s = given
				if next.last != nil {
					with = next.last.settings(given)
				} else {
					s.chapter = next.chapter
				}
			}
		},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("see "+cmd.CommandPath()+" --help", "%w", invalid(err))
	})
	root.CompletionOptions.HiddenDefaultCmd = false
	s.register(root.Flags())
	complete(root)
	root.AddCommand(a.runCommand(), a.reportCommand(), a.compareCommand(), a.claimsCommand(), a.replayCommand(), a.planCommand(), a.parityCommand(), a.chaptersCommand(), a.adviseCommand(), a.serversCommand(), a.cleanCommand(), a.versionCommand(), a.manCommand())
	usage := root.UsageTemplate()
	for _, cmd := range root.Commands() {
		found := map[string]string{"claims": ": a walk did", "parity": ", or there is a clash"}[cmd.Name()]
		cmd.SetUsageTemplate(usage + fmt.Sprintf(exitsOfOthers, found))
		if cmd.Flags().Lookup("max-lost") != nil {
			cmd.SetUsageTemplate(usage + exits)
		}
	}
	root.SetUsageTemplate(usage + exits)
	return root
}

// noArgs refuses words that are no command, as usage errors.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("see nats-roll --help", "unknown command %q for %q", args[0], cmd.CommandPath())
	}
	return nil
}

// with checks the settings before anything is done.
func (a *app) with(cmd *cobra.Command, s *settings, do func(context.Context, rehearse) error) error {
	r, err := s.check()
	if err != nil {
		return err
	}
	if err := s.choice().sides(cmd.Context(), &r.from.Side, &r.to.Side); err != nil {
		return err
	}
	return do(cmd.Context(), r)
}

// onTerminal says whether a screen can be drawn and keys can be read.
func (a *app) onTerminal() bool {
	return term.IsTerminal(int(a.In.Fd())) && term.IsTerminal(int(a.Out.Fd())) && os.Getenv("TERM") != "dumb"
}

func (a *app) runCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Walk the rehearsal unattended and say whether it worked",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(s.compare) > 0 && cmd.Flags().Changed("stop") {
				return usagef("leave out --stop", "--compare says how servers are stopped, and so does --stop")
			}
			return a.with(cmd, &s, func(ctx context.Context, r rehearse) error {
				if len(r.compare) > 0 {
					return a.compareWays(ctx, r)
				}
				return a.unattended(ctx, r)
			})
		},
	}
	s.register(cmd.Flags())
	cmd.Flags().BoolVar(&s.json, "json", false, "write events as JSON lines to standard output, instead of text")
	cmd.Flags().StringArrayVar(&s.reports, "report", nil, "write a report; its form is that of the extension: "+strings.Join(report.Extensions(), ", ")+" (repeatable)")
	cmd.Flags().DurationVar(&s.hold, "hold", 0, "how long the servers must have run well before the rehearsal is verified, such as 10s (chapter free stays up for so long: 5s)")
	cmd.Flags().BoolVar(&s.force, "force", false, "walk a step that is advised against")
	cmd.Flags().StringVar(&s.failing, "on-failure", string(upgrade.FailStop), "when a step fails: stop (with --keep, the servers stay as they are), rollback or abort (end every server)")
	cmd.Flags().StringSliceVar(&s.compare, "compare", nil, "walk the rehearsal once for each way to stop servers, as in int,ldm,kill, and compare what it cost")
	s.budget(cmd.Flags())
	complete(cmd)
	_ = cmd.RegisterFlagCompletionFunc("compare", cobra.FixedCompletions(stopNames(), cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace))
	_ = cmd.RegisterFlagCompletionFunc("on-failure", cobra.FixedCompletions(failureNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func failureNames() []string {
	var out []string
	for _, f := range upgrade.OnFailures {
		out = append(out, string(f))
	}
	return out
}

func stopNames() []string {
	var out []string
	for _, s := range cluster.Stops {
		out = append(out, string(s))
	}
	return out
}

// complete offers the values of flags to the shell.
func complete(cmd *cobra.Command) {
	for flag, values := range map[string][]string{
		"stop": stopNames(), "chapter": chapterNames(),
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveDefault))
	}
	for _, flag := range []string{"from", "to"} { // or a file
		_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return selectors(), cobra.ShellCompDirectiveDefault
		})
	}
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of nats-roll and of the nats-server in it",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.Printf("nats-roll %s\nnats-server %s (embedded)\n", a.Version, embedded.Version)
			return nil
		},
	}
}

func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man",
		Short: "Print the manual page",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return manual(cmd.Root(), a.Out)
		},
	}
}

// manual writes one page: the program, and a section for each command.
func manual(root *cobra.Command, w io.Writer) error {
	root.DisableAutoGenTag = true
	header := &doc.GenManHeader{Title: "NATS-ROLL", Section: "1", Source: "nats-roll", Manual: "nats-roll"}
	if err := doc.GenMan(root, header, w); err != nil {
		return err
	}
	return sections(root, header, w)
}

// sections writes one section for each command below another.
func sections(of *cobra.Command, header *doc.GenManHeader, w io.Writer) error {
	for _, cmd := range of.Commands() {
		if !cmd.IsAvailableCommand() {
			continue
		}
		if err := doc.GenMan(cmd, header, w); err != nil {
			return err
		}
		if err := sections(cmd, header, w); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) planCommand() *cobra.Command {
	var s settings
	var format string
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Print the plan and touch nothing",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, &s, func(ctx context.Context, r rehearse) error {
				return a.plan(ctx, r, format)
			})
		},
	}
	s.register(cmd.Flags())
	cmd.Flags().StringVar(&format, "format", "text", "text, markdown or json")
	complete(cmd)
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(report.PlanFormats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}
