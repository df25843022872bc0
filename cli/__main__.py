"""`python -m cli VERB`, the same as the command `lab`."""

from cli.app import main

main()
