package cli

import (
	"maps"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"nats-roll/cluster"
)

func TestBuildsOfSingleServers(t *testing.T) {
	for name, tt := range map[string]struct {
		args          string
		from, to, own string // own is node=word of both sides
		optional      string
		wrong         string
	}{
		"nothing":                {from: "2.15.1", to: "embedded", optional: "from"},
		"one server":             {args: "--to A=./x", from: "2.15.1", to: "embedded", own: "to A=./x", optional: "from"},
		"one, and the others":    {args: "--to 2.14.9 --to b=./x=y", from: "2.15.1", to: "2.14.9", own: "to B=./x=y", optional: "from"},
		"the temporary one":      {args: "--to C=2.14.9", from: "2.15.1", to: "embedded", own: "to C=2.14.9", optional: "from"},
		"every one":              {args: "--to A=2.14.9 --to B=2.14.8", from: "2.15.1", to: "2.14.8", own: "to A=2.14.9 to B=2.14.8", optional: "from"},
		"every one, and others":  {args: "--to A=2.14.9 --to B=2.14.8 --to 2.15.0", from: "2.15.1", to: "2.15.0", own: "to A=2.14.9 to B=2.14.8", optional: "from"},
		"where each began":       {args: "--from A=2.14.9 --from B=2.14.8", from: "2.14.8", to: "embedded", own: "from A=2.14.9 from B=2.14.8"},
		"said again":             {args: "--to 2.14.9 --to A=2.14.8 --to A=2.14.7 --to 2.14.6", from: "2.15.1", to: "2.14.6", own: "to A=2.14.7", optional: "from"},
		"down":                   {args: "--chapter downgrade --to A=2.14.9", from: "embedded", to: "2.15.1", own: "to A=2.14.9", optional: "to"},
		"words":                  {args: "--from A=previous --to A=2.14 --to latest --offline=false", from: "2.15.1", to: "2.15.2", own: "from A=2.14.8 to A=2.14.9", optional: "from"},
		"no such server":         {args: "--to D=./x", wrong: "--to D=./x: there is no server D"},
		"no server beside two":   {args: "--no-spare --to C=./x", wrong: "--to C=./x: there is no server C"},
		"the temporary one's to": {args: "--from C=./x", wrong: "--from C=./x: C is temporary"},
		"nothing named":          {args: "--to A=", wrong: "no build is named"},
		"nonsense":               {args: "--to A=x", wrong: `"x" is neither a version nor a file`},
	} {
		t.Run(name, func(t *testing.T) {
			var got rehearse
			var s settings
			flags := pflag.NewFlagSet("run", pflag.ContinueOnError)
			s.register(flags)
			err := flags.Parse(strings.Fields(tt.args))
			if err == nil {
				if got, err = s.check(); err == nil {
					c := s.choice()
					c.stored = func() ([]cluster.Version, error) { return nil, nil }
					err = c.sides(t.Context(), &got.from.Side, &got.to.Side)
				}
			}
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			words := strings.Fields(tt.own)
			for i := 0; i < len(words); i += 2 {
				node, word, _ := strings.Cut(words[i+1], "=")
				want[words[i]+" "+node] = word
			}
			own := map[string]string{}
			for n, w := range got.from.Own {
				own["from "+n] = w
			}
			for n, w := range got.to.Own {
				own["to "+n] = w
			}
			if got.from.Want != tt.from || got.to.Want != tt.to || got.optional() != tt.optional || !maps.Equal(own, want) {
				t.Errorf("%q to %q, own %v, optional %q", got.from.Want, got.to.Want, own, got.optional())
			}
		})
	}
}
