package cluster_test

import (
	"encoding/json"
	"testing"

	"nats-roll/cluster"
)

var (
	older = cluster.Build{Version: "2.15.1", SHA256: "01"}
	newer = cluster.Build{Version: "2.15.2", SHA256: "02"}
	mine  = cluster.Build{Version: "2.15.2", SHA256: "03"}
)

func TestBuildsOfEveryNode(t *testing.T) {
	b := cluster.Builds{Build: newer, Own: map[string]cluster.Build{"A": older, "D": older, "B": mine}}
	if b.Of("A") != older || b.Of("B") != mine || b.Of("C") != newer {
		t.Errorf("A %v, B %v, C %v", b.Of("A"), b.Of("B"), b.Of("C"))
	}
	if got := b.String(); got != "2.15.2 (A and D 2.15.1, B another 2.15.2)" {
		t.Error(got)
	}
}

func TestBuildsAreTheSameWhereEveryServerKeepsItsFile(t *testing.T) {
	own := func(node string, b cluster.Build) cluster.Builds {
		return cluster.Builds{Build: newer, Own: map[string]cluster.Build{node: b}}
	}
	for _, tc := range []struct {
		from, to cluster.Builds
		same     bool
	}{
		{cluster.Builds{Build: newer}, cluster.Builds{Build: newer}, true},
		{cluster.Builds{Build: older}, cluster.Builds{Build: newer}, false},
		{own("A", older), own("A", older), true},
		{own("A", older), cluster.Builds{Build: newer}, false},
		{cluster.Builds{Build: newer}, own("A", mine), false},
	} {
		if got := tc.from.Same(tc.to); got != tc.same {
			t.Errorf("%v and %v: %v", tc.from, tc.to, got)
		}
	}
}

// A side without own builds reads as a build, as it did before there were any.
func TestBuildsInJSON(t *testing.T) {
	raw, err := json.Marshal(cluster.Builds{Build: newer})
	if err != nil || string(raw) != `{"version":"2.15.2","sha256":"02"}` {
		t.Errorf("%s, %v", raw, err)
	}
	var b cluster.Builds
	if err := json.Unmarshal([]byte(`{"version":"2.15.2","own":{"A":{"version":"2.15.1"}}}`), &b); err != nil || b.Of("A").Version != "2.15.1" || b.Version != "2.15.2" {
		t.Errorf("%+v, %v", b, err)
	}
}
