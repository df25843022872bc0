"""Tests of the sandbox's Tailscale."""
