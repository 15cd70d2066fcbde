package cli

import (
	"errors"
	"maps"
	"regexp"
	"strings"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
)

// side is the value of --from and --to: a build for every server, and others for
// single servers, each said with a flag of its own.
type side struct {
	rehearsal.Side
	given bool // Want was said
}

// ownWord gives one server a build: A=./nats-server.
var ownWord = regexp.MustCompile(`^([A-Za-z])=(.*)$`)

// Set takes one word. What is said again counts.
func (s *side) Set(word string) error {
	m := ownWord.FindStringSubmatch(word)
	switch {
	case m == nil:
		s.Want, s.given = word, true
		return nil
	case m[2] == "":
		return errors.New("no build is named, as in A=./nats-server")
	}
	own := maps.Clone(s.Own)
	if own == nil {
		own = map[string]string{}
	}
	own[strings.ToUpper(m[1])] = m[2]
	s.Own = own
	return nil
}

// assume is what everybody has if nobody says otherwise.
func (s *side) assume(word string) {
	if !s.given {
		s.Want = word
	}
}

// alone has what everybody has be what the last one has, where each of them has
// its own: what nobody runs need not be had.
func (s *side) alone(permanent []cluster.Node) {
	last := ""
	for _, n := range permanent {
		if last = s.Own[n.Name]; last == "" {
			return
		}
	}
	if !s.given {
		s.Want, s.given = last, true
	}
}

func (s *side) String() string { return s.Want }

// Type is what help calls the value.
func (s *side) Type() string { return "build" }
