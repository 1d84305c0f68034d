"""The plugin's kernels give what fairseq gives, only sooner."""

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("fairseq")

from fairseq.criterions.label_smoothed_cross_entropy import (  # noqa: E402
    LabelSmoothedCrossEntropyCriterion,
    label_smoothed_nll_loss,
)
from fairseq.data import Dictionary, language_pair_dataset  # noqa: E402
from fairseq.models.transformer import TransformerConfig, TransformerModelBase  # noqa: E402
from fairseq.modules import FairseqDropout, MultiheadAttention  # noqa: E402
from fairseq.optim.adam import Adam  # noqa: E402

from models.nmt.plugin import fast_collate  # noqa: E402
from models.nmt.plugin.fast_dropout import byte_dropout, keep_levels  # noqa: E402
from models.nmt.plugin.fused_adam import FusedAdam  # noqa: E402
from models.nmt.plugin.fused_criterion import FusedLabelSmoothedCrossEntropy  # noqa: E402
from models.nmt.plugin.fused_loss import CHUNK_ROWS, projected_cross_entropy  # noqa: E402
from models.nmt.plugin.packing import Packing  # noqa: E402

PADDING, END = 1, 2
FIRST_WORD, WORDS = 4, 40
"""The ids of words follow fairseq's four special symbols."""
SMOOTHING = 0.1
Gradients = tuple[Any, Any]
Case = tuple[Any, Any, Any]


def make_case(batch: int, length: int, width: int = 16, classes: int = 37) -> Case:
    """Draw features, a projection and targets, a few of them padding."""
    torch.manual_seed(3)
    features = torch.randn(batch, length, width, requires_grad=True)
    weight = torch.randn(classes, width, requires_grad=True)
    target = torch.randint(2, classes, (batch, length))
    target[:, length - length // 4 :] = PADDING
    return features, weight, target


def reference(case: Case) -> tuple[Any, Any]:
    features, weight, target = case
    log_probabilities = torch.log_softmax(features @ weight.t(), -1)
    return label_smoothed_nll_loss(
        log_probabilities.flatten(0, 1), target.flatten()[:, None], SMOOTHING, PADDING
    )


def ours(case: Case) -> tuple[Any, Any]:
    features, weight, target = case
    return projected_cross_entropy(features, weight, target, smoothing=SMOOTHING, padding=PADDING)


def gradients(loss: Any, case: Case) -> Gradients:
    return torch.autograd.grad(loss, case[:2])


@pytest.mark.parametrize(("batch", "length"), [(1, 5), (3, 8), (7, CHUNK_ROWS // 4 + 1)])
def test_loss_and_gradients_equal_fairseqs(batch: int, length: int) -> None:
    case = make_case(batch, length)
    (expected, expected_nll), (loss, nll) = reference(case), ours(case)
    torch.testing.assert_close(loss, expected.squeeze(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(nll, expected_nll.squeeze(), rtol=1e-5, atol=1e-5)
    for mine, theirs in zip(gradients(loss, case), gradients(expected, case), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)


def test_gradients_follow_the_scale_of_the_loss() -> None:
    case = make_case(3, 8)
    for once, thrice in zip(
        gradients(ours(case)[0], case), gradients(ours(case)[0] * 3, case), strict=True
    ):
        torch.testing.assert_close(once * 3, thrice)


def test_nearly_certain_predictions_stay_finite() -> None:
    features, weight, target = make_case(3, 8)
    case = ((features * 1e3).detach().requires_grad_(), weight, target)
    (expected, _), (loss, _) = reference(case), ours(case)
    torch.testing.assert_close(loss, expected.squeeze(), rtol=1e-5, atol=1e-5)
    assert all(gradient.isfinite().all() for gradient in gradients(loss, case))


def test_loss_needs_no_gradient_in_validation() -> None:
    case = make_case(3, 8)
    with torch.no_grad():
        loss, _ = ours(case)
    assert not loss.requires_grad
    torch.testing.assert_close(loss, ours(case)[0].detach())


def test_loss_under_autocast_is_close_and_gradients_keep_their_type() -> None:
    case = make_case(3, 8)
    with torch.autocast("cpu", torch.bfloat16):
        loss, _ = ours(case)
    torch.testing.assert_close(loss, ours(case)[0], rtol=0.02, atol=0)
    assert all(gradient.dtype == torch.float32 for gradient in gradients(loss, case))


def test_batch_of_padding_only_costs_nothing() -> None:
    features, weight, _ = make_case(2, 4)
    case = (features, weight, torch.full((2, 4), PADDING))
    loss, nll = ours(case)
    assert loss.item() == nll.item() == 0
    assert all(gradient.eq(0).all() for gradient in gradients(loss, case))


def tiny_task() -> SimpleNamespace:
    words = Dictionary()
    for index in range(WORDS):
        words.add_symbol(f"w{index}")
    return SimpleNamespace(source_dictionary=words, target_dictionary=words)


def tiny_model(task: Any, normalize_before: bool = True) -> Any:
    """Build a transformer without dropout, embeddings shared."""
    config = TransformerConfig()
    config.dropout, config.share_all_embeddings = 0.0, True
    for side in (config.encoder, config.decoder):
        side.embed_dim, side.ffn_embed_dim, side.layers, side.attention_heads = 16, 32, 2, 2
        side.normalize_before = normalize_before
    config.decoder.input_dim = config.decoder.output_dim = 16
    torch.manual_seed(6)
    return TransformerModelBase.build_model(config, task)


SENTENCES, SOURCE_LENGTH, TARGET_LENGTH = 5, 7, 9


def tiny_sample() -> dict[str, Any]:
    """Return a batch as fairseq collates it, some of its sentences short.

    The first two sources are three words shorter: their padding stands before the sentence, as
    fairseq puts it. All targets from the third on are three words shorter, padded after it.
    """
    source = words_of(SENTENCES, SOURCE_LENGTH)
    source[:2, :3] = PADDING
    target = words_of(SENTENCES, TARGET_LENGTH)
    target[2:, -3:] = PADDING
    lengths = target.ne(PADDING).sum(1)
    inputs = {
        "src_tokens": source,
        "src_lengths": source.ne(PADDING).sum(1),
        "prev_output_tokens": fast_collate.shifted(target, lengths, PADDING, END),
    }
    return {"target": target, "ntokens": int(lengths.sum()), "net_input": inputs}


def words_of(sentences: int, length: int) -> Any:
    """Draw ids (sentences, length) of the dictionary's words; special symbols come before them."""
    return torch.randint(FIRST_WORD, FIRST_WORD + WORDS, (sentences, length))


@pytest.mark.parametrize("training", [True, False])
def test_criterion_equals_fairseqs_on_a_transformer(training: bool) -> None:
    task, sample = tiny_task(), tiny_sample()
    model = tiny_model(task).train(training)
    fused = FusedLabelSmoothedCrossEntropy(task, False, SMOOTHING, autocast_bf16=False)
    stock = LabelSmoothedCrossEntropyCriterion(task, False, SMOOTHING)
    (mine, size, logged), (theirs, stock_size, stock_logged) = (
        criterion(model, sample) for criterion in (fused, stock)
    )
    torch.testing.assert_close(mine, theirs.squeeze(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(logged["nll_loss"], stock_logged["nll_loss"].squeeze())
    assert size == stock_size
    assert logged.keys() == stock_logged.keys()
    parameters = list(model.parameters())
    pairs = (torch.autograd.grad(loss, parameters) for loss in (mine, theirs))
    for one, other in zip(*pairs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=2e-5)


def loss_and_gradients(normalize_before: bool, training: bool) -> list[Any]:
    """Return the loss of a transformer on a padded batch, and the gradients of all parameters."""
    torch.manual_seed(7)
    task, sample = tiny_task(), tiny_sample()
    model = tiny_model(task, normalize_before).train(training)
    criterion = FusedLabelSmoothedCrossEntropy(task, False, SMOOTHING, autocast_bf16=False)
    loss, *_ = criterion(model, sample)
    return [loss, *torch.autograd.grad(loss, list(model.parameters()))]


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Give what installs the packed transformer until the end of the test."""
    from models.nmt.plugin import packed_transformer

    for kind in (MultiheadAttention, TransformerModelBase):
        monkeypatch.setattr(kind, "forward", kind.forward)  # comes back after the test
    return packed_transformer.install


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("normalize_before", [True, False])
def test_packed_transformer_computes_what_fairseqs_does(
    normalize_before: bool, training: bool, packed: Callable[[], None]
) -> None:
    expected = loss_and_gradients(normalize_before, training)
    packed()
    for mine, theirs in zip(loss_and_gradients(normalize_before, training), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=2e-5)


def test_packed_transformer_in_bfloat16_is_close(packed: Callable[[], None]) -> None:
    task, sample = tiny_task(), tiny_sample()
    model = tiny_model(task).train()
    parameters = list(model.parameters())
    expected, *_ = LabelSmoothedCrossEntropyCriterion(task, False, SMOOTHING)(model, sample)
    packed()
    criterion = FusedLabelSmoothedCrossEntropy(task, False, SMOOTHING, autocast_bf16=True)
    loss, *_ = criterion(model, sample)
    torch.testing.assert_close(loss, expected.squeeze(), rtol=0.01, atol=0)
    mine, theirs = (
        torch.cat([part.flatten() for part in torch.autograd.grad(total, parameters)])
        for total in (loss, expected.squeeze())
    )
    assert mine.dtype == torch.float32
    assert (mine - theirs).norm() < 0.03 * theirs.norm()


def test_packed_transformer_never_looks_at_padding(packed: Callable[[], None]) -> None:
    task, sample = tiny_task(), tiny_sample()
    model = tiny_model(task).eval()
    packed()
    real = sample["target"].ne(PADDING)
    inputs = sample["net_input"]
    alone, _ = model(**inputs, features_only=True)
    for name in ("src_tokens", "prev_output_tokens"):
        inputs[name] = torch.nn.functional.pad(inputs[name], (0, 11), value=PADDING)
    beside, _ = model(**inputs, features_only=True)
    torch.testing.assert_close(beside[:, : real.size(1)][real], alone[real])


@pytest.mark.parametrize(("parts", "heads"), [(1, 1), (3, 2)])
def test_rows_that_are_spread_and_gathered_are_the_same(parts: int, heads: int) -> None:
    packing = Packing(tiny_sample()["target"].ne(PADDING))
    rows = torch.randn(len(packing.position), parts * heads * 4, requires_grad=True)
    spread = packing.spread(rows, parts, heads)
    assert spread.shape == (parts, SENTENCES * heads, TARGET_LENGTH, 4)
    gathered = torch.cat([packing.gather(part, heads) for part in spread], 1)[: packing.tokens]
    torch.testing.assert_close(gathered, rows[: packing.tokens])
    (gradient,) = torch.autograd.grad((gathered * gathered).sum(), rows)
    torch.testing.assert_close(gradient[: packing.tokens], 2 * rows[: packing.tokens])
    assert not gradient[packing.tokens :].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_dropout_keeps_its_share_and_rescales_exactly(rate: float, dtype: Any) -> None:
    torch.manual_seed(0)
    kept = byte_dropout(torch.ones(1000, 401, dtype=dtype), rate)
    levels = keep_levels(rate)
    assert abs(levels / 256 - (1 - rate)) <= 1 / 512
    assert kept.ne(0).double().mean().item() == pytest.approx(levels / 256, abs=0.004)
    assert set(kept.unique().tolist()) == {0.0, torch.tensor(256 / levels, dtype=dtype).item()}


def test_dropout_follows_the_seed() -> None:
    values = torch.randn(33, 7)

    def draw(seed: int) -> Any:
        torch.manual_seed(seed)
        return byte_dropout(values, 0.3)

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))


def test_dropout_passes_gradients_through_the_same_mask() -> None:
    values = torch.randn(20, 30).transpose(0, 1).requires_grad_()
    kept = byte_dropout(values, 0.4)
    (gradient,) = torch.autograd.grad(kept.sum(), values)
    torch.testing.assert_close(gradient * values, kept)


def test_installed_dropout_rests_in_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    from models.nmt.plugin import fast_dropout

    monkeypatch.setattr(FairseqDropout, "forward", FairseqDropout.forward)
    fast_dropout.install()
    module, values = FairseqDropout(0.3), torch.ones(64, 64)
    assert module(values).eq(0).any()
    assert module.eval()(values) is values


def adam_steps(kind: type[Any], parameter: Any) -> Any:
    optimizer = kind([parameter], lr=1e-2, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.01)
    torch.manual_seed(5)
    for _ in range(20):
        parameter.grad = torch.randn_like(parameter)
        optimizer.step()
    return parameter.detach()


def test_fused_adam_steps_like_fairseqs() -> None:
    torch.manual_seed(4)
    start = torch.randn(13, 9, requires_grad=True)
    torch.testing.assert_close(
        adam_steps(FusedAdam, copy.deepcopy(start)),
        adam_steps(Adam, copy.deepcopy(start)),
        rtol=1e-5,
        atol=1e-5,
    )


def test_fused_adam_resumes_from_its_saved_state() -> None:
    torch.manual_seed(4)
    parameter = torch.randn(5, requires_grad=True)
    straight, resumed = copy.deepcopy(parameter), copy.deepcopy(parameter)
    first = FusedAdam([straight], lr=0.1)
    straight.grad = torch.ones(5)
    first.step()
    resumed.data.copy_(straight.data)
    second = FusedAdam([resumed], lr=0.1)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for parameter, optimizer in ((straight, first), (resumed, second)):
        parameter.grad = torch.full((5,), -2.0)
        optimizer.step()
    assert torch.equal(straight, resumed)


def bitext(lengths: list[tuple[int, int]]) -> list[dict[str, Any]]:
    """Return sentence pairs of such lengths as fairseq's samples; each ends with its end."""
    return [
        {"id": number, "source": sentence(source), "target": sentence(target)}
        for number, (source, target) in enumerate(lengths)
    ]


def sentence(length: int) -> Any:
    return torch.cat([torch.randint(4, 99, (length - 1,)), torch.tensor([END])])


def assert_equal(mine: Any, theirs: Any) -> None:
    """Compare two batches, whatever is inside them."""
    assert type(mine) is type(theirs)
    if isinstance(mine, dict):
        assert mine.keys() == theirs.keys()
        for key in mine:
            assert_equal(mine[key], theirs[key])
    elif isinstance(mine, torch.Tensor):
        torch.testing.assert_close(mine, theirs)
    else:
        assert mine == theirs


@pytest.mark.parametrize("lengths", [[(5, 3)], [(1, 1), (4, 1)], [(3, 7), (6, 2), (6, 7), (1, 9)]])
@pytest.mark.parametrize("widths", [None, {"source": 2, "target": 11}])
@pytest.mark.parametrize("left", [True, False])
def test_batches_equal_fairseqs(
    lengths: list[tuple[int, int]], widths: dict[str, int] | None, left: bool
) -> None:
    samples = bitext(lengths)
    stock = language_pair_dataset.collate
    options = {"left_pad_source": left, "pad_to_length": widths}
    theirs = stock(samples, PADDING, END, **options)
    assert_equal(fast_collate.replacing(stock)(samples, PADDING, END, **options), theirs)


def test_bitext_with_more_than_two_sides_is_left_to_fairseq() -> None:
    samples = [{**sample, "constraints": torch.tensor([1])} for sample in bitext([(3, 4), (2, 2)])]
    stock = language_pair_dataset.collate
    batch = fast_collate.replacing(stock)(samples, PADDING, END)
    assert batch["constraints"].tolist() == [[1], [1]]
