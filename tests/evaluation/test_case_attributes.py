"""What is known of cases, as hospitals and tables write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from brainmri.evaluation.case_attributes import read_case_attributes
from brainmri.imaging.records import Sample
from brainmri.intake.records import Case, Series
from brainmri.study import Study

MakeExperiment = Callable[..., str]


def write(study: Study, clinical: dict[str, Any] | None = None, **technical_of: dict[str, Any]) -> None:
    """Fill in the clinical columns and the series of the first case."""
    with study.session() as session:
        if clinical is not None:
            session.get_one(Case, "case-0001").clinical = clinical
        session.add_all(
            Series(case_id="case-0001", sequence=sequence, evidence="test", images=3, technical=technical)
            for sequence, technical in technical_of.items()
        )


def test_the_scanner_is_that_of_the_contrast_enhanced_series(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment()
    write(
        study,
        T1={"manufacturer": "GE", "model": "Signa", "magnetic_field_strength_t": 3.0},
        T1c={"manufacturer": "SIEMENS", "model": "Avanto", "magnetic_field_strength_t": 1.494},
        T2={"manufacturer": "Philips", "model": "Ingenia", "magnetic_field_strength_t": 3.0},
    )
    found = read_case_attributes(study, "d" * 16)
    assert len(found) == 12
    assert (found["case-0001"].scanner, found["case-0001"].field_strength_t) == ("SIEMENS Avanto", 1.5)
    assert (found["case-0002"].scanner, found["case-0002"].field_strength_t) == (None, None)


@pytest.mark.parametrize(
    ("technical", "scanner", "tesla"),
    [
        (
            {"manufacturer": "Philips", "model": "Philips Achieva", "magnetic_field_strength_t": "2.89"},
            "Philips Achieva",
            3,
        ),
        ({"model": "Vantage", "magnetic_field_strength_t": 15000}, "Vantage", 1.5),
        ({"manufacturer": "Hitachi", "magnetic_field_strength_t": "unknown"}, "Hitachi", None),
        ({"magnetic_field_strength_t": 0.2}, None, 0.2),
        ({}, None, None),
    ],
)
def test_scanners_are_written_in_many_ways(
    study: Study, make_experiment: MakeExperiment, technical: dict[str, Any], scanner: str | None, tesla: float | None
) -> None:
    make_experiment()
    write(study, T1c=technical)
    found = read_case_attributes(study, "d" * 16)["case-0001"]
    assert (found.scanner, found.field_strength_t) == (scanner, tesla)


@pytest.mark.parametrize(
    ("clinical", "age", "sex"),
    [
        ({"age": 63, "sex": "F"}, 63, "female"),
        ({"Age_at_diagnosis": "71.5", "Gender": "male"}, 71.5, "male"),
        ({"Patient Age": "045Y", "Patient_Sex": " m "}, 45, "male"),
        ({"age": "018M", "sex": "other"}, 1.5, None),
        ({"age": 999, "sex": ""}, None, None),
        ({"age": "n/a", "stage": 3}, None, None),
        ({"age": "nan"}, None, None),
    ],
)
def test_ages_and_sexes_are_written_in_many_ways(
    study: Study, make_experiment: MakeExperiment, clinical: dict[str, Any], age: float | None, sex: str | None
) -> None:
    make_experiment()
    write(study, clinical)
    found = read_case_attributes(study, "d" * 16)["case-0001"]
    assert (found.age_years, found.sex) == (age, sex)


def test_the_size_is_the_side_of_the_largest_square(study: Study, make_experiment: MakeExperiment) -> None:
    make_experiment()
    with study.session() as session:
        session.get_one(Sample, ("d" * 16, 1)).size_px = 40
        session.get_one(Case, "case-0001").spacing_mm = [5.0, 0.5, 0.5]
    found = read_case_attributes(study, "d" * 16)
    assert found["case-0001"].tumour_side_mm == 20.0
    assert found["case-0002"].tumour_side_mm == 8.0


@pytest.mark.parametrize(
    ("technical_of", "quality"),
    [
        ({}, ("nothing noted",)),
        ({"T1c": {"slice_thickness_mm": 5.0, "magnetic_field_strength_t": 1.494}}, ("nothing noted",)),
        ({"T1": {"slice_thickness_mm": "5.5"}, "T1c": {"slice_thickness_mm": 1.0}}, ("thick slices",)),
        ({"T2": {"moved_mm": 3.0, "rotated_deg": 1.0, "slice_thickness_mm": 6}}, ("thick slices", "patient moved")),
        ({"T1c": {"magnetic_field_strength_t": 10000}}, ("low field",)),  # in gauss
    ],
)
def test_what_is_known_of_the_quality_is_noted(
    study: Study, make_experiment: MakeExperiment, technical_of: dict[str, Any], quality: tuple[str, ...]
) -> None:
    make_experiment()
    write(study, **technical_of)
    found = read_case_attributes(study, "d" * 16)
    assert found["case-0001"].quality == quality
    assert found["case-0002"].quality == ("nothing noted",)


def test_a_data_set_that_is_not_there_has_no_cases(study: Study) -> None:
    assert read_case_attributes(study, "e" * 16) == {}
