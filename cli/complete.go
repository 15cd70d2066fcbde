package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"nats-roll/advice"
	"nats-roll/release"
)

// selectors are the words and versions that the shell offers for a version: the
// words first, then the release lines and the releases, the newest first.
func selectors() []string {
	out := []string{wordEmbedded, wordLatest, wordPrevious}
	releases := advice.Releases()
	slices.Reverse(releases)
	for _, r := range releases {
		if !slices.Contains(out, r.Version.Minor()) {
			out = append(out, r.Version.Minor())
		}
	}
	for _, r := range releases {
		out = append(out, string(r.Version))
	}
	return out
}

// completeSelectors offers versions and words for up to so many arguments.
func completeSelectors(most int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return selectors(), cobra.ShellCompDirectiveDefault
	}
}

// completeFetchable offers what can be fetched and is not named yet.
func completeFetchable(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	words := slices.DeleteFunc(selectors(), func(w string) bool { return w == wordEmbedded || slices.Contains(args, w) })
	return words, cobra.ShellCompDirectiveNoFileComp
}

// completeStored offers what lies in the store and is not named yet.
func completeStored(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	stored, err := release.NewStore(release.DefaultDir()).Versions()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for _, v := range slices.Backward(stored) {
		if !slices.Contains(args, string(v)) {
			out = append(out, string(v))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
