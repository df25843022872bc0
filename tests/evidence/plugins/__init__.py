"""The stand-in plugins against everything that was recorded with the official ones."""
