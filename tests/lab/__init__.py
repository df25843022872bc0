"""The pure part, module by module."""
