"""`make bench`: what the proxy costs, measured on this machine. README.md beside this file has the method."""
