"""How far a plugin, or the sandbox's tailnet policy, agrees with recordings of the real thing."""
