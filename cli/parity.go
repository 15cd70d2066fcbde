package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"nats-roll/parity"
	"nats-roll/release/embedded"
)

// parityCommand compares the configuration files of servers.
func (a *app) parityCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "parity FILE FILE...",
		Short: "Compare the configuration files of a cluster's servers",
		Long: `Compares the configuration files of the servers of one cluster, before one of
them joins: what must be the same on all of them (users, accounts, permissions,
the cluster's name, the JetStream domain, the certificates that are trusted),
and what must not be (server names, ports, folders). It says what differs, never
a password. What servers are told on their command line it does not see.

The exit code is 1 if there is a clash: something that has clients refused, lets
them do what they must not, or keeps a server from joining. Fields that the
nats-server inside nats-roll does not know are doubtful: another version may.`,
		Example: "  nats-roll parity A.conf B.conf C.conf",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("use nats-roll parity A.conf B.conf", "a comparison needs two files at least")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			var files []parity.File
			for _, name := range args {
				f, err := configuration(name)
				if err != nil {
					return usagef("give files that nats-server -c takes", "%s: %w", name, err)
				}
				files = append(files, f)
			}
			found := parity.Compare(files...)
			if asJSON {
				enc := json.NewEncoder(a.Out)
				enc.SetIndent("", " ")
				if err := enc.Encode(append([]parity.Finding{}, found...)); err != nil {
					return err
				}
			} else {
				a.tellParity(found)
			}
			clashes := 0
			for _, f := range found {
				if f.Severity == parity.Clash {
					clashes++
				}
			}
			if clashes > 0 {
				return fmt.Errorf("the configurations clash in %s", settingsOf(clashes))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func settingsOf(n int) string {
	if n == 1 {
		return "one setting"
	}
	return fmt.Sprintf("%d settings", n)
}

// largest is more than any configuration has, in bytes.
const largest = 16 << 20

// configuration reads one; a pipe, which may never say anything, is not opened.
func configuration(name string) (parity.File, error) {
	st, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return parity.File{}, errors.New("no such file")
	case err != nil:
		return parity.File{}, err
	case st.IsDir():
		return parity.File{}, errors.New("is a directory")
	case !st.Mode().IsRegular():
		return parity.File{}, errors.New("is not a regular file")
	case st.Size() > largest:
		return parity.File{}, fmt.Errorf("has %d MB, too much for a configuration", st.Size()>>20)
	}
	f := parity.Read(name)
	if f.Unread {
		return f, errors.New(f.Problem)
	}
	f.Unknown, f.By = embedded.Unknown(name), string(embedded.Version)
	return f, nil
}

func (a *app) tellParity(found []parity.Finding) {
	if len(found) == 0 {
		fmt.Fprintln(a.Out, parity.Words(nil))
		return
	}
	for _, f := range found {
		fmt.Fprintf(a.Out, "%-9s %s\n", f.Severity, f)
		if f.Why != "" {
			fmt.Fprintf(a.Out, "          %s\n", f.Why)
		}
		fmt.Fprintf(a.Out, "          %s\n", f.Source)
	}
}
