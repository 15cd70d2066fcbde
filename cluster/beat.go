package cluster

import "time"

// Beat is how long it is from now until the next time that divides evenly by
// every, a second say, or until the one after it if that is very near. Whoever
// looks at something now and then while nothing happens looks at a beat, so that
// all of them together wake the program, and redraw the screen, once.
func Beat(now time.Time, every time.Duration) time.Duration {
	wait := now.Truncate(every).Add(every).Sub(now)
	if wait < every/10 {
		wait += every
	}
	return wait
}
