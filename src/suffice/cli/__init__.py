"""The command ``suffice``: it parses, calls the library and prints."""

from suffice.cli.app import main

__all__ = ["main"]
