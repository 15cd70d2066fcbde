package release

// SourcesOf are the sources that a Resolver with these options asks, in its order.
func SourcesOf(o Options) []Source { return New(o).sources }

// Unpack takes the program out of a release's archive.
var Unpack = unpack
