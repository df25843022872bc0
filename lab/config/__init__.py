"""What a person may write, and how it is read: `model` and `load`."""
