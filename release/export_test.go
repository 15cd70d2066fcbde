package release

// SourcesOf are the sources that a Resolver with these options asks, in its order.
func SourcesOf(o Options) []Source { return New(o).sources }
