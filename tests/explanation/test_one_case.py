"""One case explained on demand, on a study of rows and random weights."""

import io
import json

import numpy as np
import pytest

from brainmri.__main__ import main
from brainmri.database import utc_now
from brainmri.errors import ExplanationError
from brainmri.explanation.case_files import case_file
from brainmri.explanation.contributions import read_contributions
from brainmri.explanation.everything import explain_all
from brainmri.explanation.inventory import take_inventory
from brainmri.explanation.maps import read_maps
from brainmri.explanation.one_case import CaseExplainer, explain_case
from brainmri.explanation.open_run import OpenRun
from brainmri.explanation.run_files import Parts
from brainmri.explanation.serving import serve
from brainmri.training.experiments import read_split
from brainmri.training.records import Run
from tests.evaluation.finished_experiment import add_experiment
from tests.explanation.test_everything import RUN, add_network


@pytest.fixture
def explainable(study):
    """Return a study of which one run of three has a network."""
    add_experiment(study, repeats=1, cases=6, slices=2)
    folder = study.dataset_folder("d" * 16)
    folder.mkdir(parents=True)
    np.save(folder / "samples.npy", np.random.default_rng(2).integers(0, 255, (12, 3, 64, 64), dtype=np.uint8))
    add_network(study)
    return study


@pytest.fixture
def tested(explainable):
    """Return the samples that the run tested, by their case."""
    found = {}
    for index in read_split(explainable, "exp-001", 1).test:
        found.setdefault(f"case-{index // 2 + 1:04d}", []).append(index)
    return found


def test_a_case_alone_gets_what_the_whole_run_would_get(explainable, tested):
    case_id, samples = next(iter(tested.items()))
    done = explain_case(explainable, RUN, case_id)
    assert done.images == len(samples)
    assert [(explainable.run_folder(RUN) / name).is_file() for name in done.made] == [True, True]
    assert take_inventory(explainable, RUN).baselines == ()  # no file of the run pretends to hold all its images

    parts = Parts(methods=("gradcam",), baselines=("blurred",), faithfulness=(), similar_cases=False, gradients=False)
    explain_all(explainable, RUN, parts)
    maps, alone = read_maps(explainable, RUN), read_maps(explainable, RUN, case_id=case_id)
    games, games_alone = read_contributions(explainable, RUN), read_contributions(explainable, RUN, case_id=case_id)
    assert alone.sample_index.tolist() == games_alone.sample_index.tolist() == samples
    assert alone.made_from == games_alone.made_from == maps.made_from
    for sample in samples:
        whole = maps.of(sample, 1)
        np.testing.assert_allclose(alone.of(sample, 1), whole, atol=1e-5 * max(1, np.abs(whole).max()))
    assert games_alone.of(samples, 1).values == pytest.approx(games.of(samples, 1).values, abs=1e-6)


def test_cases_do_not_disturb_each_other(explainable, tested):
    explainer = CaseExplainer(explainable)
    for case_id in tested:
        explainer.explain(RUN, case_id)
    for case_id, samples in tested.items():
        assert read_contributions(explainable, RUN, case_id=case_id).sample_index.tolist() == samples


def test_a_network_is_read_once_and_again_after_another_training(explainable, tested, monkeypatch):
    opened = []
    monkeypatch.setattr(
        "brainmri.explanation.one_case.OpenRun", lambda study, run: opened.append(run.run_id) or OpenRun(study, run)
    )
    explainer = CaseExplainer(explainable)
    assert explainer.prepare(RUN)
    case_id = next(iter(tested))
    for _ in range(2):
        explainer.explain(RUN, case_id)
    assert opened == [RUN]
    with explainable.session() as session:
        session.get(Run, RUN).finished_at = utc_now()
    explainer.explain(RUN, case_id)
    assert opened == [RUN, RUN]


def test_a_case_that_was_not_tested_is_refused(explainable, tested):
    trained_on = next(name for name in (f"case-{n:04d}" for n in range(1, 7)) if name not in tested)
    with pytest.raises(ExplanationError, match=f"did not test the case '{trained_on}'"):
        explain_case(explainable, RUN, trained_on)
    with pytest.raises(ExplanationError, match="has no run 'exp-009-alexnet-01'"):
        explain_case(explainable, "exp-009-alexnet-01", next(iter(tested)))
    with pytest.raises(ExplanationError, match="is not stored"):
        explain_case(explainable, "exp-001-alexnet-01", next(iter(tested)))


@pytest.mark.parametrize("name", ["", "..", "../case-0001", "a/b", "a\\b"])
def test_the_name_of_a_case_cannot_leave_the_run_folder(name):
    with pytest.raises(ExplanationError, match="holds no slashes"):
        case_file(name, "gradcam.npz")


def test_a_damaged_file_of_a_case_says_how_to_make_it_again(explainable, tested):
    case_id = next(iter(tested))
    explain_case(explainable, RUN, case_id)
    (explainable.run_folder(RUN) / case_file(case_id, "contributions-blurred.npz")).write_bytes(b"PK nothing")
    with pytest.raises(ExplanationError, match=f"explain-case {RUN} {case_id}"):
        read_contributions(explainable, RUN, case_id=case_id)


def test_requests_are_answered_line_by_line_whatever_happens(explainable, tested):
    case_id = next(iter(tested))
    lines = [json.dumps({"run": RUN, "case": case_id}), "nonsense", json.dumps({"run": RUN, "case": "case-0099"})]
    answers = io.StringIO()
    serve(
        explainable,
        io.StringIO("\n".join([json.dumps({"run": "exp-001-alexnet-01"}), *lines, lines[0]]) + "\n"),
        answers,
    )
    ready, opened, first, broken, unknown, last = map(json.loads, answers.getvalue().splitlines())
    assert (ready, opened) == ({"ready": True}, {"opened": False})
    assert first["images"] == last["images"] == len(tested[case_id])
    assert "JSONDecodeError" in broken["error"]
    assert "did not test the case 'case-0099'" in unknown["error"]


def test_the_process_ends_with_its_input(explainable, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["explain-case", "--serve", "--study", str(explainable.folder)]) == 0
    assert json.loads(capsys.readouterr().out) == {"ready": True}


def test_the_process_ends_when_nobody_asks(explainable):
    class Never:
        """A stream on which nothing ever comes."""

        def __iter__(self):
            return self

        def __next__(self):
            import time

            time.sleep(5)
            raise StopIteration

    answers = io.StringIO()
    serve(explainable, Never(), answers, idle_s=0.05)
    assert json.loads(answers.getvalue()) == {"ready": True}


def test_the_command_says_what_it_did(explainable, tested, capsys):
    case_id = next(iter(tested))
    assert main(["explain-case", RUN, case_id, "--study", str(explainable.folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["made"] == [
        f"cases/{case_id}/gradcam.npz",
        f"cases/{case_id}/contributions-blurred.npz",
    ]
    assert main(["explain-case", RUN, case_id, "--study", str(explainable.folder)]) == 0
    assert f"{case_id} by {RUN}: {len(tested[case_id])} images" in capsys.readouterr().out
    assert main(["explain-case", RUN, "--study", str(explainable.folder)]) == 2
