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

// selector is what a user asked for. Words that stand for a version, such as
// 2.14 and latest, are expanded before they come here: what they mean depends on
// which releases are known.
type selector struct {
	kind    selectorKind
	version cluster.Version
	file    string
}

// Valid says what is wrong with a selector as such, before anything is looked
// for. Its error is ErrSelector.
func Valid(selector string) error {
	_, err := parseSelector(selector)
	return err
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
			Hint: "write a version such as 2.14.9 or 2.14, latest, previous, embedded, or a file such as ./nats-server",
		}
	}
	return selector{version: v}, nil
}
