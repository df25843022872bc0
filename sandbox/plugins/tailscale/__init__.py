"""The stand-in for the tailscale plugin 0.29.2 (policy file and auth keys)."""
