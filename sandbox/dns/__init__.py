"""An authoritative name server over the records of the sandbox's Cloudflare zones."""
