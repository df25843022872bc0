"""The recorded HTTP requests of a package, sent to the sandbox's own API: does it answer as recorded?"""
