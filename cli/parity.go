package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"nats-roll/parity"
)

// parityCommand compares the configuration files of servers.
func (a *app) parityCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "parity FILE FILE...",
		Short: "Compare the configuration files of a cluster's servers",
		Long: `Compares the configuration files of the servers of one cluster, before one of
them joins: what must be the same on all of them (users, accounts, permissions,
the cluster's name, the JetStream domain, the certificate authority), and what
must not be (server names, ports, folders). It says what differs, never a
password. What servers are told on their command line it does not see.

The exit code is 1 if there is a clash: something that has clients refused, lets
them do what they must not, or keeps a server from joining.`,
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
				files = append(files, parity.Read(name))
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
				return fmt.Errorf("the configurations clash in %d settings", clashes)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
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
