package releasetest_test

import (
	"testing"

	"nats-roll/release/embedded"
	"nats-roll/release/releasetest"
)

func TestMain(m *testing.M) { releasetest.Main(m) }

// A real version, installed through the module proxy that the user has set up.
func TestOlderIsARealBuild(t *testing.T) {
	older, newer := releasetest.Build(t, releasetest.Older), releasetest.Embedded(t)
	t.Logf("%+v", older)
	if older.Version != releasetest.Older || older.Version.Compare(newer.Version) >= 0 || older.Same(newer) || older.SHA256 == "" {
		t.Errorf("older is %+v, embedded is %+v", older, newer)
	}
	if newer.Version != embedded.Version || newer.Source != "embedded" {
		t.Errorf("embedded is %+v", newer)
	}
	if again := releasetest.Build(t, releasetest.Older); again != older {
		t.Errorf("asked again: %+v, want %+v", again, older)
	}
}
