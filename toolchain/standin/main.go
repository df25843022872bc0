// Command standin is the program of a container whose real image cannot be had: it listens on the declared ports and
// answers with its own name, so that who reaches whom stays true although the service itself is missing.
//
// It creates no file, needs no library, runs as any user on a read-only root, and ends at once on SIGTERM.
//
//	standin           listen on HOMELAB_LISTENS ("80/tcp,5432/tcp") and answer with HOMELAB_NAME
//	standin hold      listen on nothing
//	standin filter K  be a proxy of the Docker API with the settings of K, cetusguard or socket-proxy
//	standin dashboard show the containers and events that the API at DOCKER_HOST tells, on HOMELAB_LISTENS
//	standin health    exit 0 when every declared TCP port accepts a connection
//
// Under the name entrypoint.sh it is the entry point of the Traefik image.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	if filepath.Base(os.Args[0]) == "entrypoint.sh" {
		fmt.Fprintln(os.Stderr, "standin:", becomeTraefik(os.Args[1:]))
		os.Exit(1)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "standin:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	command := "serve"
	if len(arguments) > 0 {
		command = arguments[0]
	}
	ports, err := parsePorts(os.Getenv("HOMELAB_LISTENS"))
	if err != nil {
		return err
	}
	switch command {
	case "serve":
		if err := serve(name(), ports); err != nil {
			return err
		}
		untilStopped()
		return nil
	case "filter":
		if len(arguments) != 2 {
			return fmt.Errorf("say which proxy: standin filter cetusguard, or standin filter socket-proxy")
		}
		if err := filter(arguments[1]); err != nil {
			return err
		}
		untilStopped()
		return nil
	case "dashboard":
		if err := dashboard(name(), ports); err != nil {
			return err
		}
		untilStopped()
		return nil
	case "hold":
		untilStopped()
		return nil
	case "health":
		return health(ports)
	default:
		return fmt.Errorf("unknown command %q; use serve, filter, dashboard, hold or health", command)
	}
}

func name() string {
	if value := os.Getenv("HOMELAB_NAME"); value != "" {
		return value
	}
	host, err := os.Hostname()
	if err != nil {
		return "unnamed"
	}
	return host
}

func untilStopped() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	<-signals
}
