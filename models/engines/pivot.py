"""Translate in two steps, through a language that both sides have bitext with."""

from collections.abc import Sequence

from models.engines.protocol import Decoding, Engine, Line


class PivotEngine:
    """An engine that translates into the language `via` first, and from there on."""

    def __init__(self, engine: Engine, *, via: str) -> None:
        self.engine = engine
        self.via = via

    def translate(
        self, lines: Sequence[Line], *, source: str, target: str, decoding: Decoding
    ) -> list[Line]:
        """Return the translation of each line; from or into `via` itself one step is enough."""
        if self.via in (source, target):
            return self.engine.translate(lines, source=source, target=target, decoding=decoding)
        there = self.engine.translate(lines, source=source, target=self.via, decoding=decoding)
        return self.engine.translate(there, source=self.via, target=target, decoding=decoding)
