package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"nats-roll/cluster"
)

// What the rehearsal keeps in JetStream. The subjects are not among those that
// the numbered messages have, so that its subscribers do not hear them.
const (
	streamName   = "ROLL"
	storing      = "rolljs." // and the publisher's number
	durable      = "roll-pull"
	bucketName   = "ROLL"
	bucketStream = "KV_" + bucketName
	key          = "count"
)

const (
	replicas   = 3
	retryPause = 20 * time.Millisecond // between two attempts
	ackWait    = 2 * time.Second       // after which the consumer hands a message out again
	batch      = 64                    // messages that are pulled at once
	answered   = 2 * time.Second       // within which servers answer what is asked once
)

// stored is the fleet's work on JetStream. Its goroutines are one for each
// client, and end with stop.
type stored struct {
	fleet      *Fleet
	watcher    *client
	publishers []*client
	consumers  []*client
	writer     *client
	reader     *client

	ctx    context.Context // until the last message is begun
	cancel context.CancelFunc
	tries  context.Context // and acknowledged
	giveUp context.CancelFunc
	read   context.Context // and consumed
	end    context.CancelFunc
	work   sync.WaitGroup
	drain  sync.WaitGroup
	kick   chan struct{}

	mu      sync.Mutex
	sums    cluster.Stored
	pulled  []ledger // of the consumer, by publisher
	asked   []uint64 // by publisher
	acked   []uint64 // by publisher: all up to this one
	written uint64   // the last value that was acknowledged
	shown   uint64   // the last value that the reader saw
	streams []cluster.Stream
	at      time.Time // when they were asked for
	filled  time.Time // when the samples were, before anything else begins
}

func (s *stored) init(f *Fleet) {
	w := f.o.Workload
	s.fleet = f
	s.kick = make(chan struct{}, 1)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.tries, s.giveUp = context.WithCancel(context.Background())
	s.read, s.end = context.WithCancel(context.Background())
	s.asked, s.acked, s.pulled = make([]uint64, w.Stores), make([]uint64, w.Stores), make([]ledger, w.Stores)
	if w.JetStream() {
		s.sums = cluster.Stored{Rate: w.Stores * w.StoreRate, Timeout: w.Timeout}
	}
}

func (s *stored) on() bool { return s.watcher != nil }

// prepare makes the stream, the bucket and the durable consumer, and tries until
// the servers have elected who does that.
func (s *stored) prepare(ctx context.Context) error {
	if !s.on() {
		return nil
	}
	js, err := jetstream.New(s.watcher.nc.Load())
	if err != nil {
		return err
	}
	n := min(replicas, len(s.fleet.o.Topology.Permanent()))
	for _, try := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"stream " + streamName, func(ctx context.Context) error {
			_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: streamName, Subjects: []string{storing + "*"}, Replicas: n})
			return err
		}},
		{"bucket " + bucketName, func(ctx context.Context) error {
			_, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: bucketName, Replicas: n})
			return err
		}},
		{"consumer " + durable, func(ctx context.Context) error {
			_, err := js.CreateConsumer(ctx, streamName, jetstream.ConsumerConfig{Durable: durable, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait})
			return err
		}},
	} {
		if err := persist(ctx, time.Second, try.do); err != nil {
			return fmt.Errorf("make the %s with %d replicas: %w", try.what, n, err)
		}
	}
	return s.sample(ctx, js)
}

// persist tries until it works or ctx ends, and then says why it did not.
func persist(ctx context.Context, each time.Duration, do func(context.Context) error) error {
	for {
		try, cancel := context.WithTimeout(ctx, each)
		err := do(try)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(10 * retryPause):
		}
	}
}

// start begins the work.
func (s *stored) start() error {
	if !s.on() {
		return nil
	}
	w := s.fleet.o.Workload
	for i, c := range s.publishers {
		js, err := jetstream.New(c.nc.Load())
		if err != nil {
			return err
		}
		if w.StoreRate > 0 {
			s.work.Go(func() { s.publish(js, c, i, time.Second/time.Duration(w.StoreRate)) })
		}
	}
	for _, c := range s.consumers {
		js, err := jetstream.New(c.nc.Load())
		if err != nil {
			return err
		}
		s.drain.Go(func() { s.pull(js, c) })
	}
	if s.writer != nil {
		if err := s.startKV(time.Second / time.Duration(w.KV)); err != nil {
			return err
		}
	}
	js, err := jetstream.New(s.watcher.nc.Load())
	if err != nil {
		return err
	}
	s.drain.Go(func() { s.watch(js) })
	return nil
}

// publish publishes numbers to the stream, each until it is acknowledged.
func (s *stored) publish(js jetstream.JetStream, c *client, by int, pause time.Duration) {
	next := time.NewTicker(pause)
	defer next.Stop()
	well := time.Now()
	for seq := uint64(1); ; seq++ {
		select {
		case <-s.ctx.Done():
			return
		case <-next.C:
		}
		s.mu.Lock()
		s.asked[by] = seq
		s.sums.Asked++
		s.mu.Unlock()
		msg := nats.NewMsg(storing + strconv.Itoa(by+1))
		msg.Data = fill(message{kind: kept, seq: seq, by: by, sent: s.fleet.now()}.appendTo(nil, s.fleet.run), s.fleet.o.Workload.Payload)
		id := fmt.Sprintf("%s-%d-%d", s.fleet.run, by, seq)
		ok := s.insist(c, &well, func(ctx context.Context) error {
			ack, err := js.PublishMsg(ctx, msg, jetstream.WithMsgID(id), jetstream.WithRetryAttempts(0))
			s.mu.Lock()
			defer s.mu.Unlock()
			switch {
			case err == nil:
				s.acked[by] = seq
				s.sums.Acked++
				s.sums.LastAck = time.Now()
				if ack.Duplicate {
					s.sums.Again++
				}
			case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
				s.sums.TimedOut++
			default:
				s.sums.Refused++
			}
			return err
		}, func(took time.Duration) {
			s.sums.Stalls++
			s.sums.StallMax = max(s.sums.StallMax, took)
		})
		if !ok {
			return
		}
	}
}

// insist makes attempts until one succeeds, and books a stall if it took more
// than one or longer than is usual. It is false if the end came first. Well is when
// the last one succeeded.
func (s *stored) insist(c *client, well *time.Time, attempt func(context.Context) error, stalled func(took time.Duration)) bool {
	began := time.Now()
	for n := 1; ; n++ {
		try, cancel := context.WithTimeout(s.tries, s.fleet.o.Workload.Timeout)
		err := attempt(try)
		cancel()
		c.touch()
		took := time.Since(began)
		over := s.tries.Err() != nil
		if (err == nil && (n > 1 || took >= cluster.StallFrom)) || (err != nil && over) {
			s.mu.Lock()
			stalled(took)
			s.mu.Unlock()
			s.fleet.teller.cost(cluster.Cost{At: s.fleet.breaks.cause(*well, began), Client: c.facts.Name, Kind: cluster.CostStalled, For: took})
		}
		if err == nil {
			*well = time.Now()
			return true
		}
		select {
		case <-s.tries.Done():
			return false
		case <-time.After(retryPause):
		}
	}
}

// pull takes messages from the durable consumer and acknowledges them.
func (s *stored) pull(js jetstream.JetStream, c *client) {
	var consumer jetstream.Consumer
	for s.read.Err() == nil {
		if consumer == nil {
			var err error
			try, cancel := context.WithTimeout(s.read, time.Second)
			consumer, err = js.Consumer(try, streamName, durable)
			cancel()
			if err != nil {
				consumer = nil
				s.rest()
				continue
			}
		}
		msgs, err := consumer.Fetch(batch, jetstream.FetchMaxWait(250*time.Millisecond))
		if err != nil {
			s.rest()
			continue
		}
		for msg := range msgs.Messages() {
			s.take(msg)
			_ = msg.Ack() // or it comes again, and is counted
		}
		c.touch()
		if msgs.Error() != nil {
			s.rest()
		}
	}
}

// rest waits a little after an attempt to read that failed.
func (s *stored) rest() {
	select {
	case <-s.read.Done():
	case <-time.After(retryPause):
	}
}

func (s *stored) take(msg jetstream.Msg) {
	m, ours := parse(msg.Data(), s.fleet.run)
	if !ours || m.kind != kept || m.by >= len(s.pulled) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pulled[m.by].observe(m.seq)
}

// startKV writes a value that counts up, and watches it.
func (s *stored) startKV(pause time.Duration) error {
	out, err := jetstream.New(s.writer.nc.Load())
	if err != nil {
		return err
	}
	in, err := jetstream.New(s.reader.nc.Load())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, flushing)
	defer cancel()
	var write, read jetstream.KeyValue
	var seen jetstream.KeyWatcher
	var last uint64 // clients that were connected before these may have left one
	// A server that has only just heard of the bucket may leave a request unanswered.
	for _, do := range []func(context.Context) error{
		func(ctx context.Context) (err error) { write, err = out.KeyValue(ctx, bucketName); return err },
		func(ctx context.Context) (err error) { last, err = lastValue(ctx, write); return err },
		func(ctx context.Context) (err error) { read, err = in.KeyValue(ctx, bucketName); return err },
		func(context.Context) (err error) { seen, err = read.Watch(s.read, key); return err },
	} {
		if err := persist(ctx, time.Second, do); err != nil {
			return fmt.Errorf("bucket %s: %w", bucketName, err)
		}
	}
	s.work.Go(func() { s.write(write, last, pause) })
	s.drain.Go(func() {
		defer func() { _ = seen.Stop() }()
		for {
			select {
			case <-s.read.Done():
				return
			case e, ok := <-seen.Updates():
				if !ok {
					return
				}
				if e != nil {
					s.see(e.Value())
				}
			}
		}
	})
	return nil
}

// write writes values that count up from the last one.
func (s *stored) write(kv jetstream.KeyValue, last uint64, pause time.Duration) {
	next := time.NewTicker(pause)
	defer next.Stop()
	well := time.Now()
	for n := last + 1; ; n++ {
		select {
		case <-s.ctx.Done():
			return
		case <-next.C:
		}
		value := strconv.AppendUint(nil, n, 10)
		ok := s.insist(s.writer, &well, func(ctx context.Context) error {
			_, err := kv.Put(ctx, key, value)
			s.mu.Lock()
			defer s.mu.Unlock()
			if err != nil {
				s.sums.KVFailed++
				return err
			}
			s.written, s.sums.Written = n, n-last
			return nil
		}, func(took time.Duration) {
			s.sums.KVStalls++
			s.sums.KVStallMax = max(s.sums.KVStallMax, took)
		})
		if !ok {
			return
		}
	}
}

func (s *stored) see(value []byte) {
	n, err := strconv.ParseUint(string(value), 10, 64)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < s.shown {
		s.sums.Backwards++
	}
	s.shown = n
	s.reader.touch()
}

// stop begins nothing any more, and waits until the last message is acknowledged
// or ctx ends.
func (s *stored) stop(ctx context.Context) {
	s.cancel()
	defer context.AfterFunc(ctx, s.giveUp)()
	s.work.Wait()
}

// close ends what is left.
func (s *stored) close() {
	s.giveUp()
	s.stop(s.tries)
	s.end()
	s.drain.Wait()
}

// sum is what is known now.
func (s *stored) sum() (sums cluster.Stored, streams []cluster.Stream, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sums = s.sums
	for i := range s.pulled {
		sums.Consumed += s.pulled[i].received - s.pulled[i].duplicated
		sums.Redelivered += s.pulled[i].duplicated
	}
	return sums, s.streams, s.at
}
