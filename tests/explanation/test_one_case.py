"""One case explained on demand, on a study of rows and random weights."""

import io
import json
import time

import numpy as np
import pytest

from brainmri.__main__ import main
from brainmri.database import utc_now
from brainmri.errors import ExplanationError, UsageError
from brainmri.explanation.case_files import case_file
from brainmri.explanation.contributions import read_contributions
from brainmri.explanation.everything import explain_all
from brainmri.explanation.inventory import take_inventory
from brainmri.explanation.maps import read_maps
from brainmri.explanation.methods import shrink
from brainmri.explanation.one_case import CaseExplainer
from brainmri.explanation.open_run import OpenRun
from brainmri.explanation.run_files import Parts
from brainmri.explanation.serving import serve
from brainmri.explanation.trained import open_trained
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
    done = CaseExplainer(explainable).explain(RUN, case_id)
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
        CaseExplainer(explainable).explain(RUN, trained_on)
    with pytest.raises(ExplanationError, match="has no run 'exp-009-alexnet-01'"):
        CaseExplainer(explainable).explain("exp-009-alexnet-01", next(iter(tested)))
    with pytest.raises(ExplanationError, match="is not stored"):
        CaseExplainer(explainable).explain("exp-001-alexnet-01", next(iter(tested)))


@pytest.mark.parametrize("name", ["", "..", "../case-0001", "a/b", "a\\b"])
def test_the_name_of_a_case_cannot_leave_the_run_folder(name):
    with pytest.raises(ExplanationError, match="holds no slashes"):
        case_file(name, "gradcam.npz")


def test_a_damaged_file_of_a_case_says_how_to_make_it_again(explainable, tested):
    case_id = next(iter(tested))
    CaseExplainer(explainable).explain(RUN, case_id)
    (explainable.run_folder(RUN) / case_file(case_id, "contributions-blurred.npz")).write_bytes(b"PK nothing")
    with pytest.raises(ExplanationError, match=f"explain-case {RUN} {case_id}"):
        read_contributions(explainable, RUN, case_id=case_id)


def test_maps_of_a_case_by_another_method_and_on_another_layer(explainable, tested):
    case_id, samples = next(iter(tested.items()))
    explainer = CaseExplainer(explainable)
    trained = open_trained(explainable, RUN)
    for method, layer, name in (
        ("gradcam", "inception4e", "gradcam@inception4e.npz"),
        ("hirescam", None, "hirescam.npz"),
        ("gradcam", trained.layer_name, "gradcam.npz"),  # the usual one
        ("occlusion", None, "occlusion.npz"),
    ):
        done = explainer.explain(RUN, case_id, parts=["maps"], method=method, layer=layer)
        assert done.made == (f"cases/{case_id}/{name}",)
        usual = layer == trained.layer_name
        stored = read_maps(explainable, RUN, method, case_id=case_id, layer=None if usual else layer)
        assert stored.layer == (layer or trained.layer_name if method != "occlusion" else "")
        images = np.load(explainable.dataset_folder("d" * 16) / "samples.npy")[samples]
        expected = shrink(trained.explain(images, method=method, layer=layer))
        np.testing.assert_allclose(stored.maps, expected, atol=1e-5 * np.abs(expected).max())
    with pytest.raises(UsageError, match=r"made on one of"):
        explainer.explain(RUN, case_id, layer="fc")
    with pytest.raises(UsageError, match="no part 'map'"):
        explainer.explain(RUN, case_id, parts=["map"])


def ask(study, *requests):
    """Serve requests, and return the answers after the first, which says that the process is ready."""
    answers = io.StringIO()
    lines = [one if isinstance(one, str) else json.dumps(one) for one in requests]
    serve(study, io.StringIO("\n".join(lines) + "\n"), answers)
    ready, *said = map(json.loads, answers.getvalue().splitlines())
    assert ready == {"ready": True}
    return [one for one in said if "done" not in one]


def test_requests_are_answered_line_by_line_whatever_happens(explainable, tested):
    case_id = next(iter(tested))
    request = {"id": 1, "run": RUN, "case": case_id}
    opened, first, broken, unknown, odd, last = ask(
        explainable,
        {"run": "exp-001-alexnet-01"},
        request,
        "nonsense",
        {"id": 2, "run": RUN, "case": "case-0099"},
        {"id": 3, "run": RUN, "case": case_id, "method": 5},
        request | {"id": 4, "parts": ["maps"], "layer": "inception4e"},
    )
    assert opened == {"opened": False}
    assert (first["id"], first["images"]) == (1, len(tested[case_id]))
    assert "JSONDecodeError" in broken["error"]
    assert unknown["id"] == 2
    assert "did not test the case 'case-0099'" in unknown["error"]
    assert odd["id"] == 3
    assert "no map method '5'" in odd["error"]
    assert last["id"] == 4
    assert (explainable.run_folder(RUN) / case_file(case_id, "gradcam@inception4e.npz")).is_file()


def test_a_request_is_stopped_while_it_waits_and_while_it_works(explainable, tested, monkeypatch):
    monkeypatch.setattr("brainmri.explanation.serving._REPORT_S", 0.0)
    case_id = next(iter(tested))

    class Slowly:
        """Sends the stop of the first request when its first progress has been heard."""

        def __init__(self, answers):
            self._answers = answers

        def __iter__(self):
            request = {"run": RUN, "case": case_id, "parts": ["maps"], "method": "occlusion"}
            yield json.dumps({"stop": 2})
            yield json.dumps(request | {"id": 1})
            yield json.dumps(request | {"id": 2})
            until = time.monotonic() + 60
            while '"done"' not in self._answers.getvalue() and time.monotonic() < until:
                time.sleep(0.005)
            yield json.dumps({"stop": 1})

    answers = io.StringIO()
    serve(explainable, Slowly(answers), answers)
    said = [json.loads(line) for line in answers.getvalue().splitlines()]
    assert said[-2:] == [{"id": 1, "stopped": True}, {"id": 2, "stopped": True}]
    assert not (explainable.run_folder(RUN) / case_file(case_id, "occlusion.npz")).exists()


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
    only_maps = ["--layer", "inception4e", "--study", str(explainable.folder), "--json"]
    capsys.readouterr()
    assert main(["explain-case", RUN, case_id, *only_maps]) == 0
    assert json.loads(capsys.readouterr().out)["made"] == [f"cases/{case_id}/gradcam@inception4e.npz"]
