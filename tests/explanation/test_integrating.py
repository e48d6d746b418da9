"""Integrated Gradients of sequences, against captum and networks whose answer is known."""

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients

from brainmri.errors import ExplanationError, StopRequested
from brainmri.explanation.baselines import blur, default_sigma_px
from brainmri.explanation.integrating import integrate_sequences
from brainmri.explanation.sequence_gradients import (
    GRADIENTS_FILE,
    GradientContributions,
    RunGradients,
    read_gradients,
    write_gradients,
)
from brainmri.training.architectures import build_model
from brainmri.training.normalisation import IMAGENET_NORMALISATION, prepare_input
from tests.explanation.networks import AddsAndMultiplies, Fails, LooksAtOneChannel, state

PLAIN = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}


@pytest.fixture
def samples():
    return np.random.default_rng(3).integers(0, 255, (3, 3, 32, 32), dtype=np.uint8)


@pytest.mark.parametrize("architecture", ["alexnet", "googlenet", "resnet50"])
def test_sums_over_a_sequence_are_captums(architecture):
    torch.manual_seed(1)
    model = build_model(architecture, 3).eval()
    samples = np.random.default_rng(3).integers(0, 255, (2, 3, 64, 64), dtype=np.uint8)
    classes = np.array([2, 0])
    values, difference = integrate_sequences(model, samples, classes, normalisation=IMAGENET_NORMALISATION, nodes=6)

    inputs = prepare_input(torch.from_numpy(samples), IMAGENET_NORMALISATION)
    blurred = blur(inputs, default_sigma_px(64))  # the same before and after normalising: both are linear
    theirs = IntegratedGradients(model).attribute(
        inputs, blurred, target=torch.from_numpy(classes), n_steps=6, method="gausslegendre"
    )
    scale = np.abs(values).max()
    np.testing.assert_allclose(values, theirs.sum(dim=(2, 3)).detach().numpy(), atol=1e-3 * scale)
    with torch.no_grad():
        both = (model(inputs) - model(blurred))[[0, 1], classes].numpy()
    np.testing.assert_allclose(difference, both, atol=1e-3 * max(1e-3, np.abs(both).max()))


@pytest.mark.parametrize("channel", range(3))
def test_a_network_that_looks_at_one_channel_gives_it_all_the_credit(samples, channel):
    model = LooksAtOneChannel(channel)
    values, difference = integrate_sequences(model, samples, [0, 1, 2], normalisation=PLAIN, nodes=2)
    others = [place for place in range(3) if place != channel]
    assert np.abs(values[:, others]).max() == 0
    np.testing.assert_allclose(values[:, channel], difference, atol=1e-6)  # two nodes are exact for a parabola


def test_values_add_up_and_a_product_is_shared(samples):
    values, difference = integrate_sequences(AddsAndMultiplies(), samples, [0, 0, 0], normalisation=PLAIN, nodes=2)
    np.testing.assert_allclose(values.sum(axis=1), difference, atol=1e-6)
    images = torch.from_numpy(samples).float() / 255
    (a, b, c), (blurred_a, blurred_b, blurred_c) = (
        one.mean(dim=(2, 3)).T.numpy() for one in (images, blur(images, default_sigma_px(32)))
    )
    np.testing.assert_allclose(values[:, 1], 2 * (b - blurred_b), atol=1e-6)
    np.testing.assert_allclose(values[:, 2], (c - blurred_c) * (a + blurred_a) / 2, atol=1e-6)


def test_the_network_is_left_as_it_was_after_an_error(samples):
    model = Fails().train()
    before = state(model)
    with pytest.raises(RuntimeError, match="the network failed"):
        integrate_sequences(model, samples, [0, 0, 0], normalisation=PLAIN)
    assert state(model) == before


def test_work_tells_how_far_it_is_and_can_be_stopped(samples):
    def stop(share, text):
        if share > 0.5:
            raise StopRequested(text)

    with pytest.raises(StopRequested, match="Gradients of image 3 of 3"):
        integrate_sequences(LooksAtOneChannel(0), samples, [0, 0, 0], normalisation=PLAIN, progress=stop)


@pytest.fixture
def found():
    return RunGradients(
        made_from="a training",
        sample_index=np.array([4, 7, 9]),
        class_index=np.array([1, 1, 0]),
        values=np.array([[1, 0, 3], [2, -1, 5], [0, 0, 0]], dtype=np.float32),
        difference=np.array([4, 7, 0], dtype=np.float32),
    )


def test_gradients_come_back_as_they_were_written(study, found):
    assert read_gradients(study, "exp-001-alexnet-01") is None
    write_gradients(study, "exp-001-alexnet-01", found)
    back = read_gradients(study, "exp-001-alexnet-01")
    assert back.made_from == "a training"
    for name in ("sample_index", "class_index", "values", "difference"):
        np.testing.assert_array_equal(getattr(back, name), getattr(found, name))


def test_a_damaged_file_is_reported(study, found):
    write_gradients(study, "exp-001-alexnet-01", found)
    (study.run_folder("exp-001-alexnet-01") / GRADIENTS_FILE).write_bytes(b"PK nothing")
    with pytest.raises(ExplanationError, match="explain-all exp-001-alexnet-01 --again"):
        read_gradients(study, "exp-001-alexnet-01")


def test_a_case_has_the_mean_over_its_slices_and_says_what_is_missing(found):
    case = found.of([4, 7], 1)
    assert case.values == pytest.approx((1.5, -0.5, 4))
    assert (case.difference, case.missing) == pytest.approx((5.5, 0.5))
    assert found.of([4, 9], 1) is None  # explained for another class
    assert found.of([4, 5], 1) is None  # not tested
    assert found.of([], 1) is None


def test_the_comparison_names_agreement_and_disagreement():
    one = GradientContributions(values=(1.0, -1.0, 2.0), difference=2.0)
    same = one.compare((0.5, 0.0, 1.5))
    assert "gives T1 25\u00a0%, T2 -25\u00a0%, T1c 50\u00a0%;" in same
    assert "give T1 25\u00a0%, T2 0\u00a0%, T1c 75\u00a0%." in same
    assert same.endswith("Both give T1c the largest part.")
    assert "the one gives T1c the largest part, the other T1." in one.compare((3.0, 0.0, 1.0))
    nothing = GradientContributions(values=(0, 0, 0), difference=0)
    assert "gives T1 0\u00a0%, T2 0\u00a0%, T1c 0\u00a0%;" in nothing.compare((0, 0, 1))


def test_what_the_gradients_leave_out_is_told_where_it_matters():
    rough = GradientContributions(values=(1.0, 0.0, 2.0), difference=3.5)
    assert "leave +0.50 of +3.50 out: read them roughly" in rough.compare((1, 0, 2))
    assert "leave" not in GradientContributions(values=(1.0, 0.0, 2.0), difference=3.2).compare((1, 0, 2))
