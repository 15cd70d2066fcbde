package release

import (
	"errors"
	"strings"
	"testing"
)

// What go commands really said, where a test cannot bring them to it.
func TestExplain(t *testing.T) {
	const at = "go: github.com/nats-io/nats-server/v2@v2.15.1: "
	for name, tc := range map[string]struct {
		said string
		kind error
		line string
	}{
		"checksum": {
			"verifying github.com/nats-io/nats-server/v2@v2.15.1: checksum mismatch\n\tdownloaded: h1:a=\n\tsum.golang.org: h1:b=\n\nSECURITY ERROR\n",
			ErrChecksum, "the checksum does not match",
		},
		"proxy says 404": {
			at + "reading https://proxy.example/github.com/nats-io/nats-server/v2/@v/v2.77.1.info: 404 Not Found\n\tserver response: not found",
			ErrUnknownVersion, "no such version",
		},
		"direct": {at + "invalid version: unknown revision v2.77.1", ErrUnknownVersion, "no such version"},
		"no name": {
			at + `Get "https://proxy.example/x.info": dial tcp: lookup proxy.example on 192.0.2.1:53: no such host`,
			ErrNetwork, "the module proxy cannot be used: dial tcp: lookup proxy.example on 192.0.2.1:53: no such host",
		},
		"certificate": {
			at + `Get "https://proxy.example/x.info": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
			ErrNetwork, "certificate signed by unknown authority",
		},
		"old go": {
			at + "github.com/nats-io/nats-server/v2@v2.15.1 requires go >= 1.26.0 (running go 1.24.1; GOTOOLCHAIN=local)",
			ErrOldToolchain, "requires go >= 1.26.0",
		},
		"no such toolchain": {
			"go: downloading go1.26.10 (linux/amd64)\ngo: download go1.26.10 for linux/amd64: toolchain not available",
			ErrOldToolchain, "toolchain not available",
		},
		"before toolchains": {at + "go.mod:3: invalid go version '1.26.0': must match format 1.23", ErrOldToolchain, "invalid go version"},
		"disk":              {"write /tmp/x: no space left on device", ErrBuild, "it does not compile: /tmp/x: no space left on device"},
		"compiler":          {"# nats\nserver/a.go:3:1: undefined: x\n\x1b[1mserver/b.go:4:1: y\n", ErrBuild, "undefined: x;"},
		"nothing":           {"", ErrBuild, "go install: exit status 1"},
	} {
		t.Run(name, func(t *testing.T) {
			err := explain(strings.Split(tc.said, "\n"), errors.New("exit status 1"))
			e, ok := errors.AsType[*Error](err)
			if !ok || !errors.Is(err, tc.kind) || !strings.Contains(e.Reason, tc.line) || e.Hint == "" || strings.ContainsAny(e.Reason, "\n\x1b") {
				t.Errorf("explained as %#v", err)
			}
		})
	}
}

func TestCleanFlags(t *testing.T) {
	for in, want := range map[string]string{
		"":                                 "-buildvcs=false",
		"-mod=vendor -modfile=x.mod -o=y":  "-buildvcs=false",
		"-p=1 --mod=mod -trimpath -json":   "-buildvcs=false -p=1 -trimpath",
		"'-ldflags=-s -w' '-mod=readonly'": "-buildvcs=false '-ldflags=-s -w'",
		"-modcacherw -buildvcs=true":       "-buildvcs=false -modcacherw",
	} {
		if got := cleanFlags(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
