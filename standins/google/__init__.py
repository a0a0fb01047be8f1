"""The stand-in for Google: OAuth and the Gmail API on loopback. See standins/README.md."""
