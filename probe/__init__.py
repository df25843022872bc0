"""Probes of a running lab: what is observed, beside what the plan expects.

May import the plan and the Docker client, and is the only part beside the sandbox that
opens sockets into a lab. It changes nothing there: it connects, reads the answer and
hangs up.
"""
