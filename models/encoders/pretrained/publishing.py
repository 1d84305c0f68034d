"""Publish an encoder for a study, and choose the number format that it is run in."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from models.encoders.pretrained.folders import (
    HUGGINGFACE,
    Published,
    PublishOrder,
    convert,
    publish,
)
from models.encoders.pretrained.frozen import (
    FLOAT32,
    INT8,
    Agreement,
    FrozenEncoder,
    Number,
    agreement,
)
from models.support.errors import OutOfMemoryError
from models.support.processes import die_with_parent

if TYPE_CHECKING:
    import numpy

Result = TypeVar("Result")


class Publication(NamedTuple):
    """What was published, how near int8 comes to float32, and the format that follows."""

    published: Published
    agreement: Agreement | None

    @property
    def number(self) -> Number:
        """The format to encode in: float32 where CTranslate2 cannot run the encoder."""
        return self.agreement.number if self.agreement else FLOAT32


def publish_and_choose(order: PublishOrder, sample: Sequence[str]) -> Publication:
    """Publish, and compare both number formats on a sample of the study's texts.

    What torch does is done in a process of its own: one that has computed with torch may wait
    forever for CTranslate2.
    """
    published, exact = _in_own_process(
        order.checkpoint.folder, _publish_and_encode, order, list(sample)
    )
    if exact is None:
        return Publication(published, None)
    return Publication(
        published, agreement(FrozenEncoder(order.out, number=INT8).encode(sample), exact)
    )


def _in_own_process(about: Path, work: Callable[..., Result], *given: Any) -> Result:
    """Return what a fresh process makes of the arguments; `about` names the encoder."""
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=die_with_parent) as pool:
        try:
            return pool.submit(work, *given).result()
        except BrokenProcessPool as error:
            raise OutOfMemoryError(
                f"{about}: the process that reads the encoder was killed, most "
                "likely for want of memory; take a smaller encoder"
            ) from error


class NumberChoice(NamedTuple):
    """The format that a folder is encoded in, and how near int8 comes to float32."""

    number: Number
    agreement: dict[str, float] | None


def choose_number(out: Path, sample: Sequence[str]) -> NumberChoice:
    """Convert a published folder for CTranslate2, and compare both formats on a sample.

    The process may have computed with torch: CTranslate2 runs in one of its own.
    """
    from transformers import AutoConfig

    config: Any = AutoConfig.from_pretrained(out / HUGGINGFACE, local_files_only=True)
    if not (convert(out, config.model_type) and sample):
        return NumberChoice(FLOAT32, None)
    exact = FrozenEncoder(out, number=FLOAT32).encode(sample)
    near = agreement(_in_own_process(out, _encode, out, list(sample)), exact)
    return NumberChoice(near.number, near._asdict())


def _encode(out: Path, sample: list[str]) -> "numpy.ndarray":
    return FrozenEncoder(out, number=INT8).encode(sample)


def _publish_and_encode(
    order: PublishOrder, sample: list[str]
) -> tuple[Published, "numpy.ndarray | None"]:
    published = publish(order)
    if not (published.converted and sample):
        return published, None
    return published, FrozenEncoder(order.out, number=FLOAT32).encode(sample)
