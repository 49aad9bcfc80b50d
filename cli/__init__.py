"""The verbs of `./dev`, one file each: what operators and shops do from a terminal.

Touch it when a verb changes or is added; `app.py` lists them. What a verb does with events and cases belongs to
`starter.py`, what is kept to `adapters/database`.
"""

from cli.app import main

__all__ = ["main"]
