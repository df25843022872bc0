"""`python -m sandbox.conformance PLUGIN FILE...`, and the verbs that its help names."""

import sys

from sandbox.plugins.stubs import import_without_sdk

if __name__ == "__main__":
    import_without_sdk()
    from sandbox.conformance.command import main
    from sandbox.conformance.plugin import stop_on_signals

    stop_on_signals()
    sys.exit(main(sys.argv[1:]))
