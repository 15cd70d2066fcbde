// Command nats-roll is the rolling-upgrade lab for NATS. Called by the name
// nats-server, it is the nats-server that is linked into it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"nats-roll/cli"
	"nats-roll/release/embedded"
)

// version is set when a release is built.
var version = "dev"

func main() {
	if embedded.Asked(os.Args[0]) {
		embedded.Main()
		return
	}
	os.Exit(run())
}

// run ends the context at the first signal; what was started is then ended in
// order. SIGPIPE is taken and means nothing here: it comes when a client writes
// to a server that has just gone, which is what this program is about. A reader
// of our output that has gone is told by the write that fails.
func run() int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup means it
		signal.Notify(signals, syscall.SIGHUP)
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() { cancel(cli.Signaled{Signal: <-signals}) }()
	return cli.Run(ctx, cli.Program{
		Version: version, Args: os.Args[1:], In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
	})
}
