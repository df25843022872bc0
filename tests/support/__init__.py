"""What tests share: needs that may be missing, and the engine double."""
