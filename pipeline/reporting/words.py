"""Say amounts as people do, and show values in a line."""

import json


def duration(seconds: float) -> str:
    """Return seconds as people say it."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def size(count: float) -> str:
    """Return bytes in decimal units."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def percent(share: float) -> str:
    """Return a share in per cent; one that is not nothing never looks like nothing."""
    return "<0.1 %" if 0 < share < 0.001 else f"{100 * share:.1f} %"


def shortened(value: object, longest: int) -> str:
    """Return a plain value as JSON of at most so many characters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
