package cluster

import (
	"strings"
	"testing"
)

func TestTopologyIsTheTutorials(t *testing.T) {
	top, err := NewTopology(2, true, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		name                   string
		client, route, monitor int
		permanent              bool
	}{
		{"A", 4222, 6222, 8222, true},
		{"B", 4333, 6333, 8333, true},
		{"C", 4444, 6444, 8444, false},
	}
	for i, w := range want {
		n := top.Nodes[i]
		if n.Name != w.name || n.ClientPort != w.client || n.RoutePort != w.route || n.MonitorPort != w.monitor || n.Permanent != w.permanent {
			t.Errorf("got %+v, want %+v", n, w)
		}
	}
	c, _ := top.Spare()
	if got, want := top.Command(c), "nats-server -D -n C -a localhost -p 4444 -m 8444 --cluster_name roll -cluster nats://localhost:6444 -routes nats://localhost:6222,nats://localhost:6333"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTopologyBounds(t *testing.T) {
	for _, tc := range []struct {
		permanent, offset int
		want              string
	}{
		{1, 0, "need 2 to 9"},
		{10, 0, "need 2 to 9"},
		{2, 60000, "out of range"},
		{2, -4222, "out of range"},
		{9, 0, ""},
		{2, 1000, ""},
	} {
		_, err := NewTopology(tc.permanent, true, tc.offset)
		if (err == nil) != (tc.want == "") || (err != nil && !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%d servers, offset %d: %v, want %q", tc.permanent, tc.offset, err, tc.want)
		}
	}
}

func TestNoTwoPortsOfACLusterAreEqual(t *testing.T) {
	top, _ := NewTopology(MaxPermanent, true, 0)
	seen := map[int]string{}
	for _, n := range top.Nodes {
		for _, p := range []int{n.ClientPort, n.RoutePort, n.MonitorPort} {
			if other, ok := seen[p]; ok {
				t.Errorf("%s and %s share port %d", other, n.Name, p)
			}
			seen[p] = n.Name
		}
	}
}

func TestParseVersion(t *testing.T) {
	for in, want := range map[string]Version{
		"2.14.9": "2.14.9", "v2.14.9": "2.14.9", "2.15.0-RC.2": "2.15.0-RC.2",
		"2.14": "", "latest": "", "": "", "2.14.9.1": "", "v": "",
	} {
		got, err := ParseVersion(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParseVersion(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	if Version("2.9.25").Compare("2.10.0") >= 0 {
		t.Error("2.9.25 is not before 2.10.0")
	}
	if got := Version("2.15.2").Minor(); got != "2.15" {
		t.Errorf("minor %q", got)
	}
}

func TestVersionOfBanner(t *testing.T) {
	for in, want := range map[string]Version{
		"nats-server: v2.15.2\n": "2.15.2",
		"nats-server: v2.8.4":    "2.8.4",
		"hello":                  "",
		"":                       "",
	} {
		if got, err := VersionOfBanner(in); got != want || (err == nil) != (want != "") {
			t.Errorf("VersionOfBanner(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}
