"""Thot, the toolkit behind phrase-based translation: an optional dependency."""

from importlib.util import find_spec

from models.support.errors import SprachbundError


def require_thot() -> None:
    """Raise SprachbundError with what to install where Thot is missing."""
    if find_spec("thot") is None:
        raise SprachbundError(
            "a system of kind phrase needs the package sil-thot, which is not installed: "
            "pip install 'sprachbund[phrase]' -c constraints.txt (there are wheels for Linux, "
            "macOS and Windows), or leave the system out"
        )
