"""Docker Engines of guests: real and private where the machine can run them, simulated elsewhere."""
