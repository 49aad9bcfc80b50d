"""Why a platform's message gave no events."""

from __future__ import annotations


class Untranslated(ValueError):
    """A platform's message that no event follows from; the text says why and what to do."""
