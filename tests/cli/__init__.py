"""The command `lab`, beyond what `lab/` itself decides."""
