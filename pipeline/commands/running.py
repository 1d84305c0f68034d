"""Commands that build stages or use models: run, rerun, audit, translate."""

import sys
from typing import Annotated

import typer

from models.support.errors import StageError
from pipeline.commands.options import Experiment, Form, Format, Scheduler, Stage, Workers
from pipeline.console import print_json, tell, visible


def run(
    experiment: Experiment,
    until: Annotated[
        str | None, typer.Option(help="Stop at this stage: STAGE or STAGE:LABEL-GLOB.")
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="Build this stage alone; what it needs must be there.")
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
) -> None:
    """Build what is missing of an experiment, up to its report.

    A finished stage is never built again; an interrupted one resumes where it was.

    Example: `sprachbund run sandbox --until MtScores:base`
    """
    from pipeline.commands.answers import print_answer
    from pipeline.dag import find_stages
    from pipeline.running import building
    from pipeline.stages.report import Report

    if until and only:
        raise StageError("--until and --only say two things; give one")
    pattern = until or only
    targets = find_stages(experiment, pattern) if pattern else [Report(experiment=experiment)]
    if only:
        building.check_inputs(targets)
    outcome = building.run(targets, workers=workers, scheduler=scheduler)
    tell(f"{outcome.built} stages built, {outcome.already_done} were already done")
    if pattern is None:
        print_answer(experiment)


def rerun(
    experiment: Experiment,
    stage: Stage,
    workers: Workers = None,
    scheduler: Scheduler = None,
) -> None:
    """Build a stage and everything that depends on it once more; nothing else.

    What is there stays until what takes its place is whole.

    Example: `sprachbund rerun sandbox Translation:bt-1-task-*`
    """
    from pipeline.running import building

    doomed = building.forget(experiment, stage)
    outcome = building.run(doomed, workers=workers, scheduler=scheduler)
    tell(f"{outcome.built} stages built again, {outcome.already_done} left alone")


def accept(
    experiment: Experiment,
    stage: Stage,
    reason: Annotated[str, typer.Option(help="Why the old artifact is as good as a new one.")],
) -> None:
    """Keep an old artifact although its recipe, inputs or code have changed.

    The manifest and every report that rests on it say so, with your reason and with what differs.

    Example: `sprachbund accept nusa RawCorpus:* --reason "same files, new server"`
    """
    from pipeline.dag import find_stages
    from pipeline.looking.accepting import accept as adopt

    found = [one for one in find_stages(experiment, stage) if not one.complete()]
    if not found:
        raise StageError(f"{stage} is built; there is nothing to accept")
    for one in found:
        tell(f"accepted: {adopt(one, reason)}")


def audit(experiment: Experiment, form: Format = Form.TABLE) -> None:
    """Find test sentences in training text: MT and tasks, by id, by text, nearly equal.

    Looks at the text before the guard removes what leaks; trains nothing.

    Example: `sprachbund audit nusa --format json | jq '.[] | select(.match == "exact")'`
    """
    from pipeline.commands.answers import print_audit
    from pipeline.running import building
    from pipeline.stages.leakage import LeakAudit

    stage = LeakAudit(experiment=experiment)
    building.run([stage])
    facts = ("overlaps", "gaps", "remarks")
    overlaps, gaps, remarks = (stage.artifact.manifest[fact] for fact in facts)
    if form is Form.JSON:
        print_json(overlaps)
        for gap in gaps:
            tell(f"not looked for: {gap['texts']:,} of {gap['set']}: {gap['what']} ({gap['rule']})")
        for remark in remarks:
            tell(f"warning: {remark}")
    else:
        print_audit(overlaps, gaps, remarks)


def translate(
    experiment: Experiment,
    source: Annotated[str, typer.Option("--from", help="Language of the input.")],
    target: Annotated[str, typer.Option("--to", help="Language of the output.")],
    system: Annotated[
        str | None,
        typer.Option(help="A system of the experiment; by default the best one on dev data."),
    ] = None,
    beam: Annotated[int, typer.Option(help="Beam size.", min=1)] = 4,
) -> None:
    """Translate standard input, one line out for each line in; long lines sentence by sentence.

    Example: `sprachbund translate nusa --from ind --to jav < in.txt > out.txt`
    """
    from models.engines.protocol import Decoding
    from pipeline.running.translating import translate_lines

    for line in translate_lines(
        experiment,
        sys.stdin.buffer,
        direction=(source, target),
        system=system,
        decoding=Decoding(beam=beam),
        tell=tell,
    ):
        sys.stdout.write(f"{visible(line) if sys.stdout.isatty() else line}\n")
        sys.stdout.flush()
