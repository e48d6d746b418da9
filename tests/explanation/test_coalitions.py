"""The eight games, on networks whose answer is known by hand and on those of the study."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.special import log_softmax
from torch.nn import functional

from brainmri.errors import ExplanationError
from brainmri.explanation.baselines import blur, draw_donors, mean_image
from brainmri.explanation.coalitions import coalition_logits, contributions_of_run, make_baseline
from brainmri.explanation.contributions import Baseline, RunContributions
from brainmri.explanation.trained import TrainedRun
from brainmri.training.architectures import build_model
from brainmri.training.loop import predict
from brainmri.training.normalisation import IMAGENET_NORMALISATION
from brainmri.training.records import Run
from tests.explanation.networks import AddsAndMultiplies, Fails, LooksAtOneChannel, state

AS_IT_IS = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}
CASES = ["case-1", "case-1", "case-2", "case-2", "case-3", "case-3"]
BASELINES = ("blurred", "mean", "other-patient")


@pytest.fixture
def samples():
    return np.random.default_rng(3).integers(0, 256, (6, 3, 16, 16), dtype=np.uint8)


def trained(model, classes=("a", "b", "c"), normalisation=AS_IT_IS):
    meta = {"classes": classes, "normalisation": normalisation}
    return TrainedRun(Run(run_id="exp-001-alexnet-01"), None, model, meta, "", model)


def explained(model, samples, baseline, *, tested=(0, 2, 4, 5), **about):
    return contributions_of_run(
        trained(model, **about), samples, tested, make_baseline(baseline, 16, seed=1), train=[1, 3], case_ids=CASES
    )


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_a_network_that_looks_at_one_channel_gives_it_all_the_credit(samples, channel, baseline):
    found = explained(LooksAtOneChannel(channel), samples, baseline)
    for sample in found.sample_index:
        for class_index in range(3):
            for score in ("logit", "probability"):
                one = found.of(sample, class_index, score)
                others = [value for place, value in enumerate(one.values) if place != channel]
                assert others == pytest.approx([0, 0], abs=1e-7)
                assert one.values[channel] == pytest.approx(one.total, abs=1e-7)
    assert any(abs(found.of(sample, 0, "logit").total) > 1e-3 for sample in found.sample_index)


def test_a_network_that_multiplies_two_channels_shares_the_product(samples):
    model = AddsAndMultiplies()
    found = explained(model, samples, "mean", classes=("a", "b"))
    x = samples[2].mean(axis=(1, 2)) / 255
    z = samples[[1, 3]].mean(axis=(0, 2, 3)) / 255
    # f = a + 2b + ac. The product goes to a and c: each gets the mean of what it adds with the other there and away.
    expected = (
        (x[0] - z[0]) + (x[0] - z[0]) * (x[2] + z[2]) / 2,
        2 * (x[1] - z[1]),
        (x[2] - z[2]) * (x[0] + z[0]) / 2,
    )
    assert found.of(2, 0, "logit").values == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("architecture", "baseline"),
    [("alexnet", "blurred"), ("resnet50", "blurred")] + [("googlenet", baseline) for baseline in BASELINES],
)
def test_contributions_add_up_to_the_difference_of_two_predictions(architecture, baseline):
    torch.manual_seed(2)
    model = build_model(architecture, 3)
    with torch.no_grad():
        list(model.parameters())[-2].mul_(20)  # a fresh head is too faint to tell numbers apart
    samples = np.random.default_rng(3).integers(0, 256, (3, 3, 64, 64), dtype=np.uint8)
    found = contributions_of_run(
        trained(model, normalisation=IMAGENET_NORMALISATION),
        samples,
        [0, 2],
        make_baseline(baseline, 64, seed=1),
        train=[1],
        case_ids=CASES[:5:2],
    )
    whole = predict(model, samples[[0, 2]])
    for place, sample in enumerate((0, 2)):
        for class_index in range(3):
            one = found.of(sample, class_index)
            assert one.full == pytest.approx(whole[place, class_index], abs=1e-5)
            assert sum(one.values) == pytest.approx(whole[place, class_index] - one.empty, abs=1e-5)
    if baseline == "mean":
        np.testing.assert_allclose(
            [found.of(0, index).empty for index in range(3)], predict(model, samples[[1]])[0], atol=1e-5
        )
    if baseline == "other-patient":  # the other of the two is the only donor
        np.testing.assert_allclose([found.of(0, index).empty for index in range(3)], whole[1], atol=1e-5)


def test_each_coalition_keeps_the_sequences_of_its_bits(samples):
    seen = []

    class Notes(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, images):
            seen.append(images.clone())
            return images.mean(dim=(2, 3))

    coalition_logits(
        Notes(), samples[:1], lambda _part, images: torch.zeros(1, 1, *images.shape[1:]), normalisation=AS_IT_IS
    )
    shown = torch.cat(seen).amax(dim=(2, 3)) > 0
    assert shown.tolist() == [
        [False, False, False],
        [True, False, False],
        [False, True, False],
        [True, True, False],
        [False, False, True],
        [True, False, True],
        [False, True, True],
        [True, True, True],
    ]


def test_batches_do_not_change_the_games(samples):
    def replace(_part, images):
        return torch.stack([1 - images, images / 2], dim=1)

    games = [
        coalition_logits(LooksAtOneChannel(1), samples, replace, normalisation=AS_IT_IS, batch_size=size)
        for size in (2, 100)
    ]
    assert games[0].shape == (6, 2, 8, 3)
    np.testing.assert_allclose(games[0], games[1], rtol=1e-6)


def test_work_tells_how_far_it_is(samples):
    told = []
    contributions_of_run(
        trained(LooksAtOneChannel(0)), samples, [0, 1], make_baseline("blurred", 16), progress=lambda *a: told.append(a)
    )
    assert told == [(0.0, "Sequences of image 1 of 2")]


def test_the_network_is_left_as_it_was(samples):
    model = AddsAndMultiplies().train()
    before = state(model)
    first, second = (explained(model, samples, "blurred", classes=("a", "b")) for _ in range(2))
    assert state(model) == before
    np.testing.assert_array_equal(first.logits, second.logits)  # no dropout


def test_the_network_is_left_as_it_was_after_an_error(samples):
    model = Fails()
    before = state(model)
    for _ in range(2):  # the lock is free again
        with pytest.raises(RuntimeError, match="the network failed"):
            explained(model, samples, "blurred")
    assert state(model) == before


@pytest.mark.parametrize("sigma_px", [0.8, 3.0, 6.4])
def test_blurring_is_scipys_gaussian_filter(sigma_px):
    images = np.random.default_rng(0).random((2, 3, 24, 17))
    expected = ndimage.gaussian_filter(images, sigma_px, axes=(2, 3), mode="nearest")
    np.testing.assert_allclose(blur(torch.from_numpy(images), sigma_px).numpy(), expected, atol=1e-10)


def test_the_mean_image_is_that_of_the_chosen_samples(samples, monkeypatch):
    monkeypatch.setattr("brainmri.explanation.baselines._MEAN_CHUNK", 2)
    np.testing.assert_allclose(mean_image(samples, [0, 3, 4]), samples[[0, 3, 4]].mean(axis=0), rtol=1e-6)
    with pytest.raises(ExplanationError, match="the run has none"):
        mean_image(samples, [])


def test_donors_are_other_patients_and_the_same_for_the_same_seed():
    donors = draw_donors(CASES, draws=20, seed=4)
    cases = np.array(CASES)
    assert (cases[donors] != cases[:, None]).all()
    assert {len(set(row)) for row in donors.tolist()} == {4}
    np.testing.assert_array_equal(donors, draw_donors(CASES, draws=20, seed=4))
    assert (donors != draw_donors(CASES, draws=20, seed=5)).any()
    with pytest.raises(ExplanationError, match="all 2 samples are of case-1"):
        draw_donors(CASES[:2], draws=1, seed=0)


def test_baselines_that_make_no_sense_are_refused(samples):
    with pytest.raises(ExplanationError, match="no baseline 'black'; expected blurred, mean or other-patient"):
        make_baseline("black", 64)
    with pytest.raises(ExplanationError, match="sigma above 0 pixels; found None"):
        contributions_of_run(trained(LooksAtOneChannel(0)), samples, [0], Baseline(name="blurred"))


def test_the_blur_grows_with_the_image():
    assert make_baseline("blurred", 224).sigma_px == pytest.approx(22.4)
    assert make_baseline("blurred", 64).sigma_px == pytest.approx(6.4)


def test_probabilities_are_torchs(samples):
    found = explained(LooksAtOneChannel(2), samples, "blurred")
    assert isinstance(found, RunContributions)
    expected = functional.softmax(torch.from_numpy(found.logits[:, 0]), dim=-1).numpy()
    np.testing.assert_allclose(found.scores("probability"), expected, rtol=1e-5)
    np.testing.assert_allclose(
        np.log(found.scores("probability")), log_softmax(found.logits[:, 0], axis=-1), rtol=1e-4, atol=1e-6
    )
