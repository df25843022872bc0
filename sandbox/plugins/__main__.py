"""`python -m sandbox.plugins <package> --checkout ROOT [ENGINE]`: one stand-in plugin as a process."""

import sys

from sandbox.plugins.stubs import import_without_sdk

if __name__ == "__main__":
    import_without_sdk()
    from sandbox.plugins.launch import main

    sys.exit(main(sys.argv[1:]))
