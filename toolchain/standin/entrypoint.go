package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
)

// traefikCommands are the subcommands that the official image's entry point also passes to traefik.
var traefikCommands = []string{"healthcheck", "version"}

// becomeTraefik does what the entry point of the official image does: arguments that are flags or subcommands are
// traefik's, anything else is a command of its own. It returns only when it fails.
func becomeTraefik(arguments []string) error {
	if len(arguments) == 0 || strings.HasPrefix(arguments[0], "-") || slices.Contains(traefikCommands, arguments[0]) {
		arguments = append([]string{"traefik"}, arguments...)
	}
	path, err := exec.LookPath(arguments[0])
	if err != nil {
		return err
	}
	return syscall.Exec(path, arguments, os.Environ())
}
