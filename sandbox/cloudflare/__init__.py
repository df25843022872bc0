"""Cloudflare's API for zones and DNS records, over records in the sandbox's store."""
