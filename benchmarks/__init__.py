"""The figures of docs/performance.md: `make bench` measures, and `--write` records them with the machine."""
