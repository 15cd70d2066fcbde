package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"nats-roll/proc"
)

// failedRoot holds the logs of rehearsals that failed.
func failedRoot() string { return filepath.Join(xdg.StateHome, "nats-roll", "failed") }

func (a *app) cleanCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "clean",
		Short: "End and remove what earlier rehearsals left behind",
		Long: `End and remove what earlier rehearsals left behind: servers that were left
running, their folders, the logs of rehearsals that failed, the shell scripts of
what was done, and the recordings. A
process is ended only if its id, its start time and its executable (of a script:
its folder) are those of a server that nats-roll started. A rehearsal that is
going on is left alone.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.clean(cmd.Context(), s) },
	}
	cmd.Flags().StringVar(&s.dir, "dir", "", "the folder that was given to the rehearsal with --dir")
	return cmd
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (a *app) clean(ctx context.Context, s settings) error {
	found, err := proc.Leftovers(ctx, s.stateDir())
	if err != nil {
		return environment(err, "")
	}
	var failed error
	for _, l := range found {
		if len(l.Processes) > 0 {
			describe(a.Err, l)
		}
		if err := l.End(ctx); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		fmt.Fprintf(a.Out, "removed %s, %s ended\n", l.Dir, plural(len(l.Processes), "server"))
	}
	some := len(found) > 0
	if s.dir == "" {
		more, err := a.cleanState()
		some, failed = some || more, errors.Join(failed, err)
	}
	if !some && failed == nil {
		fmt.Fprintln(a.Out, "nothing was left behind")
	}
	if failed != nil {
		return environment(failed, "")
	}
	return nil
}

// cleanState removes what rehearsals leave in the state folder beside their own.
func (a *app) cleanState() (some bool, err error) {
	for _, dir := range []string{failedRoot(), scriptRoot()} {
		if _, none := os.Stat(dir); none != nil {
			continue
		}
		if err2 := os.RemoveAll(dir); err2 != nil {
			err = errors.Join(err, err2)
			continue
		}
		some = true
		fmt.Fprintf(a.Out, "removed %s\n", dir)
	}
	tapes := theArchive()
	n, err2 := tapes.remove(0)
	if n > 0 {
		some = true
		fmt.Fprintf(a.Out, "removed %s from %s\n", plural(n, "recording"), tapes)
	}
	_ = os.Remove(string(tapes)) // unless something is left in it
	return some, errors.Join(err, err2)
}
