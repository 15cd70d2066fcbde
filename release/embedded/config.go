package embedded

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// Unknown asks the server's own reader for the fields of a configuration file that it
// does not know, each with its line: "max_conections, line 2". With one it does not
// start. What else is wrong with the file, nats-server -t says. What fields are set to
// is not told.
func Unknown(file string) []string {
	err := (&server.Options{CheckConfig: true}).ProcessConfigFile(file)
	if err == nil {
		return nil
	}
	var out []string
	for line := range strings.Lines(err.Error()) {
		if m := unknown.FindStringSubmatch(line); m != nil {
			out = append(out, fmt.Sprintf("%s, line %s", m[2], m[1]))
		}
	}
	return out
}

// unknown is the server's complaint. (nats-server server/errors.go,
// unknownConfigFieldErr)
var unknown = regexp.MustCompile(`:(\d+):\d+: unknown field "([A-Za-z_-]+)"`)
