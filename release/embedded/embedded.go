// Package embedded is the nats-server that is linked into this program. The
// program's own file, started under the name nats-server, is that server: a
// child process with the real command line, which needs no network and no other
// file.
//
// It is the only package outside tests that imports the server. It owns no
// goroutine of its own; the server's end when Main ends the process.
package embedded

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats-server/v2/server"

	"nats-roll/cluster"
)

// Version is the version of the linked-in server.
const Version cluster.Version = server.VERSION

const name = "nats-server"

// Asked says that a program started with this argv[0] is to be nats-server.
func Asked(argv0 string) bool {
	return strings.TrimSuffix(filepath.Base(argv0), ".exe") == name
}

// Main runs nats-server with os.Args and ends the process with its exit status;
// it does not return. It does what main of nats-server v2.15.2 does (main.go,
// Copyright 2012-2026 The NATS Authors, Apache License 2.0): the same flags,
// help, messages and exit status, an unknown flag's 0 included.
func Main() {
	help := func() {
		fmt.Printf("%s\n", usage)
		os.Exit(0)
	}
	fs := flag.NewFlagSet(name, flag.ExitOnError)
	fs.Usage = help

	opts, err := server.ConfigureOptions(fs, os.Args[1:], server.PrintServerAndExit, help, server.PrintTLSHelpAndDie)
	if err != nil {
		server.PrintAndDie(fmt.Sprintf("%s: %s", name, err))
	}
	if opts.CheckConfig {
		fmt.Fprintf(os.Stderr, "%s: configuration file %s is valid (%s)\n", name, opts.ConfigFile, opts.ConfigDigest())
		os.Exit(0)
	}
	// Before expvar shows the arguments to whoever asks the monitoring port.
	server.RedactArgs(os.Args)

	s, err := server.NewServer(opts)
	if err != nil {
		server.PrintAndDie(fmt.Sprintf("%s: %s", name, err))
	}
	s.ConfigureLogger()
	if err := server.Run(s); err != nil {
		server.PrintAndDie(err.Error())
	}
	s.WaitForShutdown()
	os.Exit(0)
}
