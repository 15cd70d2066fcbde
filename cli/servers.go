package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"nats-roll/cluster"
	"nats-roll/proc"
	"nats-roll/release"
	"nats-roll/release/embedded"
	"nats-roll/report"
)

func (a *app) serversCommand() *cobra.Command {
	var s settings
	list := func(cmd *cobra.Command, _ []string) error { return a.listServers(cmd.Context(), s) }
	flags := func(cmd *cobra.Command) *cobra.Command {
		cmd.Flags().BoolVar(&s.json, "json", false, "write JSON instead of a table")
		cmd.Flags().StringVar(&s.dir, "dir", "", "look for rehearsals in this folder, which was given to them with --dir")
		return cmd
	}
	cmd := flags(&cobra.Command{
		Use:   "servers",
		Short: "List which nats-server versions are at hand",
		Long: `List which nats-server versions are at hand: the one in this program, the one
on PATH, and those in the store in your cache folder. Each is told with its
SHA-256, the servers that run from it now, and the releases that are newer.`,
		Args: noArgs,
		RunE: list,
	})
	cmd.AddCommand(
		flags(&cobra.Command{Use: "list", Short: "List which versions are at hand, as without a command", Args: noArgs, RunE: list}),
		a.fetchCommand(), a.removeCommand(), a.verifyCommand(),
	)
	return cmd
}

// listServers tells what is at hand.
func (a *app) listServers(ctx context.Context, s settings) error {
	uses, err := inUse(ctx, s.stateDir())
	if err != nil {
		return err
	}
	// Here, a file that is no server is a line of the answer and not a failure.
	found, wrong := release.New(release.Options{Embedded: embedded.Version, Offline: true}).AtHand(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	var builds []report.InventoryEntry
	for _, e := range found {
		b := report.InventoryEntry{Build: e.Build, Go: e.Go, Sum: e.Sum}
		if !e.Fetched.IsZero() {
			b.Fetched = &e.Fetched
		}
		builds = append(builds, b)
	}
	if wrong != nil {
		for line := range strings.Lines(wrong.Error()) {
			fmt.Fprintf(a.Err, "nats-roll: %s\n", oneLine(line))
		}
	}
	i := report.NewInventory(release.DefaultDir(), builds, uses)
	if s.json {
		return i.JSON(a.Out)
	}
	return i.Text(a.Out, tilde)
}

// inUse lists the servers that run in folders of rehearsals.
func inUse(ctx context.Context, dir string) ([]report.InventoryUse, error) {
	rehearsals, err := proc.Rehearsals(ctx, dir)
	if err != nil {
		return nil, environment(fmt.Errorf("look for rehearsals: %w", err), "use --dir with a folder that can be read")
	}
	var out []report.InventoryUse
	for _, r := range rehearsals {
		state := "running"
		switch {
		case r.Over && r.Kept:
			state = "kept"
		case r.Over:
			state = "left"
		}
		for _, p := range r.Processes {
			out = append(out, report.InventoryUse{
				Node: p.Node, PID: p.PID, Dir: r.Dir, State: state, Version: p.Build.Version, SHA256: p.Build.SHA256,
			})
		}
	}
	return out, nil
}

func (a *app) removeCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "remove VERSION…",
		Short: "Remove versions from the store",
		Long: `Remove versions from the store. One that a server of a rehearsal that is going
on was started from stays: its plan may need it again.`,
		Args:              someVersions("nats-roll servers remove 2.14.9"),
		ValidArgsFunction: completeStored,
		RunE: func(cmd *cobra.Command, args []string) error {
			versions, err := exact(args)
			if err != nil {
				return err
			}
			return a.removeServers(cmd.Context(), s, versions)
		},
	}
	cmd.Flags().StringVar(&s.dir, "dir", "", "look for rehearsals in this folder, which was given to them with --dir")
	return cmd
}

func (a *app) removeServers(ctx context.Context, s settings, versions []cluster.Version) error {
	uses, err := inUse(ctx, s.stateDir())
	if err != nil {
		return err
	}
	store := release.NewStore(release.DefaultDir())
	entries, err := store.List()
	if err != nil {
		return environment(err, "set XDG_CACHE_HOME to a directory that you can read")
	}
	var failed failures
	for _, v := range versions {
		var e release.Entry
		for _, have := range entries {
			if have.Version == v {
				e = have
			}
		}
		if err := needed(e, uses); err != nil {
			failed.add(v, err)
			continue
		}
		if err := store.Remove(ctx, v, a.progress(v).say); err != nil {
			failed.add(v, err)
			continue
		}
		fmt.Fprintf(a.Out, "%s  removed\n", v)
	}
	return failed.err("removed", len(versions))
}

// needed says which server of a rehearsal that is going on was started from a
// build.
func needed(e release.Entry, uses []report.InventoryUse) error {
	for _, u := range uses {
		if u.State == "running" && u.SHA256 != "" && u.SHA256 == e.SHA256 {
			return environment(fmt.Errorf("remove %s: a rehearsal that is going on uses it: %s, pid %d", e.Version, u.Node, u.PID),
				"end the rehearsal in "+tilde(u.Dir)+" first")
		}
	}
	return nil
}

func (a *app) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "verify [VERSION…]",
		Short:             "Hash what is in the store again and name what is damaged",
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeStored,
		RunE: func(cmd *cobra.Command, args []string) error {
			versions, err := exact(args)
			if err != nil {
				return err
			}
			return a.verifyServers(cmd.Context(), versions)
		},
	}
}

func (a *app) verifyServers(ctx context.Context, versions []cluster.Version) error {
	store := release.NewStore(release.DefaultDir())
	if len(versions) == 0 {
		var err error
		if versions, err = store.Versions(); err != nil {
			return environment(err, "set XDG_CACHE_HOME to a directory that you can read")
		}
		if len(versions) == 0 {
			fmt.Fprintf(a.Out, "the store, %s, is empty\n", tilde(release.DefaultDir()))
			return nil
		}
	}
	failed := failures{hint: "nats-roll servers fetch"}
	for _, v := range versions {
		e, err := store.Check(ctx, v)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, release.ErrAbsent):
			failed.add(v, &release.Error{Want: string(v), Source: store.Name(), Reason: "not there", Hint: "nats-roll servers fetch " + string(v), Err: err})
			fmt.Fprintf(a.Out, "%s  not in the store\n", v)
		case err != nil:
			failed.add(v, err)
			fmt.Fprintf(a.Out, "%s  DAMAGED  %s\n", v, reason(err))
		default:
			fmt.Fprintf(a.Out, "%s  whole    from %s, sha256 %s\n", v, e.Source, e.SHA256)
		}
	}
	return failed.err("whole", len(versions))
}

// someVersions refuses a command without a version.
func someVersions(example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef(example, "%s: name a version", cmd.CommandPath())
		}
		return nil
	}
}

// exact reads exact versions, each once: what is removed or verified is not to
// depend on what else is there.
func exact(args []string) ([]cluster.Version, error) {
	var out []cluster.Version
	seen := map[cluster.Version]bool{}
	for _, arg := range args {
		v, err := cluster.ParseVersion(arg)
		if err != nil {
			return nil, usagef("write it in full; nats-roll servers lists what is there", "%w", err)
		}
		if !seen[v] {
			out = append(out, v)
		}
		seen[v] = true
	}
	return out, nil
}

// reason is what is wrong, without the version that the line has named.
func reason(err error) string {
	if e, ok := errors.AsType[*release.Error](err); ok {
		return e.Reason
	}
	return oneLine(err.Error())
}

// failures gathers what did not work for some of several versions.
type failures struct {
	versions []cluster.Version
	errs     []error
	hint     string // what helps all of them together, before the versions
}

func (f *failures) add(v cluster.Version, err error) {
	f.versions = append(f.versions, v)
	f.errs = append(f.errs, err)
}

// err is the only failure itself, or one line that names them all. done is what
// was to become of the versions.
func (f *failures) err(done string, of int) error {
	if len(f.errs) == 0 {
		return nil
	}
	first := coded(f.errs[0])
	if len(f.errs) == 1 {
		return first
	}
	var parts []string
	code, hint := exitUsage, f.hint
	for i, err := range f.errs {
		parts = append(parts, fmt.Sprintf("%s: %s", f.versions[i], reason(err)))
		hint += " " + string(f.versions[i])
		code = max(code, coded(err).code)
	}
	if f.hint == "" {
		hint = first.hint
	}
	return &codedError{code: code, err: fmt.Errorf("%d of %d versions are not %s: %s", len(f.errs), of, done, strings.Join(parts, "; ")), hint: hint}
}

// coded gives an error about a build its exit code and its hint. Hints that name
// a file to use instead are for commands that take one.
func coded(err error) *codedError {
	if c, ok := errors.AsType[*codedError](err); ok {
		return c
	}
	c := &codedError{code: exitEnvironment, err: err}
	if errors.Is(err, release.ErrSelector) {
		c.code = exitUsage
	}
	if e, ok := errors.AsType[*release.Error](err); ok {
		c.hint = e.Advice("nats-roll run --from")
	}
	return c
}
