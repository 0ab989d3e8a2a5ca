"""Models that run as a plan."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping
from functools import partial
from threading import current_thread, get_ident
from typing import Any

import numpy as np

from tinytorch.core.arguments import Rng
from tinytorch.core.conversion import whole_numbers
from tinytorch.core.graph import wrapped
from tinytorch.core.model import Backend, Planned, as_call, inference, set_training_mode
from tinytorch.core.ops import SHOWN, WATCHES, Array
from tinytorch.core.sampling import Sampling
from tinytorch.core.state import state_dict
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.core.transformers import GPT, Completion
from tinytorch.errors import UsageError
from tinytorch.perf.acceleration.agreement import CODES_TOLERANCE, TOLERANCE, check_plan, vocabularies
from tinytorch.perf.acceleration.backends import calls_of, check_backend
from tinytorch.perf.acceleration.binding import Call
from tinytorch.perf.acceleration.decoder import AT_ONCE, Decoder
from tinytorch.perf.acceleration.decoding import attentions_of
from tinytorch.perf.acceleration.fusion import Parts, check_parts, fused_parts, is_as_built
from tinytorch.perf.acceleration.layout import lay_out
from tinytorch.perf.acceleration.moved import PlanWork, work_of
from tinytorch.perf.acceleration.plan import make_plan
from tinytorch.perf.acceleration.simplify import simplified
from tinytorch.perf.acceleration.trace import trace

ALL = ...
MOST_CHECKED = 1023  # tokens of a sequence: parts of a prompt, then single ones


class CompiledModel(Planned):
    """`model`, for inference, as a planned sequence of array calls over memory that is there before.

    Inputs of another shape than before are planned for once, and the memory of the shape before is given back. Calls
    share that memory, so that only the thread that made the plan may call it: UsageError names another one. Outputs are
    nobody's but the caller's. Files carry no plan; a loaded model makes its own. `model` is fused and laid out anew,
    and computes the same; it is not to be changed any more. `parts` of it were fused (`fused_parts`): where a class of
    somebody else's is in it, a plan for another shape is held against it, too, and refused where it differs.
    """

    kind = "Sequential"  # a container: what counts is in it

    def __init__(self, model: Any, example: Array, backend: Backend = "numpy", parts: Parts | None = None) -> None:
        lay_out(model)
        self.model, self.backend, self.training, self._parts = model, backend, False, parts
        self._plan_for(example)

    def __call__(self, inputs: Tensor | Array) -> Tensor:
        """`forward`; for a small network every step of Python here counts."""
        if get_ident() != self._thread:
            self._refuse_thread()
        array: Any = inputs
        if type(inputs) is not np.ndarray:  # the quickest question first
            array = inputs.data if isinstance(inputs, Tensor) else _as_array(inputs)
        if array.shape != self._shape or self._is_whole or WATCHES:
            if WATCHES:
                return self._shown(array)
            array = self._planned_for(array)
        try:
            return wrapped(Tensor, self._run(array))
        except ValueError as error:
            if isinstance(error, UsageError):
                raise
            raise UsageError(f"inputs must be an array of numbers: {error}") from error

    def forward(self, inputs: Tensor) -> Tensor:
        """What `model` computes, without gradients."""
        return self(inputs)

    def _refuse_thread(self) -> None:
        other = current_thread().name
        raise UsageError(
            f"the thread {other!r} called a plan of the thread {self._owner!r}: both would write into one memory",
            mend="compile the model in each thread, or give each a copy: copy.deepcopy(compiled)",
        )

    def _planned_for(self, array: Array) -> Array:
        """The inputs in the example's type, and a plan for their shape; UsageError for fractions in place of tokens."""
        inputs = whole_numbers(array) if self._is_whole else array
        if self._is_whole and inputs.dtype.kind == "f":
            raise UsageError("a model that was compiled for integers needs whole numbers")
        inputs = inputs.astype(self._inputs.dtype, copy=False)
        if inputs.shape != self._shape:
            self._plan_for_another(inputs)
        return inputs

    def _plan_for_another(self, inputs: Array) -> None:
        """A plan for inputs of another shape; where it is refused, that of the shape before stays."""
        if self._parts is None:
            self._plan_for(inputs)
            return
        check_parts(self.model, self._parts, inputs)
        before = dict(vars(self))
        self._plan_for(inputs)
        try:
            check_plan(self.model, self, inputs)
        except UsageError:
            vars(self).update(before)
            raise

    def _shown(self, array: Array) -> Tensor:
        """The output by operations, layer after layer, for who counts or traces them."""
        SHOWN[:] = [type(self)]
        with inference(self.model), no_grad():
            outputs: Any = as_call(self.model)(Tensor(array))
        return Tensor(outputs.data)

    def _plan_for(self, example: Array) -> None:
        inputs = Tensor(example).data
        inputs = inputs.astype(np.int64 if inputs.dtype.kind in "iub" else inputs.dtype)  # a copy; tokens of any size
        self._thread, self._owner = get_ident(), current_thread().name
        self._inputs, calls, output = self._planned(inputs)
        self._run = _runner(self._inputs, calls, output)
        self._shape, self._is_whole = inputs.shape, inputs.dtype.kind != "f"

    def _planned(self, example: Array) -> tuple[Array, list[Call], Array]:
        """What inputs like the example are written to, what is then called, and where the output is afterwards."""
        plan = make_plan(simplified(trace(self.model, example)), with_one=self.backend == "numpy")
        return plan.inputs, calls_of(plan.instructions, self.backend), plan.output

    def plan_work(self, inputs: Tensor | Array) -> PlanWork:
        """What the plan for such inputs does at least: operations of products; bytes, weights as they are kept."""
        array = self._planned_for(inputs.data if isinstance(inputs, Tensor) else np.asarray(inputs))
        plan = make_plan(simplified(trace(self.model, array)))
        plan.inputs[...] = array
        return work_of(plan, self.backend)

    def state_dict(self) -> dict[str, Array]:
        """That of `model`."""
        return state_dict(self.model)

    def load_state_dict(self, arrays: Mapping[str, Any]) -> None:
        """Refused: a plan holds on to weights as they were."""
        raise UsageError(
            "a compiled model cannot load weights", mend="load them into its model, and compile that again"
        )

    def __getstate__(self) -> dict[str, Any]:
        state = {"model": self.model, "backend": self.backend, "shape": self._shape, "dtype": self._inputs.dtype.str}
        return state if self._parts is None else {**state, "parts": self._parts}

    def __setstate__(self, state: dict[str, Any]) -> None:
        example = np.zeros(state["shape"], state["dtype"])
        others = {"cache_bits": state["cache_bits"]} if "cache_bits" in state else {}
        self.__init__(state["model"], example, state["backend"], state.get("parts"), **others)  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"CompiledModel({self.model!r}, {self.backend})"


def _as_array(inputs: Any) -> Array:
    """Numbers in lists as an array; UsageError for what are none."""
    try:
        array = np.asarray(inputs)
    except ValueError as error:
        raise UsageError(f"inputs must be an array of numbers: {error}") from error
    if array.dtype.kind not in "biuf":
        raise UsageError(f"inputs must be an array of numbers, not of {array.dtype}")
    return array


def _runner(inputs: Array, calls: list[Call], output: Array) -> Callable[[Array], Array]:
    """A function that fills the inputs, makes all calls, and copies the output; its variables are found fastest."""
    fill, copied = inputs.__setitem__, output.copy
    call = calls[0] if len(calls) == 1 else partial(_make, calls)

    def run(array: Array) -> Array:
        fill(ALL, array)
        call()
        return copied()

    return run


def _make(calls: list[Call]) -> None:
    for call in calls:
        call()


class CompiledGPT(CompiledModel):
    """A GPT, or a Completion of one, or any model of scores (N, T, vocabulary) with our embeddings, positions and
    attention, that generates by plans, too, and keeps keys and values while it does.

    The cache holds the sequences of the last generation; its memory stays. Its numbers have as many bits as those of
    the `KVCache` that the model had.
    """

    kind = CompiledModel.kind

    def __init__(
        self,
        model: Any,
        example: Array,
        backend: Backend = "numpy",
        parts: Parts | None = None,
        cache_bits: int = 32,
    ) -> None:
        self.cache_bits = cache_bits
        super().__init__(model, example, backend, parts)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "cache_bits": self.cache_bits}

    @property
    def gpt(self) -> Any:
        """The model of scores itself, most often a GPT."""
        return self.model.gpt if type(self.model) is Completion else self.model

    def generate(
        self,
        prompt_tokens: Any,
        max_new_tokens: int = 50,
        temperature: float = 1.0,
        rng: Rng = None,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: int | Collection[int] | None = None,
    ) -> Tensor:
        """As `GPT.generate`; UsageError beyond `max_seq_len`, which a cache cannot slide over."""
        if get_ident() != self._thread:
            self._refuse_thread()
        sampling = Sampling(temperature, top_k, top_p)
        return self._decoder.generate(prompt_tokens, max_new_tokens, sampling, rng, stop)

    def plan_work(self, inputs: Tensor | Array) -> PlanWork:
        """Of a Completion that of all passes over its tokens."""
        if type(self.model) is not Completion:
            return super().plan_work(inputs)
        return self._decoder.work(len(np.asarray(inputs)), self.model.prompt_length, self.model.new_tokens)

    def check_generation(self, model: Any) -> None:
        """UsageError where plans that look back at a cache give other scores than `model` for whole sequences."""
        plain = model.gpt if type(model) is Completion else model
        length = min(self._decoder.context, MOST_CHECKED)
        tokens = np.random.default_rng(0).integers(0, self._decoder.vocab_size, (2, length))
        with inference(plain), no_grad():
            wanted = np.asarray(as_call(plain)(Tensor(tokens)))
        tolerance = TOLERANCE if self.cache_bits == 32 else CODES_TOLERANCE
        parts = length // AT_ONCE * AT_ONCE
        self._decoder.begin(2, length, 0)
        for end in (*range(AT_ONCE, parts + 1, AT_ONCE), *range(parts + 1, length + 1)):
            found = self._decoder.scores_after(tokens[:, :end])
            if not np.allclose(found, wanted[:, end - 1], tolerance, tolerance, equal_nan=True):
                raise UsageError(
                    "a generating plan needs attention that looks at all positions before it and none behind"
                )
        self._decoder.release()  # a cache of this size is for looking alone

    def _planned(self, example: Array) -> tuple[Array, list[Call], Array]:
        self._decoder = Decoder(self.gpt, self.backend, self.cache_bits)
        if type(self.model) is not Completion:
            return super()._planned(example)
        self.model.check_shape(example.shape)
        inputs = example.copy()
        output = np.empty((len(example), self.model.new_tokens), np.int64)
        prompts = inputs[:, : self.model.prompt_length]
        return inputs, [partial(self._decoder.complete, prompts, output)], output


def compile_model(model: Any, example: Any, backend: Backend = "numpy") -> CompiledModel:
    """`model`, of any class, as a plan for inputs like `example` (N, ...), which may be of any N afterwards.

    `backend` "numpy" calls numpy, "numba" kernels that it compiles. Outputs are the model's within 1e-5, 1e-3 where
    weights are codes. Raises UsageError for an unknown or missing back end, and for a model that computes outside of
    tensors or branches on values: it is held against its plan on other inputs than the example. A GPT, or a Completion,
    of the framework's own layers generates by a plan, too (`CompiledGPT`).
    """
    check_backend(backend)
    if isinstance(model, type):
        raise UsageError(f"compile_model needs a model, not the class {model.__name__}", mend=f"{model.__name__}(...)")
    inner = model.model if isinstance(model, CompiledModel) else model
    bits = model.cache_bits if isinstance(model, CompiledGPT) else 32
    inputs = Tensor(example).data
    if inputs.ndim < 2 or not inputs.size:
        raise UsageError(f"compile_model needs an example (N, ...) of at least one sample, got {inputs.shape}")
    try:
        return _compiled(inner, inputs, backend, bits)
    except UsageError:
        if inputs.dtype.kind == "f" or vocabularies(inner):
            raise
        return _compiled(inner, inputs.astype(np.float32), backend, bits)  # integers were numbers to compute with


def _compiled(model: Any, example: Array, backend: Backend, bits: int) -> CompiledModel:
    fused, parts = fused_parts(model, example)
    gpt = fused.gpt if type(fused) is Completion else fused
    bits = getattr(getattr(gpt, "memory", None), "bits", bits)
    if isinstance(gpt, GPT):
        gpt.memory = None  # the plan has a cache of its own
    if type(gpt) is GPT and is_as_built(gpt):
        return CompiledGPT(fused, example, backend, cache_bits=bits)
    generating = _generating(fused, model, example, backend, parts, bits) if attentions_of(fused) else None
    if generating is not None:
        return generating
    try:
        return _checked(CompiledModel(fused, example, backend, parts), model, example)
    except UsageError:
        unfused = copy.deepcopy(model)  # perhaps it read a weight that fusing changed
        set_training_mode(unfused, False)
        return _checked(CompiledModel(unfused, example, backend, []), model, example)


def _generating(
    fused: Any, model: Any, example: Array, backend: Backend, parts: Parts | None, bits: int
) -> CompiledGPT | None:
    """The model with plans that generate; None where its attention, or what goes in, is not what they take it for."""
    if example.dtype.kind not in "iu" or _generates_otherwise(fused.gpt if type(fused) is Completion else fused):
        return None
    try:
        compiled = CompiledGPT(fused, example, backend, parts, bits)
        if type(fused) is not Completion:
            check_plan(model, compiled, example)
        compiled.check_generation(model)
    except UsageError:
        return None
    return compiled


def _generates_otherwise(gpt: Any) -> bool:
    """Whether a GPT of somebody else's class chooses tokens, or counts its positions, in a way of its own."""
    own = ("generate", "_next_scores", "max_seq_len", "vocab_size")
    return isinstance(gpt, GPT) and any(getattr(type(gpt), name) is not getattr(GPT, name) for name in own)


def _checked(compiled: CompiledModel, model: Any, example: Array) -> CompiledModel:
    check_plan(model, compiled, example)
    return compiled
