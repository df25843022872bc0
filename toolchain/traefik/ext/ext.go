// Package ext stands in for a nested Traefik module that its published zip
// does not hold. Traefik embeds both types and reads nothing from them.
package ext

// HTTP extends the HTTP section of the dynamic configuration with nothing.
type HTTP struct{}

// Router extends a router of the dynamic configuration with nothing.
type Router struct{}
