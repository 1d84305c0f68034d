"""Commands that look after a store: cost, verify, gc."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from models.support.errors import StageError
from pipeline.commands.options import Experiment, Form, Format
from pipeline.console import print_json, tell

if TYPE_CHECKING:
    from pipeline.store import Place


def cost(experiment: Experiment, form: Format = Form.TABLE) -> None:
    """Show what the built stages took, and what the augmentation gained for that.

    Clock, processor time of all cores, highest memory, and disk, for each kind of stage.

    Example: `sprachbund cost nusa --format json | jq .gains`
    """
    from pipeline.commands.answers import print_grids
    from pipeline.looking import costs
    from pipeline.looking.upkeep_tables import cost_grids

    found = costs.costs(experiment)
    gains = costs.gains(experiment)
    if form is Form.JSON:
        stages = [*found, costs.total(found)]
        record = {
            "stages": [c.as_record() for c in stages],
            "gains": [g.as_record() for g in gains],
        }
        print_json(record)
    elif found:
        print_grids(cost_grids(found, gains))
    else:
        tell(f"nothing is built yet: sprachbund run {experiment}")


def verify(
    experiment: Annotated[
        str | None, typer.Argument(help="An experiment; without it, the whole store.")
    ] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Build the damaged stages of the experiment again.")
    ] = False,
    form: Format = Form.TABLE,
) -> None:
    """Hash every artifact again and name those that differ from their manifest.

    Ends with exit code 1 if any does, unless it could be rebuilt.

    Example: `sprachbund verify nusa --rebuild`
    """
    from pipeline.commands.answers import print_grids
    from pipeline.dag import built_stages
    from pipeline.looking import upkeep
    from pipeline.looking.upkeep_tables import damage_grid
    from pipeline.running import building
    from pipeline.settings import Settings

    if rebuild and experiment is None:
        raise StageError("--rebuild needs an experiment: a store does not know how to build")
    stages = built_stages(experiment) if experiment else []
    places = [s.place for s in stages] or upkeep.places(Settings.from_environment().store)
    found = [damage for place in _with_progress(places) for damage in upkeep.damages(place)]
    if form is Form.JSON:
        print_json([damage._asdict() for damage in found])
    elif found:
        print_grids([damage_grid(found)])
    damaged = {damage.artifact for damage in found}
    tell(f"{len(places)} artifacts, {len(damaged)} damaged")
    if damaged and rebuild:
        broken = [s for s in stages if s.place.key in damaged]
        for stage in broken:
            stage.place.discard()
        building.run(broken)
    elif damaged:
        raise typer.Exit(1)


def gc(
    experiments: Annotated[
        list[str] | None, typer.Argument(help="Experiments whose artifacts are all kept.")
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Remove them; else only show.")] = False,
    keep_days: Annotated[float, typer.Option(help="Keep what is younger.", min=0)] = 7,
    form: Format = Form.TABLE,
) -> None:
    """Show, or remove, what nothing needs: old artifacts and abandoned builds.

    Kept are the newest artifact of each stage and label of every experiment in the store, all that
    it was built from, and what the experiments named here need.

    Example: `sprachbund gc nusa --keep-days 0 --delete`
    """
    from pipeline.commands.answers import print_grids
    from pipeline.dag import all_stages
    from pipeline.looking import upkeep
    from pipeline.looking.upkeep_tables import garbage_grid
    from pipeline.reporting.words import size
    from pipeline.settings import Settings

    needed = [stage.place for name in experiments or () for stage in all_stages(name)]
    store = Settings.from_environment().store
    found = upkeep.garbage(store, needed=needed, keep_days=keep_days)
    if form is Form.JSON:
        print_json([item.as_record() for item in found])
    elif found:
        print_grids([garbage_grid(found, store)])
    if delete:
        upkeep.remove(found)
    verb = "removed" if delete else "could go; --delete removes them"
    amount = size(sum(item.bytes for item in found))
    tell(f"{len(found)} folders of {amount} {verb}")


def _with_progress(places: list["Place"]) -> Iterable["Place"]:
    from tqdm import tqdm

    shown: Iterable[Place] = tqdm(places, desc="verify", unit=" artifacts", delay=2, leave=False)
    return shown
