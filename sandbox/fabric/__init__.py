"""Segments and guests as Linux network namespaces, all of them inside namespaces of this checkout."""
