"""The lab as plain values: what was declared, what it means, and what follows from it.

Pure by contract: the standard library, pydantic and a YAML loader, and nothing that
opens a socket or registers a resource. That is what lets `lab check` answer in
milliseconds and a test run plan thousands of generated labs.

Read in this order: `config` (what a person may write), `ledger` and `addresses`
(what was given out and stays), `plan` (the one join), `render` (text for others).
"""
