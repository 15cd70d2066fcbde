package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"nats-roll/cluster"
	"nats-roll/release"
	"nats-roll/release/embedded"
	"nats-roll/upgrade"
)

// fetchers is how many versions are fetched at once.
const fetchers = 3

// fetchSources are the sources that bring something into the store.
var fetchSources = []string{"release", "module"}

func (a *app) fetchCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "fetch VERSION…",
		Short: "Fetch versions into the store, so that they are at hand offline",
		Long: `Fetch versions into the store, so that they are at hand offline: 2.14.9, 2.14
for the newest patch known, latest, or previous for the release before the
embedded one. What is in the store already is hashed again and left as it is.`,
		Args:              someVersions("nats-roll servers fetch 2.14.9"),
		ValidArgsFunction: completeFetchable,
		RunE: func(cmd *cobra.Command, args []string) error {
			if s.source != "auto" && !slices.Contains(fetchSources, s.source) {
				return usagef("use --source "+strings.Join(fetchSources, " or --source "), "nothing is fetched from the source %q", s.source)
			}
			versions, err := s.fetchable(args)
			if err != nil {
				return err
			}
			return a.fetchServers(cmd.Context(), s, versions)
		},
	}
	cmd.Flags().StringVar(&s.source, "source", "auto", "where versions come from: auto, or only "+strings.Join(fetchSources, ", "))
	cmd.Flags().StringVar(&s.mirror, "mirror", "", "a mirror of nats-server's releases (default: $"+mirrorVariable+", or GitHub)")
	cmd.Flags().BoolVar(&s.offline, "offline", false, "fetch nothing; say whether it is in the store")
	_ = cmd.RegisterFlagCompletionFunc("source", cobra.FixedCompletions(append([]string{"auto"}, fetchSources...), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// fetchable expands what is to be fetched, each version once.
func (s *settings) fetchable(args []string) ([]cluster.Version, error) {
	c := s.choice()
	c.fresh = true
	var out []cluster.Version
	for _, arg := range args {
		word, err := c.one("from", arg, func() (cluster.Version, error) { return embedded.Version, nil })
		if err != nil {
			return nil, err
		}
		v, err := cluster.ParseVersion(word)
		if err != nil {
			return nil, usagef("write a version such as 2.14.9, 2.14 or latest", "%q is nothing to fetch", arg)
		}
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out, nil
}

// fetchServers fetches several versions at once. One that fails does not keep
// the others from coming.
func (a *app) fetchServers(ctx context.Context, s settings, versions []cluster.Version) error {
	r := s.resolver()
	entries, err := release.NewStore(release.DefaultDir()).List()
	if err != nil {
		return environment(err, "set XDG_CACHE_HOME to a directory that you can read")
	}
	errs := make([]error, len(versions))
	var all errgroup.Group
	all.SetLimit(fetchers)
	for i, v := range versions {
		p := a.progress(v)
		if v == embedded.Version && s.source == "auto" {
			p.line("at hand already: it is linked into this program")
			continue
		}
		all.Go(func() error {
			var b cluster.Build
			if b, errs[i] = r.Fetch(ctx, v, p.say); errs[i] != nil {
				if ctx.Err() == nil {
					p.line("failed: " + reason(errs[i]))
				}
				return nil
			}
			how := "fetched from"
			if slices.ContainsFunc(entries, func(e release.Entry) bool { return e.Build == b }) {
				how = "in the store already, from"
			}
			p.line(fmt.Sprintf("%s %s, sha256 %s", how, b.Source, upgrade.Short(b.SHA256)))
			return nil
		})
	}
	_ = all.Wait() // the errors are in errs
	if err := context.Cause(ctx); err != nil {
		return err
	}
	var failed failures
	for i, err := range errs {
		if err != nil {
			failed.add(versions[i], err)
		}
	}
	return failed.err("fetched", len(versions))
}

// progressPause is the time between two lines of the same kind about one
// version.
const progressPause = time.Second

// progress writes what happens to one version as plain lines that begin with it.
type progress struct {
	app     *app
	version cluster.Version
	last    string // the first word of the last line
	told    time.Time
}

func (a *app) progress(v cluster.Version) *progress { return &progress{app: a, version: v} }

// say is a release.Progress. A download is told of once a second.
func (p *progress) say(detail string) {
	kind, _, _ := strings.Cut(detail, " ")
	if now := time.Now(); kind != p.last || now.Sub(p.told) >= progressPause {
		p.last, p.told = kind, now
		p.line(detail)
	}
}

func (p *progress) line(s string) {
	p.app.lines.Lock()
	defer p.app.lines.Unlock()
	fmt.Fprintf(p.app.Out, "%s  %s\n", p.version, oneLine(s))
}
