"""The whole thing as a new user has it: a clone, `make up`, and what is left afterwards."""
