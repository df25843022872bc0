// Command access-control says what Authelia asks of a visitor, by Authelia's own code: it reads configuration files as
// Authelia does, and prints the policy for each URL that it reads from standard input, a line each.
//
//	access-control /config/configuration.yml,/run/homelab/files/access-control.yml <urls
//
// It is what can be built of Authelia: the whole needs a library that no module proxy hands out. The name of this module
// lies below Authelia's, because packages called internal are for such names only.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/authelia/authelia/v4/internal/authorization"
	"github.com/authelia/authelia/v4/internal/configuration"
	"github.com/authelia/authelia/v4/internal/configuration/schema"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "access-control:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 1 {
		return errors.New("one argument is needed: the files, with commas between them")
	}
	authorizer, err := authorizerOf(strings.Split(arguments[0], ","))
	if err != nil {
		return err
	}
	urls := bufio.NewScanner(os.Stdin)
	for urls.Scan() {
		target, err := url.ParseRequestURI(urls.Text())
		if err != nil {
			return err
		}
		somebody := authorization.Subject{Username: "somebody"}
		_, level := authorizer.GetRequiredLevel(somebody, authorization.NewObject(target, "GET"))
		fmt.Println(level)
	}
	return urls.Err()
}

// authorizerOf reads files and environment, the last word winning, and takes a warning for an error.
func authorizerOf(files []string) (*authorization.Authorizer, error) {
	problems := schema.NewStructValidator()
	sources := configuration.NewDefaultSources(files, "AUTHELIA_", "_")
	_, config, err := configuration.Load(problems, sources...)
	all := append(problems.Errors(), problems.Warnings()...)
	if err := errors.Join(append(all, err)...); err != nil {
		return nil, err
	}
	return authorization.NewAuthorizer(config), nil
}
