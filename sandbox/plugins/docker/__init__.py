"""The stand-in for the docker plugin 5.2.0 (networks, volumes, images and containers of one engine)."""
