"""Interfaces to the registry; each is a server of its own or an API within HTTP."""
