"""Tests of the sandbox's Cloudflare."""
