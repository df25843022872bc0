"""The stand-in for the cloudflare plugin 6.23.1 (DNS records, their list, and the zone lookup)."""
