"""Every kind of task by the name that task manifests give it."""

from tasks.transfer.kinds.protocol import TaskKind
from tasks.transfer.kinds.single import SingleSentence

KINDS: dict[str, TaskKind] = {"classification": SingleSentence()}
