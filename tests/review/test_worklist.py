"""The worklist: rows worked out by hand, filters that combine, the way from case to case, and its speed."""

from __future__ import annotations

import csv
import io
import math
import time

import numpy as np
import pytest

from brainmri.errors import UsageError
from brainmri.evaluation.case_attributes import CaseAttributes
from brainmri.evaluation.loading import ExperimentPredictions, PredictedRun
from brainmri.review.filters import Filter
from brainmri.review.findings import Entry, add_finding
from brainmri.review.records import Finding
from brainmri.review.saved_lists import delete_list, read_lists, save_list
from brainmri.review.worklist import Worklist, make_worklist, read_worklist
from tests.evaluation.finished_experiment import add_experiment

CLASSES = ("glioblastoma", "PCNSL", "meningioma")


def predictions_of(
    architectures: list[str], rows: list[tuple[int, int, int, tuple[float, ...]]]
) -> ExperimentPredictions:
    """Return predictions from rows of run, case, true class and probabilities; one image a case."""
    run, case, truth, probabilities = zip(*rows, strict=True)
    return ExperimentPredictions(
        classes=CLASSES,
        runs=tuple(PredictedRun(run_id=f"run-{i}", architecture=a, repeat=1) for i, a in enumerate(architectures)),
        case_ids=tuple(f"case-{i}" for i in range(max(case) + 1)),
        run=np.array(run),
        case=np.array(case),
        sample_index=np.array(case),
        true_class=np.array(truth),
        predicted_class=np.array(probabilities).argmax(axis=1),
        probabilities=np.array(probabilities),
    )


@pytest.fixture
def worklist() -> Worklist:
    predictions = predictions_of(
        ["alexnet", "resnet50"],
        [
            (0, 0, 0, (0.8, 0.1, 0.1)),
            (0, 1, 1, (0.5, 0.4, 0.1)),
            (0, 2, 2, (0.5, 0.25, 0.25)),
            (1, 0, 0, (0.5, 0.3, 0.2)),
            (1, 1, 1, (0.2, 0.7, 0.1)),
            (1, 2, 2, (0.8, 0.1, 0.1)),
        ],
    )
    attributes = {
        "case-1": CaseAttributes(case_id="case-1", scanner="ACME Twister, 3 T", quality=("thick slices", "low field"))
    }
    findings = [
        Finding(case_id="case-2", reviewer="Ito", verdict="artefact", note="Motion on T2", bookmarked=True),
        Finding(case_id="case-2", reviewer="Abe", verdict="label error", note="", bookmarked=False),
        Finding(case_id="case-1", reviewer="Ito", verdict="model error", note="Rim only", bookmarked=False),
    ]
    return make_worklist(predictions, attributes, findings)


def names(worklist: Worklist) -> list[str]:
    return [row.case_id for row in worklist.rows]


def test_rows_as_worked_out_by_hand(worklist: Worklist) -> None:
    assert names(worklist) == ["case-2", "case-1", "case-0"]
    hardest, torn, easy = worklist.rows
    assert (hardest.kind, hardest.wrong_share, hardest.predicted, hardest.disagreement) == (
        "always wrong",
        1.0,
        "glioblastoma",
        False,
    )
    assert hardest.loss == pytest.approx(-(math.log(0.25) + math.log(0.1)) / 2)
    assert hardest.confidence == pytest.approx(0.65)
    assert (hardest.reviewers, hardest.verdicts, hardest.bookmarked) == (
        ("Abe", "Ito"),
        ("label error", "artefact"),
        True,
    )
    assert (torn.kind, torn.disagreement, torn.predicted) == ("network-specific", True, "PCNSL")  # 1.1 beats 0.7
    assert (torn.scanner, torn.wrong, torn.tested) == ("ACME Twister, 3 T", 1, 2)
    assert (easy.kind, easy.disagreement, easy.scanner) == ("always right", False, None)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Filter(), ["case-2", "case-1", "case-0"]),
        (Filter(diagnosis=("PCNSL", "meningioma")), ["case-2", "case-1"]),
        (Filter(predicted=("glioblastoma",)), ["case-2", "case-0"]),
        (Filter(kind=("always wrong", "always right")), ["case-2", "case-0"]),
        (Filter(disagreement=True), ["case-1"]),
        (Filter(scanner=("ACME Twister, 3 T",)), ["case-1"]),
        (Filter(quality=("thick slices", "patient moved")), ["case-1"]),
        (Filter(quality=("nothing noted", "low field")), ["case-2", "case-1", "case-0"]),
        (Filter(confidence_from=0.62, confidence_to=0.65), ["case-2", "case-0"]),
        (Filter(loss_from=1.0), ["case-2"]),
        (Filter(status="open"), ["case-0"]),
        (Filter(status="reviewed"), ["case-2", "case-1"]),
        (Filter(reviewer="Abe"), ["case-2"]),
        (Filter(reviewer="Abe", status="open"), ["case-1", "case-0"]),
        (Filter(verdict=("artefact",)), ["case-2"]),
        (Filter(bookmarked=True), ["case-2"]),
        (Filter(text="t2 MOTION"), ["case-2"]),
        (Filter(text="motion rim"), []),
        (Filter(predicted=("glioblastoma",), status="reviewed", text="case-2"), ["case-2"]),
    ],
)
def test_filters_choose_and_combine(worklist: Worklist, chosen: Filter, expected: list[str]) -> None:
    assert names(worklist.select(chosen)) == expected
    assert Filter.from_query(chosen.to_query()) == chosen


def test_an_address_holds_only_what_is_set_and_passes_other_parameters_over() -> None:
    chosen = Filter(diagnosis=("PCNSL",), loss_from=0.5, disagreement=True, text="rim, left")
    assert chosen.to_query() == {
        "diagnosis": ["PCNSL"],
        "loss_from": ["0.5"],
        "disagreement": ["yes"],
        "text": ["rim, left"],
    }
    assert Filter.from_query({"experiment": "exp-001", "case": "case-1", "diagnosis": "PCNSL"}) == Filter(
        diagnosis=("PCNSL",)
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"loss_from": "much"}, "'loss_from' is 'much'; expected a number"),
        ({"status": "done"}, "status is 'done'"),
        ({"kind": ["hard"]}, "no kind of case 'hard'"),
        ({"quality": ["good"]}, "no quality 'good'"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(query, message) -> None:
    with pytest.raises(UsageError, match=message):
        Filter.from_query(query)


def test_the_way_from_case_to_case(worklist: Worklist) -> None:
    assert worklist.neighbours("case-2") == (None, "case-1")
    assert worklist.neighbours("case-1") == ("case-2", "case-0")
    assert worklist.neighbours("case-0") == ("case-1", None)
    assert worklist.neighbours("case-9") == (None, "case-2")
    assert Worklist(()).neighbours("case-9") == (None, None)


def test_counts_and_progress(worklist: Worklist) -> None:
    assert worklist.count("predicted") == {"glioblastoma": 2, "PCNSL": 1}
    assert worklist.count("scanner") == {"ACME Twister, 3 T": 1}
    assert worklist.count("quality") == {"nothing noted": 2, "thick slices": 1, "low field": 1}
    assert worklist.count("verdicts") == {"artefact": 1, "label error": 1, "model error": 1}
    assert worklist.describe_progress() == "2 of 3 reviewed"
    assert worklist.describe_progress("Abe") == "1 of 3 reviewed"


def test_the_table_can_be_taken_away(worklist: Worklist) -> None:
    rows = list(csv.DictReader(io.StringIO(worklist.to_csv())))
    assert [row["case_id"] for row in rows] == ["case-2", "case-1", "case-0"]
    assert (rows[0]["reviewers"], rows[0]["wrong_share"], rows[1]["disagreement"]) == ("Abe; Ito", "1.0", "yes")


def test_it_is_read_from_a_study_with_its_findings(study) -> None:
    add_experiment(study, repeats=2, cases=9, slices=2)
    first = read_worklist(study, "exp-001").rows[0]
    add_finding(study, "exp-001", first.case_id, "Abe", Entry(verdict="artefact"))
    again = read_worklist(study, "exp-001")
    assert (again.rows[0].case_id, again.rows[0].reviewers) == (first.case_id, ("Abe",))


def test_saved_lists_are_kept_replaced_and_removed(study) -> None:
    save_list(study, " Hard  ones ", Filter(kind=("always wrong",)), "Abe")
    save_list(study, "Hard ones", Filter(loss_from=1.0), "Ito")
    assert read_lists(study) == {"Hard ones": Filter(loss_from=1.0)}
    delete_list(study, "Hard ones")
    assert read_lists(study) == {}
    with pytest.raises(UsageError, match="has 0 characters"):
        save_list(study, " ", Filter(), "Abe")


def test_a_whole_protocol_is_listed_in_a_third_of_a_second() -> None:
    rng = np.random.default_rng(0)
    cases = np.arange(1000) % 300
    probabilities = rng.dirichlet((1, 1, 1), 30_000)
    predictions = ExperimentPredictions(
        classes=CLASSES,
        runs=tuple(PredictedRun(run_id=f"r{i}", architecture=f"a{i % 3}", repeat=i // 3) for i in range(30)),
        case_ids=tuple(f"case-{i:04d}" for i in range(300)),
        run=np.repeat(np.arange(30), 1000),
        case=np.tile(cases, 30),
        sample_index=np.tile(np.arange(1000), 30),
        true_class=np.tile(cases % 3, 30),
        predicted_class=probabilities.argmax(axis=1),
        probabilities=probabilities,
    )
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        found = make_worklist(predictions, {}, []).select(Filter(text="case", status="open"))
        taken.append(time.perf_counter() - begun)
    assert len(found.rows) == 300
    assert min(taken) < 0.3


def test_what_people_said_since_replaces_what_the_rows_hold(worklist: Worklist) -> None:
    now = worklist.with_findings(
        [Finding(case_id="case-0", reviewer="Abe", verdict="artefact", note="Blur", bookmarked=True)]
    )
    assert names(now) == names(worklist)
    assert [row.reviewers for row in now.rows] == [(), (), ("Abe",)]
    assert (now.rows[2].verdicts, now.rows[2].notes, now.rows[2].bookmarked) == (("artefact",), ("Blur",), True)


def test_some_cases_of_the_list_stay_in_its_order(worklist: Worklist) -> None:
    assert names(worklist.among(["case-0", "case-2", "case-9"])) == ["case-2", "case-0"]


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_a_limit_that_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(UsageError, match="expected a number"):
        Filter.from_query({"confidence_to": number})
