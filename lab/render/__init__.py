"""Text for others: each module knows one reader, and none knows another.

A renderer takes records of the plan and gives text, byte for byte the same for equal
plans. What needs a secret takes the place of the file that holds it, never the secret.
"""
