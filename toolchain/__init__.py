"""Get the binaries that the lab runs and no Python package ships.

This package owns the Pulumi engine, its Python language host, Traefik and the
stand-in program: which one is used, how it is built where no release can be
had, and the cache that holds it once per user. One Go module per binary lies
beside this file and pins every dependency by hash.

It refuses to import anything but the standard library, because it runs before
the virtual environment exists; and to build anything into the checkout, so
that a second checkout starts at once.
"""
