package proc

import (
	"net"
	"testing"
)

// listen takes a port for the test.
func listen(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

func TestCheckPorts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := CheckPorts("127.0.0.1", port); err == nil {
		t.Error("a taken port is free")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := CheckPorts("127.0.0.1", port); err != nil {
		t.Errorf("a free port is not: %v", err)
	}
}
