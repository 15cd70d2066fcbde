package release

import (
	"fmt"
	"path/filepath"
	"strings"

	"nats-roll/cluster"
)

type selectorKind int

const (
	selectVersion selectorKind = iota
	selectEmbedded
	selectFile
	selectPath
)

// selector is what a user asked for.
type selector struct {
	kind    selectorKind
	version cluster.Version
	file    string
}

// parseSelector reads a selector. A bare word is never taken for a file: a typing
// error in a version must not turn into a search on disk.
func parseSelector(s string) (selector, error) {
	if file, ok := strings.CutPrefix(s, "path:"); ok && file != "" {
		return selector{kind: selectFile, file: file}, nil
	}
	switch {
	case s == "embedded":
		return selector{kind: selectEmbedded}, nil
	case strings.EqualFold(s, "path"):
		return selector{kind: selectPath}, nil
	case filepath.IsAbs(s), strings.ContainsAny(s, `/\`), s == ".", s == "..":
		return selector{kind: selectFile, file: s}, nil
	}
	v, err := cluster.ParseVersion(s)
	if err != nil {
		return selector{}, &Error{
			Reason: fmt.Sprintf("%q is neither a version nor a file", s), Err: ErrSelector,
			Hint: "write a version such as 2.14.9, embedded, or a file such as ./nats-server",
		}
	}
	return selector{version: v}, nil
}
