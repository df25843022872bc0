//go:build tools

// Package tools pins the command that this module exists to build.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
