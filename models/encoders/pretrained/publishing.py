"""Publish an encoder for a study, and choose the number format that it is run in."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TYPE_CHECKING, NamedTuple

from models.encoders.pretrained.folders import Published, PublishOrder, publish
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
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=die_with_parent) as pool:
        try:
            published, exact = pool.submit(_publish_and_encode, order, list(sample)).result()
        except BrokenProcessPool as error:
            raise OutOfMemoryError(
                f"{order.checkpoint.folder}: the process that reads the encoder was killed, most "
                "likely for want of memory; take a smaller encoder"
            ) from error
    if exact is None:
        return Publication(published, None)
    return Publication(
        published, agreement(FrozenEncoder(order.out, number=INT8).encode(sample), exact)
    )


def _publish_and_encode(
    order: PublishOrder, sample: list[str]
) -> tuple[Published, "numpy.ndarray | None"]:
    published = publish(order)
    if not (published.converted and sample):
        return published, None
    return published, FrozenEncoder(order.out, number=FLOAT32).encode(sample)
