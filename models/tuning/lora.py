"""Low-rank updates in place of the weights themselves (Hu et al. 2022), by the library `peft`."""

import importlib.util
from collections.abc import Callable
from typing import Any

from models.encoders.fine_tuning import Lora
from models.support.errors import SpecError


def add_adapters(body: Any, lora: Lora) -> Callable[[], None]:
    """Freeze an encoder and put adapters beside its attention's queries and values, in place.

    Returned is what ends it: the adapters are added to the weights they stand beside, which then
    are those that need a gradient, as if nothing else had ever been trained. Raises SpecError
    without peft, or where peft does not know the architecture.
    """
    if importlib.util.find_spec("peft") is None:
        raise SpecError(
            "fine_tune.lora: the package peft is missing: pip install 'sprachbund[encoders]', or "
            "leave `lora` out"
        )
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=lora.rank, lora_alpha=lora.alpha or 2 * lora.rank, lora_dropout=0.0)
    try:
        adapted: Any = get_peft_model(body, config)
    except ValueError as error:
        raise SpecError(
            f"fine_tune.lora: peft does not know which layers of a {body.config.model_type} "
            f"encoder to adapt; leave `lora` out ({error})"
        ) from error

    def merge() -> None:
        trained = [
            name
            for name, module in body.named_modules()
            if hasattr(module, "lora_A") and module.lora_A["default"].weight.requires_grad
        ]
        adapted.merge_and_unload()
        for name in trained:
            body.get_submodule(name).weight.requires_grad_(True)

    return merge
