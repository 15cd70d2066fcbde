// Package advice owns what is known about the step between two nats-server
// versions: which releases exist and which still get patches, what must not be
// rolled, what is lost on the way down, and where each sentence comes from.
//
// The knowledge is data, versions.json, in which every rule says for which
// pairs it holds and what a cluster must have for it to matter. This package
// only applies the rules: it asks nobody, changes nothing, and gives the same
// answer every time. How advice is printed belongs to report and tui, whether a
// rehearsal goes on in spite of it to cli, and where builds come from to
// release.
package advice

// Fact is a sentence and where it comes from: addresses, or what was reproduced
// with real servers.
type Fact struct {
	Text    string   `json:"text,omitempty"`
	Sources []string `json:"sources,omitempty"`
}
