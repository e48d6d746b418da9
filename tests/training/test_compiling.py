"""Training with a compiled network. The compiler's own back end needs a C++ compiler; torch's tracing does not."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from brainmri.errors import TrainingError
from brainmri.training.compiling import compile_network, is_compiler_error
from brainmri.training.loop import train_run
from brainmri.training.settings import TrainingSettings
from tests.training.training_studies import blobs

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def train(**changes):
    labels = np.arange(18) % 3
    values = {"epochs": 2, "batch_size": 6, "weights": "scratch", "device": "cpu", "learning_rate": 0.01}
    return train_run(
        blobs(labels, 64),
        labels,
        np.arange(12),
        np.arange(12, 18),
        architecture="googlenet",
        settings=TrainingSettings(**values | changes),
        seed=1,
    )


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let `torch.compile` trace and differentiate, without generating code; return a list that grows by each graph."""
    from torch._dynamo.backends.debugging import aot_eager

    graphs: list[int] = []

    def backend(graph, inputs):
        graphs.append(len(inputs))
        return aot_eager(graph, inputs)

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=backend))
    yield graphs
    torch._dynamo.reset()


def test_a_compiled_training_learns_what_an_ordinary_one_does(traced) -> None:
    ordinary, compiled = train(), train(compiled=True)
    assert traced, "the network was compiled"
    assert set(compiled.model.state_dict()) == set(ordinary.model.state_dict())
    np.testing.assert_allclose(compiled.probabilities, ordinary.probabilities, atol=0.05)
    assert [epoch.train_loss for epoch in compiled.epochs] == pytest.approx(
        [epoch.train_loss for epoch in ordinary.epochs], rel=0.02
    )


def test_a_machine_that_cannot_compile_is_told_what_to_do(monkeypatch) -> None:
    class BackendCompilerError(RuntimeError):
        pass

    BackendCompilerError.__module__ = "torch._dynamo.exc"

    def broken(*_arguments, **_options):
        def fail(_batch):
            raise BackendCompilerError("no C++ compiler found\nmore lines")

        return fail

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.raises(TrainingError, match=r"cannot be compiled on this machine \(no C\+\+ compiler found\)"):
        compile_network(torch.nn.Identity())(torch.zeros(1))


def test_an_error_of_the_network_itself_stays_what_it_is() -> None:
    assert not is_compiler_error(RuntimeError("shapes do not match"))
