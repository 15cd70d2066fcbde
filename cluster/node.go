// Package cluster holds the nouns every other package speaks in: nodes and
// their topology, versions and builds, processes and how they ended, what a
// server answered, what the clients went through, and the events that carry
// these facts. It does no I/O and starts no goroutine; how a fact is come by
// belongs to proc, monitor, release and fleet, and what is done about it to
// upgrade.
package cluster

import (
	"fmt"
	"strconv"
	"strings"
)

// Bounds of the number of permanent servers a rehearsal may have.
const (
	MinPermanent = 2
	MaxPermanent = 9
)

// The tutorial's ports: A is 4222/6222, B 4333/6333, C 4444/6444; the
// monitoring port follows the same pattern.
const (
	firstClientPort  = 4222
	firstRoutePort   = 6222
	firstMonitorPort = 8222
	portStep         = 111
)

// Node is one place in the cluster: a letter, its ports, and whether it stays.
// Which server process runs there, if any, is a fact of its own (see Process).
type Node struct {
	Name        string `json:"name"`      // a letter, given to the server with -n
	Permanent   bool   `json:"permanent"` // false for the temporary server
	Host        string `json:"host"`
	ClientPort  int    `json:"client_port"`
	RoutePort   int    `json:"route_port"`
	MonitorPort int    `json:"monitor_port"`
}

// ClientURL is where clients connect.
func (n Node) ClientURL() string { return natsURL(n.Host, n.ClientPort) }

// RouteURL is where the other servers connect.
func (n Node) RouteURL() string { return natsURL(n.Host, n.RoutePort) }

// MonitorURL is the base of the server's HTTP monitoring endpoints.
func (n Node) MonitorURL() string { return fmt.Sprintf("http://%s:%d", n.Host, n.MonitorPort) }

func natsURL(host string, port int) string { return fmt.Sprintf("nats://%s:%d", host, port) }

// Topology is the cluster that a rehearsal builds.
type Topology struct {
	Cluster   string `json:"cluster"`             // the cluster's name, the same on every server
	JetStream bool   `json:"jetstream,omitempty"` // of the permanent servers; the temporary one never has it
	// Seeded: the first server is told of no other, and the others only of it.
	Seeded bool `json:"seeded,omitempty"`
	// Configured: every server reads ConfigFile, besides its command line.
	Configured bool   `json:"configured,omitempty"`
	Nodes      []Node `json:"nodes"` // permanent servers first
}

// NewTopology lays out permanent servers A, B, … and, with spare, the temporary
// one under the next letter. Every port is moved by offset.
func NewTopology(permanent int, spare bool, offset int) (Topology, error) {
	if permanent < MinPermanent || permanent > MaxPermanent {
		return Topology{}, fmt.Errorf("%d permanent servers: need %d to %d", permanent, MinPermanent, MaxPermanent)
	}
	count := permanent
	if spare {
		count++
	}
	if low, high := firstClientPort+offset, firstMonitorPort+(count-1)*portStep+offset; low < 1 || high > 65535 {
		return Topology{}, fmt.Errorf("port offset %d: ports %d to %d are out of range", offset, low, high)
	}
	t := Topology{Cluster: "roll"}
	for i := range count {
		t.Nodes = append(t.Nodes, Node{
			Name:        string(rune('A' + i)),
			Permanent:   i < permanent,
			Host:        "localhost",
			ClientPort:  firstClientPort + i*portStep + offset,
			RoutePort:   firstRoutePort + i*portStep + offset,
			MonitorPort: firstMonitorPort + i*portStep + offset,
		})
	}
	return t, nil
}

// Node finds a node by its letter.
func (t Topology) Node(name string) (Node, bool) {
	for _, n := range t.Nodes {
		if n.Name == name {
			return n, true
		}
	}
	return Node{}, false
}

// Permanent lists the nodes that are upgraded.
func (t Topology) Permanent() []Node {
	var out []Node
	for _, n := range t.Nodes {
		if n.Permanent {
			out = append(out, n)
		}
	}
	return out
}

// Spare is the temporary node, if there is one.
func (t Topology) Spare() (Node, bool) {
	for _, n := range t.Nodes {
		if !n.Permanent {
			return n, true
		}
	}
	return Node{}, false
}

// GivenURL is what a client is given that begins at a permanent server: that one,
// or all of them from there on.
func (t Topology) GivenURL(at int, b Behaviour) string {
	permanent := t.Permanent()
	urls := permanent[at].ClientURL()
	if b.All {
		for i := range permanent[1:] {
			urls += "," + permanent[(at+1+i)%len(permanent)].ClientURL()
		}
	}
	return urls
}

// NodeOfPort finds the node whose client port this is.
func (t Topology) NodeOfPort(port int) (Node, bool) {
	for _, n := range t.Nodes {
		if n.ClientPort == port {
			return n, true
		}
	}
	return Node{}, false
}

// Args is the nats-server command line of a node, without the program's name:
// the tutorial's flags, and what makes them work on one machine with current
// servers: -n (a name people can read), -a localhost (the text's line listens
// on every interface and gossips the machine's addresses), -m (monitoring), and
// --cluster_name (without one, servers generate names and reject each other's
// first route with "Cluster Name Conflict").
func (t Topology) Args(n Node) []string {
	args := []string{
		"-D", "-n", n.Name, "-a", n.Host,
		"-p", strconv.Itoa(n.ClientPort), "-m", strconv.Itoa(n.MonitorPort),
		"--cluster_name", t.Cluster, "-cluster", n.RouteURL(),
	}
	if routes := t.routes(n); len(routes) > 0 {
		args = append(args, "-routes", strings.Join(routes, ","))
	}
	if t.Configured {
		args = append(args, "-c", ConfigFile)
	}
	if t.JetStream && n.Permanent {
		args = append(args, "-js", "-sd", StoreDir)
	}
	return args
}

// routes is where a node's server looks for others.
func (t Topology) routes(n Node) []string {
	var out []string
	for i, p := range t.Permanent() {
		switch {
		case !t.Seeded:
			out = append(out, p.RouteURL())
		case i == 0 && p.Name != n.Name:
			return []string{p.RouteURL()}
		}
	}
	return out
}

// Files in the folder that a server is started in: where it keeps its streams, and
// what it is configured with.
const (
	StoreDir   = "jetstream"
	ConfigFile = "nats-server.conf"
	CutFile    = "nats-server.cut" // half a binary, made on purpose
)

// Who may ask servers for what the system account is needed for, where ConfigFile
// says so (see SystemAccount). It is for rehearsals on one machine.
const (
	SystemUser     = "admin"
	SystemPassword = "roll"
)

// SystemAccount is a configuration with a user of the system account. Clients that
// do not say who they are stay welcome, in the global account, as long as no other
// users are configured. (nats-server server/opts.go sysAccOnlyNoAuthUser)
const SystemAccount = `accounts {
  $SYS { users: [ { user: ` + SystemUser + `, password: ` + SystemPassword + ` } ] }
}
`

// Command is what a person would type to start the node.
func (t Topology) Command(n Node) string {
	return "nats-server " + strings.Join(t.Args(n), " ")
}
