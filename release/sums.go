package release

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"

	"nats-roll/cluster"
)

// sumsFile has a line "SHA256  NAME" for each file of a release. It has no
// signature: what it protects from is a damaged or swapped archive, not a
// changed release. (nats-server .goreleaser.yml; nats-io/nats-server#5325)
const sumsFile = "SHA256SUMS"

// parseSums reads the list as sha256sum writes it.
func parseSums(b []byte) (map[string]string, error) {
	sums := map[string]string{}
	for line := range strings.Lines(string(b)) {
		sum, name, ok := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		name = strings.TrimPrefix(strings.TrimPrefix(name, " "), "*")
		if raw, err := hex.DecodeString(sum); !ok || err != nil || len(raw) != 32 || name == "" {
			continue
		}
		if old, twice := sums[name]; twice && !strings.EqualFold(old, sum) {
			return nil, fail(ErrChecksum, "%s names %s twice, with two sums", sumsFile, clip(name))
		}
		sums[name] = strings.ToLower(sum)
	}
	if len(sums) == 0 {
		what := "has no line with a checksum"
		if looksLikePage(b) {
			what = "is a web page; this network may want you to log in first"
		}
		return nil, fail(ErrNetwork, "what came as %s %s", sumsFile, what)
	}
	return sums, nil
}

func looksLikePage(b []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(b), []byte("<")) }

// stem is the name of an archive without its ending, and of the folder in it.
func stem(tag, system, arch string) string {
	if arch == "arm" {
		arch = "arm7" // the releases have arm6 and arm7; Go does not tell which this is
	}
	return fmt.Sprintf("nats-server-%s-%s-%s", tag, system, arch)
}

// endings are those of the archives for a system, the likelier one first.
func endings(system string) []string {
	if system == "windows" {
		return []string{".zip", ".tar.gz"}
	}
	return []string{".tar.gz", ".zip"}
}

// pick finds the archive for a system by its exact name. Old releases have a
// .zip beside each .tar.gz, and Windows has only that. (nats-server
// .goreleaser.yml per tag)
func pick(sums map[string]string, v cluster.Version, system, arch string) (folder, archive, sum string, err error) {
	folder = stem(v.Tag(), system, arch)
	for _, e := range endings(system) {
		if sum, ok := sums[folder+e]; ok {
			return folder, folder + e, sum, nil
		}
	}
	for name := range sums {
		if strings.HasPrefix(name, "nats-server-"+v.Tag()+"-") {
			return "", "", "", &Error{
				Reason: fmt.Sprintf("the release has nothing for %s/%s: %s has no line %s.tar.gz", system, arch, sumsFile, folder),
				Hint:   "use --source module", Err: ErrUnknownVersion,
			}
		}
	}
	return "", "", "", fail(ErrChecksum, "%s is not that of %s: it has no line %s.tar.gz", sumsFile, v.Tag(), folder)
}
