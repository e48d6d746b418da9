"""The facts of a card and the card for people, on a study of rows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from brainmri.errors import EvaluationError, TrainingError
from brainmri.evaluation.model_card import make_model_card
from brainmri.evaluation.model_card_text import write_card
from brainmri.intake.records import Case
from brainmri.training.export.checking import Check
from brainmri.training.export.exporting import ExportedNetwork
from brainmri.training.records import Epoch, Experiment, Run, Split
from tests.evaluation.finished_experiment import add_experiment

RUN = "exp-001-googlenet-02"
ONNX = ExportedNetwork(
    run_id=RUN,
    file_format="onnx",
    path=Path(f"{RUN}.onnx"),
    sha256="ab" * 32,
    checked=Check(samples=12, largest_difference=3.2e-7),
)
SAFETENSORS = ExportedNetwork(
    run_id=RUN, file_format="safetensors", path=Path(f"{RUN}.safetensors"), sha256="cd" * 32, checked=None
)


def make_patients(study, *, all_but: int = 0) -> None:
    """Turn phantoms into patients, but for the first so many cases."""
    with study.session() as session:
        for number, case in enumerate(session.scalars(select(Case).order_by(Case.case_id))):
            case.synthetic = number < all_but


def test_the_facts_are_those_of_the_study(study):
    add_experiment(study, cases=12, slices=3)
    with study.session() as session:
        session.add_all(
            Epoch(run_id=RUN, epoch=i, train_loss=1, train_accuracy=0.5, learning_rate=0.1, seconds=1) for i in (1, 2)
        )
        run = session.get_one(Run, RUN)
        split = session.scalars(select(Split).where(Split.repeat == 2)).one()
        accuracies = session.scalars(select(Run.accuracy).where(Run.architecture == "googlenet")).all()
    card = make_model_card(study, RUN)
    assert (card.architecture, card.display_name, card.experiment_id) == ("googlenet", "GoogLeNet", "exp-001")
    assert card.data.images == {"glioblastoma": 12, "PCNSL": 12, "meningioma": 12}
    assert card.data.cases == {"glioblastoma": 4, "PCNSL": 4, "meningioma": 4}
    assert (card.split.unit, card.split.repeat, card.split.seed) == ("patient", 2, 92)
    assert (card.split.train.images, card.split.train.cases) == (24, 8)
    assert (card.split.test.images, card.split.test.cases) == (len(split.test), 4)
    assert card.split.shared_cases == 0
    assert card.accuracy.images.share == pytest.approx(run.accuracy)
    spread = {row.model: row for row in card.repeats}
    assert list(spread) == ["alexnet", "googlenet", "resnet50"]
    assert (spread["googlenet"].n, spread["googlenet"].median) == (4, pytest.approx(np.median(accuracies)))
    assert card.epochs_trained == 2


def test_the_json_has_the_same_facts(study):
    add_experiment(study)
    card = make_model_card(study, RUN)
    record = json.loads(json.dumps(card.to_json(), allow_nan=False))
    assert record["run"] == RUN
    assert record["data"]["origin"] == "phantoms"
    assert record["accuracy"]["images"]["right"] == card.accuracy.images.right
    assert [row["diagnosis"] for row in record["accuracy"]["classes"]] == ["glioblastoma", "PCNSL", "meningioma"]
    assert record["accuracy"]["classes"][0]["sensitivity"]["total"] == card.accuracy.classes[0].sensitivity.total
    assert record["repeats"][1]["architecture"] == "googlenet"
    assert record["limits"] == list(card.limits)


def test_nothing_names_a_case_or_a_folder(study):
    add_experiment(study)
    with study.session() as session:
        experiment = session.get_one(Experiment, "exp-001")
        experiment.settings = {**experiment.settings, "weights": "/home/dr.example/own.pth"}
    card = make_model_card(study, RUN)
    for text in (write_card(card, ONNX), json.dumps(card.to_json())):
        assert "own.pth" in text
        assert "dr.example" not in text
        assert "case-0" not in text
        assert str(study.folder) not in text


def test_phantoms_are_said_loudly(study):
    add_experiment(study)
    text = write_card(make_model_card(study, RUN), ONNX)
    assert "LEARNED FROM COMPUTED PHANTOMS, NOT FROM PATIENTS" in text.split("## ")[0]
    assert "There is no patient among them" in text
    assert "It learned from computed phantoms alone" in text


def test_patients_are_called_patients(study):
    add_experiment(study)
    make_patients(study)
    card = make_model_card(study, RUN)
    assert card.data.origin == "patients"
    text = write_card(card, ONNX)
    assert "hantom" not in text
    assert "not for diagnosis" in text.split("## ")[0]


def test_a_mixture_says_how_many_are_phantoms(study):
    add_experiment(study)
    make_patients(study, all_but=5)
    card = make_model_card(study, RUN)
    assert (card.data.origin, card.data.phantom_cases) == ("patients and phantoms", 5)
    assert "5 OF 12 CASES ARE COMPUTED PHANTOMS" in write_card(card, ONNX)


def test_a_split_of_images_says_that_patients_are_on_both_sides(study):
    add_experiment(study)
    with study.session() as session:
        split = session.scalars(select(Split).where(Split.repeat == 2)).one()
        split.unit = "image"
        split.train = [*split.train, split.test[0]]  # a slice of a test case
    card = make_model_card(study, RUN)
    assert card.split.shared_cases == 1
    text = write_card(card, ONNX)
    assert "TESTED ON PATIENTS THAT IT LEARNED FROM" in text.split("## ")[0]
    assert "1 of 4 test cases" in " ".join(card.limits)


def test_the_card_shows_file_check_figures_and_limits(study):
    add_experiment(study, cases=30)
    card = make_model_card(study, RUN)
    text = write_card(card, ONNX)
    assert "ab" * 32 in text
    assert "on 12 test images of this run, no probability differed by more than 3.2e-07" in text
    images = card.accuracy.images
    assert f"{images.right} of {images.images} images of {images.cases} cases right" in text
    assert "fewer than 20 do not tell" in text
    assert "| **GoogLeNet** (this one) | 4 |" in text
    assert text.count("\n- ") == len(card.limits) >= 5
    assert '`"Not' not in text
    assert "None" not in text.replace("session.run(None", "")


def test_enough_test_patients_get_an_interval(study):
    add_experiment(study, cases=90)
    images = make_model_card(study, RUN).accuracy.images
    assert images.cases == 30
    assert images.lower < images.share < images.upper
    low, high = f"{100 * images.lower:.1f}", f"{100 * images.upper:.1f}"
    assert f"({low}–{high} %), {images.right} of" in write_card(make_model_card(study, RUN), ONNX)


def test_safetensors_needs_no_check(study):
    add_experiment(study)
    text = write_card(make_model_card(study, RUN), SAFETENSORS)
    assert "onnx" not in text
    assert f'read_checkpoint(Path("{RUN}.safetensors"))' in text


def test_a_run_that_has_not_finished_has_no_card(study):
    add_experiment(study)
    with study.session() as session:
        session.execute(update(Run).where(Run.run_id == RUN).values(status="failed"))
    with pytest.raises(EvaluationError, match=f"no finished run '{RUN}'"):
        make_model_card(study, RUN)


def test_a_run_that_is_not_there_is_said(study):
    add_experiment(study)
    with pytest.raises(TrainingError, match="no run 'exp-009-x-01'"):
        make_model_card(study, "exp-009-x-01")
