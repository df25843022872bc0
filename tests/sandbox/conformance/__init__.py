"""The runner of recordings: each module alone, and against plugins that behave badly on purpose."""
