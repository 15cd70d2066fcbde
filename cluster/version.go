package cluster

import (
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/mod/semver"
)

// Version is a nats-server version without the leading v, as servers report it
// in /varz: "2.15.2". The empty Version means not known.
type Version string

// ParseVersion accepts "2.14.9" and "v2.14.9", with a suffix such as "-RC.2".
func ParseVersion(s string) (Version, error) {
	v := "v" + strings.TrimPrefix(strings.TrimSpace(s), "v")
	if !semver.IsValid(v) || strings.Count(semver.Canonical(v), ".") < 2 || semver.Canonical(v) != strings.SplitN(v, "+", 2)[0] {
		return "", fmt.Errorf("%q is not a version such as 2.14.9", s)
	}
	return Version(strings.TrimPrefix(v, "v")), nil
}

// Compare orders versions by semantic versioning: -1, 0 or 1.
func (v Version) Compare(w Version) int { return semver.Compare("v"+string(v), "v"+string(w)) }

// Minor is the release line, such as "2.15".
func (v Version) Minor() string { return strings.TrimPrefix(semver.MajorMinor("v"+string(v)), "v") }

// Tag is the version as the nats-server repository and Go modules write it.
func (v Version) Tag() string { return "v" + string(v) }

var banner = regexp.MustCompile(`nats-server:?\s+v?(\d+\.\d+\.\d+\S*)`)

// VersionOfBanner reads what `nats-server --version` prints:
// "nats-server: v2.15.2".
func VersionOfBanner(out string) (Version, error) {
	m := banner.FindStringSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("no nats-server version in %.60q", strings.TrimSpace(out))
	}
	return ParseVersion(m[1])
}

// Build is one nats-server binary: what it is, and where it came from.
// Its identity is what it printed for --version and the file's SHA-256, never
// the file's name.
type Build struct {
	Version Version `json:"version"`
	SHA256  string  `json:"sha256,omitempty"` // lower-case hex
	Size    int64   `json:"size,omitempty"`   // bytes
	Source  string  `json:"source,omitempty"` // embedded, path, module, …
	Path    string  `json:"path,omitempty"`   // the file to copy into a slot
}

// Zero says that there is no build.
func (b Build) Zero() bool { return b == Build{} }

// ByName says that the file is a nats-server only when it is called so: it is the
// program that has the server inside.
func (b Build) ByName() bool { return b.Source == "embedded" }

// Same says that both are the same file's content.
func (b Build) Same(o Build) bool { return b.SHA256 != "" && b.SHA256 == o.SHA256 }

// String names the build for people: "2.15.2".
func (b Build) String() string {
	switch {
	case b.Zero():
		return "none"
	case b.Version == "":
		return "unknown"
	}
	return string(b.Version)
}
