"""Where things lie on this machine; nothing here may change a result."""

import os
from pathlib import Path
from typing import NamedTuple

from models.errors import SourceError


class Settings(NamedTuple):
    """Folders, from the environment.

    `SPRACHBUND_STORE` (default `./artifacts`) holds everything that is built, `SPRACHBUND_MIRROR`
    an optional copy of remote files, laid out as `<host>/<path>`, that is asked before the network.
    """

    store: Path
    mirror: Path | None

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the settings that hold now."""
        mirror = os.environ.get("SPRACHBUND_MIRROR")
        if mirror and not Path(mirror).is_dir():
            raise SourceError(f"SPRACHBUND_MIRROR is {mirror}, which is no folder")
        return cls(
            store=Path(os.environ.get("SPRACHBUND_STORE") or "artifacts").absolute(),
            mirror=Path(mirror).absolute() if mirror else None,
        )
