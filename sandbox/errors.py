"""The one error that the sandbox shows to a person: what, where, why, and how to repair it.

Everything else that is raised is a defect and keeps its stack trace.
"""


class SandboxError(Exception):
    """A problem that the user can repair; its text is a whole sentence for them."""
