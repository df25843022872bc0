"""The certificate authority of the sandbox: Pebble, the small ACME server that Let's Encrypt makes for tests."""
