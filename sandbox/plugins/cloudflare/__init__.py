"""The stand-in for the cloudflare plugin 6.23.1 (DNS records and the zone lookup)."""
