//go:build chain

package local_test

import (
	"testing"
	"time"

	"nats-roll/cluster"
)

// In every chapter that a fake cannot walk, what a step does is what makes its checks
// true.
//
//	go test -tags chain -run ChainStepsDoSomething -v -timeout 20m ./local
func TestChainStepsDoSomething(t *testing.T) {
	store := cluster.Workload{Subscribers: 6, Rate: 100, Timeout: time.Second, Stores: 1, StoreRate: 50, Consumers: 1, KV: 10}
	for _, tc := range []struct {
		chapter  string
		workload cluster.Workload
		looks    map[string]string
	}{
		{"seed", cluster.Workload{Subscribers: 20, Rate: 100}, nil},
		{"spread", cluster.Workload{Subscribers: 60, Rate: 100, Timeout: time.Second}, nil},
		{"parity", cluster.Workload{Subscribers: 4, Rate: 100}, nil},
		{"recommended", cluster.Workload{Subscribers: 8, Rate: 100}, nil},
		{"jetstream", store, nil},
	} {
		t.Run(tc.chapter, func(t *testing.T) {
			s := walked(t, tc.chapter, tc.workload, tc.looks)
			t.Logf("%d steps in %s", len(s.Plan.Steps), s.Plan.Ended.Sub(s.Plan.Began).Round(time.Second))
		})
	}
}
