"""What can be measured of maps without the network, on maps whose answer is known by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from brainmri.errors import ExplanationError
from brainmri.explanation.faithfulness import (
    EnergyShare,
    PerturbationCurves,
    RandomisationCheck,
    RandomisationStep,
    centre_square,
    energy_share,
    rank_correlation,
    rank_pixels,
    stability,
)
from brainmri.explanation.maps import RunMaps
from brainmri.explanation.stored_faithfulness import (
    RunFaithfulness,
    faithfulness_file,
    read_faithfulness,
    stability_over_repeats,
    write_faithfulness,
)

RUN = "exp-001-alexnet-01"


def test_the_share_of_energy_counts_evidence_for_the_class_only():
    evidence = np.array([[3.0, 1.0], [-5.0, 0.0]])
    inside = np.array([[True, False], [True, False]])
    found = energy_share(evidence, "tumour", inside)
    assert (found.share, found.area) == (0.75, 0.5)
    assert found.describe().startswith("75% of the map's evidence lies inside the tumour's outline, which covers 50%")


def test_a_map_without_focus_has_the_share_of_the_area():
    found = energy_share(np.full((7, 7), 0.3), "centre", centre_square(64))
    assert found.share == pytest.approx(found.area)
    assert found.area == 0.25


def test_a_map_without_evidence_has_no_share():
    found = energy_share(-np.ones((2, 2)), "centre", centre_square(8))
    assert found.share is None
    assert "no evidence" in found.describe()


def test_pixels_of_equal_evidence_are_in_random_order():
    evidence = np.zeros((16, 16))
    evidence[10, 3], evidence[2, 2] = 2.0, 1.0
    ranks = rank_pixels(evidence, (16, 16))
    assert (ranks[10, 3], ranks[2, 2]) == (0, 1)
    np.testing.assert_array_equal(np.sort(ranks.ravel()), np.arange(256))
    rest = ranks[evidence == 0]
    assert abs(np.corrcoef(rest, np.arange(len(rest)))[0, 1]) < 0.2
    np.testing.assert_array_equal(ranks, rank_pixels(evidence, (16, 16)))
    assert (ranks != rank_pixels(evidence, (16, 16), seed=1)).any()


def test_areas_are_those_of_trapezia():
    curves = PerturbationCurves(shares=(0.0, 0.5, 1.0), deletion=(0.9, 0.3, 0.1), insertion=(0.1, 0.7, 0.9))
    assert curves.deletion_area == pytest.approx(0.5 * (0.9 + 0.3) / 2 + 0.5 * (0.3 + 0.1) / 2)
    assert curves.insertion_area == pytest.approx(0.6)
    assert curves.difference == pytest.approx(0.2)
    assert "0.40" in curves.describe()
    assert "+0.20" in curves.describe()


def block(top, left, size=20):
    values = np.zeros((size, size))
    values[top : top + 5, left : left + 8] = np.arange(1, 41).reshape(5, 8)  # 40 of 400 pixels: a tenth
    return values


def test_stability_is_the_overlap_of_top_tenths():
    same = stability([block(3, 4), 2 * block(3, 4)], 20)
    assert (same.mean_iou, same.maps, same.empty) == (1.0, 2, 0)
    assert stability([block(0, 0), block(10, 10)], 20).mean_iou == 0.0
    half = stability([block(3, 4), block(3, 8)], 20)  # 20 pixels in both, 60 in one or the other
    assert half.mean_iou == pytest.approx(20 / 60)
    three = stability([block(3, 4), block(3, 8), block(3, 4), np.zeros((20, 20))], 20)
    assert three.mean_iou == pytest.approx((1 / 3 + 1 / 3 + 1) / 3)
    assert (three.lowest_iou, three.maps, three.empty) == (pytest.approx(1 / 3), 3, 1)
    assert "3 repeats overlap by 0.56" in three.describe()


def test_pixels_without_evidence_do_not_belong_to_the_top_tenth():
    few = np.zeros((20, 20))
    few[3, 4:8] = 1.0
    assert stability([few, few + block(3, 4)], 20).mean_iou == pytest.approx(4 / 40)


def test_chance_is_what_random_maps_have():
    draw = np.random.default_rng(0)
    found = stability(list(draw.random((20, 30, 30))), 30)
    assert found.chance == pytest.approx(0.1 / 1.9)
    assert found.mean_iou == pytest.approx(found.chance, abs=0.005)


def test_stability_needs_two_maps_with_evidence():
    alone = stability([block(0, 0), np.zeros((20, 20))], 20)
    assert alone.mean_iou is None
    assert alone.lowest_iou is None
    assert "found 1" in alone.describe()


def test_stability_over_repeats_takes_those_that_tested_the_image():
    maps = [
        RunMaps("layer", ("a", "b"), 20, np.array(tested), np.stack([[block(0, 0), block(*place)]] * 2))
        for tested, place in [((3, 4), (3, 4)), ((4, 7), (3, 8)), ((3, 9), (12, 12))]
    ]
    assert stability_over_repeats(maps, 4, 1).mean_iou == pytest.approx(1 / 3)
    assert stability_over_repeats(maps, 3, 1).mean_iou == 0.0
    assert stability_over_repeats(maps, 3, 0).mean_iou == 1.0
    assert stability_over_repeats(maps, 9, 0).mean_iou is None
    assert stability_over_repeats(maps, 5, 0).maps == 0


def test_rank_correlation_is_scipys():
    draw = np.random.default_rng(2)
    one, other = draw.random((6, 6)), np.maximum(draw.normal(size=(6, 6)), 0)  # many ties
    assert rank_correlation(one, other) == pytest.approx(spearmanr(one.ravel(), other.ravel()).statistic)
    assert rank_correlation(one, -one) == pytest.approx(-1)
    assert rank_correlation(one, np.zeros((6, 6))) is None
    with pytest.raises(ExplanationError, match="found 36 and 49 cells"):
        rank_correlation(one, np.zeros((7, 7)))


def check(method="hirescam"):
    return RandomisationCheck(
        method=method,
        steps=(
            RandomisationStep(layer="fc", correlations=(0.5, None, 0.25)),
            RandomisationStep(layer="", correlations=(None, None, None)),
        ),
    )


def test_a_randomisation_step_averages_over_maps_with_evidence():
    assert [step.mean for step in check().steps] == [0.375, None]
    assert check().images == 3
    assert "of 3 images are empty" in check().describe()
    random = RandomisationCheck(method="gradcam", steps=check().steps[:1])
    assert "rank correlation of 0.38" in random.describe()


@pytest.fixture
def found():
    curve = np.linspace(0.9, 0.1, 5, dtype=np.float32)
    return RunFaithfulness(
        method="hirescam",
        made_from=f"{RUN} then",
        sample_index=np.array([4, 6, 7]),
        class_index=np.array([0, 2, 1]),
        share=np.array([[0.5, 0.75], [np.nan, 0.25], [np.nan, np.nan]], dtype=np.float32),
        area=np.array([[0.125, 0.25], [np.nan, 0.25], [0.5, 0.25]], dtype=np.float32),
        shares=np.linspace(0, 1, 5, dtype=np.float32),
        deletion=np.stack([curve, curve**2, curve]),
        insertion=np.stack([curve[::-1], curve[::-1], curve[::-1]]),
        randomisation=check(),
    )


def test_what_was_measured_comes_back_as_it_was_written(study, found):
    assert read_faithfulness(study, RUN, "hirescam") is None
    write_faithfulness(study, RUN, found)
    again = read_faithfulness(study, RUN, "hirescam")
    assert read_faithfulness(study, RUN) is None
    for name in ("sample_index", "class_index", "share", "area", "shares", "deletion", "insertion"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    assert (again.method, again.made_from, again.randomisation) == ("hirescam", found.made_from, check())


def test_measures_are_given_image_by_image(found):
    assert found.energy(4, "tumour") == EnergyShare(place="tumour", share=0.5, area=0.125)
    assert found.energy(6, "tumour") is None  # no mask
    assert found.energy(7, "tumour") == EnergyShare(place="tumour", share=None, area=0.5)  # no evidence
    assert found.curves(4).deletion == pytest.approx((0.9, 0.7, 0.5, 0.3, 0.1))
    with pytest.raises(ExplanationError, match="did not test the sample 5"):
        found.energy(5, "centre")


def test_means_leave_out_what_is_not_known(found):
    assert found.mean_energy("tumour") == EnergyShare(place="tumour", share=0.5, area=0.125)
    assert found.mean_energy("centre") == EnergyShare(place="centre", share=0.5, area=0.25)
    found.area[:, 0] = np.nan
    assert found.mean_energy("tumour") is None
    assert found.mean_curves().insertion == pytest.approx((0.1, 0.3, 0.5, 0.7, 0.9))
    assert found.mean_curves().deletion[0] == pytest.approx((0.9 + 0.81 + 0.9) / 3)


def test_a_damaged_file_is_reported(study, found):
    write_faithfulness(study, RUN, found)
    path = study.run_folder(RUN) / faithfulness_file("hirescam")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ExplanationError, match=f"explain-all {RUN} --faithfulness hirescam --again"):
        read_faithfulness(study, RUN, "hirescam")
