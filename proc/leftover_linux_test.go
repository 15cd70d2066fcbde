package proc

import "testing"

// The kernel ends a server whose program was killed, so that not even a
// kill -9 leaves one behind; the folder is found.
func TestNoServerOutlivesAKilledProgram(t *testing.T) {
	root := t.TempDir()
	cmd, server := spawn(t, root)
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	waitGone(t, server)
	found := leftovers(t, root)
	if len(found) != 1 || found[0].Kept || len(found[0].Processes) != 0 {
		t.Fatalf("found %+v", found)
	}
	must(t, found[0].End(t.Context()))
}
