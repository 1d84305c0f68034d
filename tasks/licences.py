"""What a licence asks of whoever publishes text or models made from a corpus, in short.

A reading aid, not legal advice: it looks at the words in a licence's name.
"""

import re

UNKNOWN_LICENCE = (
    "unknown terms: ask the owner before you publish the text, a translation of it or a model"
)
UNREAD_LICENCE = "not a licence known here: read it before you publish anything made from it"
NO_CONDITION = "free to use"

CONDITIONS = {
    "not for commercial use, and neither is a model trained on it": {
        *("nc", "noncommercial", "research", "academic"),
    },
    "share alike: translations and synthetic text made from it carry the same licence": {
        *("sa", "gpl", "lgpl", "agpl", "gfdl", "odbl"),
    },
    "no derived text: its translations and synthetic text may not be published": {"nd"},
    "give credit": {"by", "mit", "apache", "bsd", "mpl", "isc", "gpl", "lgpl", "agpl", "gfdl"},
}
"""A condition to the words in a licence's name that bring it."""

FREE = {"cc0", "pddl", "unlicense", "0bsd"}
SAYS_NOTHING = {"", "unknown", "unclear", "none", "unspecified", "other", "n", "a", "tbd", "todo"}


def consequence(licence: str) -> str:
    """Return what a licence asks, in words: `CC-BY-NC-SA-4.0` brings three conditions."""
    words = set(re.findall("[a-z0-9]+", licence.lower().replace("non-commercial", "nc"))) or {""}
    if words <= SAYS_NOTHING:
        return UNKNOWN_LICENCE
    conditions = [condition for condition, signs in CONDITIONS.items() if signs & words]
    if conditions:
        return "; ".join(conditions)
    free = words & FREE or {"public", "domain"} <= words
    return NO_CONDITION if free else UNREAD_LICENCE
