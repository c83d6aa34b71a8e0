"""Text from a trained text generator, a token after the other, in compiled blocks."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kerazoo.data import Vocabulary
from kerazoo.errors import InputError, ModelFileError
from kerazoo.inference.choosing import choose
from kerazoo.inference.decoding import BLOCK, decoder_of
from kerazoo.inference.samplers import Sampling
from kerazoo.inference.session import Session
from kerazoo.inference.stepping import Stepper
from kerazoo.inference.texts import Writer, encode_prompts, pad_rows
from kerazoo.lazy import keras
from kerazoo.model_file import origin_of
from kerazoo.options import whole_number
from kerazoo.tasks.files import check_unicode

MOST_TEXTS = 1024
_STOP_BLOCK = 64  # tokens between two looks for a stop text


def generate(
    model_or_name: keras.Model | str | os.PathLike[str],
    prompt: str | Sequence[str] = "",
    *,
    length: int = 200,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
    stop: str | Sequence[str] | None = None,
    samples: int | None = None,
    vocabulary: Vocabulary | None = None,
) -> Any:
    """Return the prompt followed by `length` generated characters (words, for a word model).

    The model reads the prompt from a zero state and then one token a step, its state carried on from the first
    token to the last. So each token depends on all before it, where a loop of `predict` over windows of 40 sees the
    last 40 alone, from a zero state every time: within 40 tokens the two agree, after that they may differ. Of a
    prompt of more than 4096 tokens the model reads the last 4096.

    Args:
        model_or_name: a model that `train` or `load_model` returned, the path of a `.keras` file or of an `.onnx` file
            that kerazoo wrote, or a name in the zoo for its pretrained weights. Any Embedding -> LSTM (-> more LSTM or
            Dropout) -> Dense with softmax will do. Pretrained weights and `.onnx` files are run by ONNX Runtime,
            without TensorFlow, Keras or JAX.
        prompt: the text to go on with, or several. An empty one stands for the begin of a line. What the model
            does not know is read as its unknown token, with a UserWarning that names it. (A model that was trained
            on unknown words writes them as U+FFFD.)
        length: tokens to generate, from 1.
        temperature: 1 draws by the model's own probabilities, less is more careful; 0 always takes the likeliest token.
        top_k: draw from the `top_k` likeliest tokens alone.
        top_p: draw from the likeliest tokens that together have this probability alone; after `top_k`.
        seed: 0 to 4294967295, the same text each time on the same machine; None draws one by Python's `random`. Of
            several texts each has draws of its own, which do not depend on how many follow it.
        stop: a text, or several, before the first of which the generated text ends; it is not returned.
        samples: how many texts for each prompt.
        vocabulary: for a model that carries none.

    Returns:
        A str; for several prompts a list of them; with `samples` a list of that many in the place of each str.

    Raises:
        InputError: a value cannot be used, or the model cannot generate.
    """
    request = _Request(length, Sampling(temperature, top_k, top_p), seed, stop, vocabulary)
    prompts = [prompt] if isinstance(prompt, str) else _texts("prompt", prompt)
    each = 1 if samples is None else whole_number("samples", samples)
    _check_number(len(prompts) * each)
    rows = [one for one in prompts for _ in range(each)]
    pieces = list(_pieces(model_or_name, rows, request, BLOCK)) if rows else []
    texts = [one + "".join(piece[row] for piece in pieces) for row, one in enumerate(rows)]
    grouped = texts if samples is None else [texts[i : i + each] for i in range(0, len(texts), each)]
    return grouped[0] if isinstance(prompt, str) else grouped


def stream(
    model_or_name: keras.Model | str | os.PathLike[str],
    prompt: str = "",
    *,
    length: int = 200,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
    stop: str | Sequence[str] | None = None,
    vocabulary: Vocabulary | None = None,
    block: int = 64,
) -> Iterator[str]:
    """Yield the text that `generate` returns in pieces, as they are written: the prompt, then each block.

    Args:
        model_or_name: as of `generate`, and so are the other arguments.
        prompt: one text.
        length: tokens to generate.
        temperature: of the draws.
        top_k: how many of the likeliest tokens to draw from.
        top_p: the probability of the tokens to draw from.
        seed: of the draws; the text does not depend on `block`.
        stop: what the text ends before.
        vocabulary: for a model that carries none.
        block: tokens a piece, 1 to 1024.

    Raises:
        InputError: a value cannot be used, or the model cannot generate; raised by the call, before the first piece.
    """
    request = _Request(length, Sampling(temperature, top_k, top_p), seed, stop, vocabulary)
    if not isinstance(prompt, str):
        raise InputError(f"prompt={prompt!r}: wanted one text; generate takes several")
    if whole_number("block", block) > BLOCK:
        raise InputError(f"block={block}: wanted at most {BLOCK}")
    pieces = _pieces(model_or_name, [prompt], request, block)
    return _joined(prompt, pieces)


def _joined(prompt: str, pieces: Iterator[list[str]]) -> Iterator[str]:
    yield prompt
    yield from (piece[0] for piece in pieces if piece[0])


def check_settings(
    *, length: int, temperature: float, top_k: int | None, top_p: float | None, seed: int, stop: Any, samples: int = 1
) -> None:
    """Refuse what `generate` would, without a model and so without TensorFlow.

    Raises:
        InputError: a value cannot be used.
    """
    _Request(length, Sampling(temperature, top_k, top_p), seed, stop, None)
    _check_number(whole_number("samples", samples))


def _check_number(texts: int) -> None:
    if texts > MOST_TEXTS:
        raise InputError(f"{texts} texts in one call: wanted at most {MOST_TEXTS}; call generate several times")


@dataclass(frozen=True)
class _Request:
    """What is wanted of each text; checked when made."""

    length: int
    sampling: Sampling
    seed: int | None
    stop: Any
    vocabulary: Vocabulary | None

    def __post_init__(self) -> None:
        whole_number("length", self.length)
        if self.length >= 2**31:
            raise InputError(f"length={self.length}: wanted less than {2**31}")
        seed = random.randrange(2**32) if self.seed is None else whole_number("seed", self.seed, 0)
        if seed >= 2**32:
            raise InputError(f"seed={seed}: wanted a whole number from 0 to 4294967295")
        object.__setattr__(self, "seed", seed)
        stop = [] if self.stop is None else _texts("stop", [self.stop] if isinstance(self.stop, str) else self.stop)
        if "" in stop:
            raise InputError("stop is an empty text, which would end every text at once; leave it out")
        object.__setattr__(self, "stop", stop)


def _texts(what: str, given: Any) -> list[str]:
    if not (isinstance(given, (list, tuple)) and all(isinstance(text, str) for text in given)):
        raise InputError(f"{what}={given!r}: wanted a text or a list of texts")
    return list(given)


def _pieces(model_or_name: Any, prompts: list[str], request: _Request, block: int) -> Iterator[list[str]]:
    """Check everything now, and return what yields the next piece of each text."""
    for text in prompts:
        check_unicode(text, "the prompt")
    model = _model_of(model_or_name)
    decoder: Any = Stepper(model) if isinstance(model, Session) else decoder_of(model)
    vocabulary = _vocabulary_of(model, request.vocabulary, decoder.vocab_size)
    ids = encode_prompts(prompts, vocabulary)
    writers = [Writer(vocabulary, text, row[-1], request.stop) for text, row in zip(prompts, ids, strict=True)]
    weights = decoder.weights()
    return _written(decoder, weights, ids, writers, request, min(block, _STOP_BLOCK) if request.stop else block)


def _written(
    decoder: Any, weights: Any, ids: list[list[int]], writers: list[Writer], request: _Request, block: int
) -> Iterator[list[str]]:
    batch = 1 << (len(ids) - 1).bit_length()  # rows are added up to a power of two, so that few sizes are compiled
    tokens, lengths = pad_rows([row[:-1] for row in ids], batch)
    states = decoder.read(weights, decoder.start(batch), tokens, lengths)
    last: Any = pad_rows([row[-1:] for row in ids], batch)[0][:, 0]
    for position in range(0, request.length, block):
        count = min(block, request.length - position)
        written, states, last = decoder.write(weights, states, last, request.sampling, request.seed, position, count)
        yield [writer.add(row.tolist()) for writer, row in zip(writers, written, strict=False)]
        if all(writer.done for writer in writers):
            return
    yield [writer.finish() for writer in writers]


def _model_of(given: Any) -> Session | keras.Model:
    chosen = choose(given)
    if isinstance(given, str) and chosen.spec and not chosen.task.generates:
        raise InputError(f"the model '{chosen.name}' does not write text; 'textgen_lstm' does")
    try:
        return chosen.load()
    except ModelFileError:
        raise
    except InputError as error:
        message = f"'{given}' has no pretrained weights here; give a model, e.g. kerazoo.load_model('run/model.keras')"
        raise InputError(message) from error


def _vocabulary_of(model: Any, given: Vocabulary | None, size: int) -> Vocabulary:
    origin = model.origin if isinstance(model, Session) else origin_of(model)
    vocabulary = given if given is not None else origin.vocabulary
    if vocabulary is None:
        advice = "train it with kerazoo.train, load a file that kerazoo.save_model wrote, or give vocabulary="
        raise InputError(f"the model '{model.name}' carries no vocabulary; {advice}")
    if not isinstance(vocabulary, Vocabulary) or len(vocabulary) != size:
        known = f"{len(vocabulary)} tokens" if isinstance(vocabulary, Vocabulary) else f"a {type(vocabulary).__name__}"
        raise InputError(f"the vocabulary is {known}, the model writes {size}; give the Vocabulary it was trained with")
    return vocabulary
