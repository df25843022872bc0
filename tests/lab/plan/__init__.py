"""The plan, step by step."""
