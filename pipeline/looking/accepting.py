"""Adopt an old artifact where a new one would be built: a person says that it is as good."""

import shutil
import time
from pathlib import Path
from typing import Any

from models.support.errors import StageError
from pipeline.looking.causes import direct_causes, earlier_artifact
from pipeline.stages.stage import Stage
from pipeline.store import DRAFT, exclusive, publish


def accept(stage: Stage[Any], reason: str) -> Path:
    """Put the newest earlier artifact of a stage in the place of the one to build; return it.

    The manifest says so, with the reason and all that differs, and so does every report that rests
    on it; what it was built from stays what it was. Raises StageError if there is none to adopt.
    """
    name = stage.title
    with exclusive(stage.place):
        stage.place.finish_replacing()
        if stage.complete():
            raise StageError(f"{name} is built; there is nothing to accept")
        earlier = earlier_artifact(stage)
        if earlier is None:
            raise StageError(f"{name} was never built in this store; there is nothing to accept")
        accepted = {
            "from": f"{stage.place.stage}/{earlier.folder.name}",
            "reason": reason,
            "differs": direct_causes(stage),
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        manifest = {**earlier.manifest, **stage.identity, "fingerprint": stage.fingerprint}
        draft = stage.place.work / DRAFT
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(earlier.folder, draft)
        publish(stage.place, draft, {**manifest, "accepted": accepted})
    return stage.place.artifact
