package rehearsal

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

func TestLoadFoldsALogToItsEnd(t *testing.T) {
	var b strings.Builder
	j := NewJournal(&b, Header{Tool: "1.2.3", Host: Host{OS: "linux", Arch: "amd64", Cores: 2}})
	l := New(j.Watch)
	l.Emit(planned(t))
	l.Emit(cluster.StopAsked{Node: "A", PID: 7, Stop: cluster.StopLameDuck})
	l.Emit(upgrade.Finished{Outcome: upgrade.OutcomeVerified})
	l.Close()
	h, s, err := Load(strings.NewReader(b.String()))
	if err != nil || h.Host.Cores != 2 || s.Plan.Outcome != upgrade.OutcomeVerified || len(s.Marks) != 1 || s.Marks[0].Stop != cluster.StopLameDuck {
		t.Errorf("%+v, %+v, %v", h, s, err)
	}
	cut, _, _ := strings.Cut(b.String(), `,"kind":"finished"`)
	if _, s, err := Load(strings.NewReader(cut)); err != nil || s.Plan.Outcome != "" || len(s.World.Servers) != 3 {
		t.Errorf("cut off: %+v, %v", s, err)
	}
	broken := errors.New("the disk is gone")
	if _, _, err := Load(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("unreadable: %v", err)
	}
}
