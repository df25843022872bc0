"""The rights on the Docker API, against every call that the engine documents."""
