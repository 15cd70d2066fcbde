package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Builds is one side of a rehearsal: a build for every server, and others for
// those servers that have one of their own.
type Builds struct {
	Build                  // of every server that is not in Own
	Own   map[string]Build `json:"own,omitempty"` // by node
}

// Of is the build of a node.
func (b Builds) Of(node string) Build {
	if own, ok := b.Own[node]; ok {
		return own
	}
	return b.Build
}

// Same says that every server has the same file's content on both sides.
func (b Builds) Same(o Builds) bool {
	for _, side := range []Builds{b, o} {
		for node := range side.Own {
			if !b.Of(node).Same(o.Of(node)) {
				return false
			}
		}
	}
	return b.Build.Same(o.Build)
}

// String names the builds for people: "2.15.2 (A 2.14.9)".
func (b Builds) String() string {
	var own []string
	for _, g := range Alike(b.Own) {
		name := g.Of.String()
		if g.Of.Version == b.Version { // two builds of one version
			name = "another " + name
		}
		own = append(own, strings.Join(g.Nodes, " and ")+" "+name)
	}
	if own == nil {
		return b.Build.String()
	}
	return fmt.Sprintf("%s (%s)", b.Build, strings.Join(own, ", "))
}

// Group is nodes for which something is the same.
type Group[T any] struct {
	Nodes []string // in order
	Of    T
}

// Alike groups nodes by what they have, in the order of their names.
func Alike[T comparable](of map[string]T) []Group[T] {
	var out []Group[T]
	for _, node := range slices.Sorted(maps.Keys(of)) {
		i := slices.IndexFunc(out, func(g Group[T]) bool { return g.Of == of[node] })
		if i < 0 {
			i = len(out)
			out = append(out, Group[T]{Of: of[node]})
		}
		out[i].Nodes = append(out[i].Nodes, node)
	}
	return out
}
