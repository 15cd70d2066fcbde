package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"nats-roll/rehearsal"
	"nats-roll/report"
	"nats-roll/tui"
	"nats-roll/tui/theme"
)

func (a *app) replayCommand() *cobra.Command {
	var background string
	cmd := &cobra.Command{
		Use:   "replay [FILE]",
		Short: "Watch a recorded rehearsal",
		Long: `Watch a recorded rehearsal on the screen that it had, with keys to pause, to go
faster or slower, and to go back and forward by events and by steps. FILE is an
event log (--events, or what run --json prints), or the name of a recording;
without it, the newest recording is shown. Where the output is no terminal, the
rehearsal is told line by line, at once. No server is started, no port is used.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("nats-roll replay FILE", "one recording at a time: %q is one too many", args[1])
			}
			return nil
		},
		ValidArgsFunction: completeRecordings(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := knownTheme(background); err != nil {
				return err
			}
			rec, err := theArchive().read(cmd.Context(), args)
			if err != nil {
				return err
			}
			if !a.onTerminal() {
				return a.retell(rec)
			}
			return a.replay(cmd.Context(), rec, theme.Background(background))
		},
	}
	cmd.Flags().StringVar(&background, "theme", string(theme.Auto), "colours for a dark or a light background: auto, dark or light")
	return cmd
}

// read reads the recording that is named, or the newest.
func (d archive) read(ctx context.Context, args []string) (*rehearsal.Recording, error) {
	var rec *rehearsal.Recording
	err := d.open(ctx, "replay", args, func(r io.Reader) (err error) {
		rec, err = rehearsal.ReadRecording(r)
		return err
	})
	return rec, err
}

// open opens the recording that is named, by its path or by its name, or the
// newest, for a command that reads it.
func (d archive) open(ctx context.Context, command string, args []string, read func(io.Reader) error) error {
	path := ""
	if len(args) > 0 {
		path = args[0]
	}
	if path == "" {
		names, err := d.names()
		switch {
		case err != nil:
			return environment(fmt.Errorf("look for recordings: %w", err), "give a file: nats-roll "+command+" FILE")
		case len(names) == 0:
			return usagef("nats-roll run makes one; or give a file: nats-roll "+command+" FILE", "there is no recording in %s", d)
		}
		path = d.path(names[0])
	} else if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && recordingName.MatchString(path) {
		path = d.path(path)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe that nobody writes to is not waited for
	if err != nil {
		return unreadable(err)
	}
	defer f.Close()
	defer context.AfterFunc(ctx, func() { _ = f.Close() })() // nor one that stalls, once that is enough
	err = read(f)
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if bad, ok := errors.AsType[*fs.PathError](err); ok {
		return unreadable(bad)
	}
	if err != nil {
		return usagef("give what --events has written, or a recording", "%s: %w", path, err)
	}
	return nil
}

func unreadable(err error) error {
	return environment(fmt.Errorf("read the recording: %w", err), "nats-roll replay shows the newest recording")
}

// retell prints what run prints, and where it is cut off, if it is.
func (a *app) retell(rec *rehearsal.Recording) error {
	p := report.NewPrinter(a.Out, rec.Header)
	rec.Watch(p.Watch)
	err := p.Err()
	if rec.State(rec.Len()).Plan.Outcome == "" {
		_, err2 := fmt.Fprintln(a.Out, "\nthe recording ends here")
		err = cmp.Or(err, err2)
	}
	if err != nil {
		return environment(fmt.Errorf("write to standard output: %w", err), "")
	}
	return nil
}

func (a *app) replay(ctx context.Context, rec *rehearsal.Recording, background theme.Background) error {
	screen := make(chan error, 1)
	go func() {
		screen <- tui.Run(ctx, tui.Options{Recording: rec, In: a.In, Out: a.Out, Background: background})
	}()
	err, _ := leave(ctx, screen)
	return err
}

// completeRecordings offers the names of recordings, the newest first, and files
// for up to so many arguments.
func completeRecordings(most int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names, _ := theArchive().names()
		return names, cobra.ShellCompDirectiveDefault | cobra.ShellCompDirectiveKeepOrder
	}
}
