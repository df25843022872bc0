package main

import (
	"fmt"
	"strconv"
	"strings"
)

// port is one port that the service declares.
type port struct {
	number   int
	protocol string // tcp or udp
}

// parsePorts reads "80/tcp,53/udp"; a number without a protocol is TCP.
func parsePorts(text string) ([]port, error) {
	var ports []port
	for _, item := range strings.Split(text, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		digits, protocol, given := strings.Cut(item, "/")
		if !given {
			protocol = "tcp"
		}
		number, err := strconv.Atoi(digits)
		if err != nil || number < 1 || number > 65535 || (protocol != "tcp" && protocol != "udp") {
			return nil, fmt.Errorf("HOMELAB_LISTENS has %q; write a port as 80/tcp or 53/udp", item)
		}
		ports = append(ports, port{number, protocol})
	}
	return ports, nil
}
