package main

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
)

const everySocket = "/var/run/docker.sock"

var ruleLine = regexp.MustCompile(`^[\t ]*([A-Z]+(?:,[A-Z]+)*)[\t ]+(.+?)[\t ]*$`)

type rule struct {
	methods string // ",GET,HEAD,"
	path    *regexp.Regexp
}

// cetusguard reads what CetusGuard is told (its README, "Usage" and "Filter rules"). Its built-in rules and the
// variables of its rules are not known here, so that settings which need them are refused and not half obeyed.
func cetusguard() (gate, error) {
	if off, _ := strconv.ParseBool(os.Getenv("CETUSGUARD_NO_BUILTIN_RULES")); !off {
		return gate{}, fmt.Errorf("the built-in rules of CetusGuard are not known here; set CETUSGUARD_NO_BUILTIN_RULES")
	}
	listen, tcp := strings.CutPrefix(setting("CETUSGUARD_FRONTEND_ADDR", "tcp://:2375"), "tcp://")
	socket, unix := strings.CutPrefix(setting("CETUSGUARD_BACKEND_ADDR", "unix://"+everySocket), "unix://")
	if !tcp || !unix {
		return gate{}, fmt.Errorf("the stand-in listens at a tcp:// address and asks at a unix:// one")
	}
	text, err := os.ReadFile(os.Getenv("CETUSGUARD_RULES_FILE"))
	if err != nil {
		return gate{}, err
	}
	rules, err := parseRules(string(text))
	refuses := func(request *http.Request) int {
		for _, rule := range rules {
			// The path as it was sent: what is written with a % is no name of a container.
			if strings.Contains(rule.methods, ","+request.Method+",") && rule.path.MatchString(request.URL.EscapedPath()) {
				return 0
			}
		}
		return http.StatusForbidden
	}
	return gate{listen, socket, refuses}, err
}

func parseRules(text string) ([]rule, error) {
	var rules []rule
	for _, line := range strings.Split(text, "\n") {
		if trimmed := strings.TrimLeft(line, "\t "); trimmed == "" || strings.HasPrefix(trimmed, "!") {
			continue
		}
		parts := ruleLine.FindStringSubmatch(line)
		if parts == nil || strings.Contains(parts[2], "%") {
			return nil, fmt.Errorf("not a rule that is understood here: %s", line)
		}
		path, err := regexp.Compile("^" + parts[2] + "$")
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule{"," + parts[1] + ",", path})
	}
	return rules, nil
}

// socketProxy reads what wollomatic's socket-proxy is told by its variables (its README, "Allowing access").
func socketProxy() (gate, error) {
	if from := os.Getenv("SP_ALLOWFROM"); from != "0.0.0.0/0" {
		return gate{}, fmt.Errorf("SP_ALLOWFROM is %q, and only 0.0.0.0/0 is understood here", from)
	}
	paths := map[string]*regexp.Regexp{}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "OPTIONS"} {
		text := os.Getenv("SP_ALLOW_" + method)
		if text == "" {
			continue
		}
		path, err := regexp.Compile("^" + text + "$")
		if err != nil {
			return gate{}, err
		}
		paths[method] = path
	}
	refuses := func(request *http.Request) int {
		path, known := paths[request.Method]
		switch {
		case !known:
			return http.StatusMethodNotAllowed
		case !path.MatchString(request.URL.Path):
			return http.StatusForbidden
		}
		return 0
	}
	listen := setting("SP_LISTENIP", "127.0.0.1") + ":" + setting("SP_PROXYPORT", "2375")
	return gate{listen, setting("SP_SOCKETPATH", everySocket), refuses}, nil
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
