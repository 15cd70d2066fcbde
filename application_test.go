package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/nats-io/nats.go"
)

// application is somebody's own, called nats-app: it subscribes, reconnects and
// says so until it is asked to end. Called with a number it ends with that as its
// status once it has reconnected.
func application() {
	moved := make(chan string, 8)
	nc, err := nats.Connect(os.Getenv("NATS_URL"), nats.Name("my app"),
		nats.ReconnectHandler(func(nc *nats.Conn) { moved <- nc.ConnectedServerName() }))
	if err == nil {
		_, err = nc.Subscribe(">", func(*nats.Msg) {})
	}
	if err != nil {
		fmt.Println("connect:", err)
		os.Exit(1)
	}
	fmt.Println("connected to", nc.ConnectedServerName())
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, os.Interrupt, syscall.SIGTERM)
	for {
		select {
		case to := <-moved:
			fmt.Println("moved to", to)
			if len(os.Args) > 1 {
				var status int
				_, _ = fmt.Sscan(os.Args[1], &status)
				fmt.Println("that is enough")
				os.Exit(status)
			}
		case <-asked:
			fmt.Println("asked to end")
			return
		}
	}
}

func init() { commands["nats-app"] = application }
