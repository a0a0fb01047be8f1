"""A mail server that takes mail: see server.py."""
