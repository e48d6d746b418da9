"""From finished runs to all that pages show of them, on a study of rows and random weights."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from brainmri.__main__ import main
from brainmri.database import utc_now
from brainmri.errors import ExplanationError, StopRequested, UsageError
from brainmri.explanation.coalitions import contributions_of_run
from brainmri.explanation.contributions import Baseline, read_contributions
from brainmri.explanation.everything import explain_all
from brainmri.explanation.faithfulness import energy_share
from brainmri.explanation.inventory import take_inventory
from brainmri.explanation.maps import read_maps
from brainmri.explanation.neighbours import read_features
from brainmri.explanation.precompute import explain_run
from brainmri.explanation.run_files import Parts
from brainmri.explanation.sequence_gradients import read_gradients
from brainmri.explanation.stored_faithfulness import read_faithfulness
from brainmri.explanation.trained import open_trained
from brainmri.imaging.datasets import read_samples
from brainmri.study import Study
from brainmri.training import checkpoints
from brainmri.training.architectures import build_model, target_layer_name
from brainmri.training.experiments import read_split
from brainmri.training.file_names import CHECKPOINT_FILE
from brainmri.training.loop import predict
from brainmri.training.normalisation import IMAGENET_NORMALISATION
from brainmri.training.records import Prediction, Run
from tests.evaluation.finished_experiment import CLASSES, add_experiment

RUN = "exp-001-googlenet-01"
FILES = (
    "gradcam.npz",
    "gradcam++.npz",
    "hirescam.npz",
    "contributions-blurred.npz",
    "contributions-mean.npz",
    "contributions-other-patient.npz",
    "faithfulness-gradcam.npz",
    "sequence-gradients.npz",
    "features.npz",
)
LITTLE = Parts(methods=("gradcam",), baselines=(), faithfulness=(), similar_cases=False, gradients=False)


def add_network(study: Study) -> None:
    torch.manual_seed(4)
    model = build_model("googlenet", 3)
    with torch.no_grad():
        model.fc.weight -= model.fc.weight.mean(dim=0)  # some class has evidence
    meta = {
        "architecture": "googlenet",
        "classes": list(CLASSES),
        "size_px": 64,
        "normalisation": IMAGENET_NORMALISATION,
        "target_layer": target_layer_name("googlenet", 64),
    }
    checkpoints.write_checkpoint(study.run_folder(RUN) / CHECKPOINT_FILE, model, meta)


@pytest.fixture
def explainable(study):
    """Return a study of which one run of three has a network, and one case a tumour mask."""
    add_experiment(study, repeats=1, cases=6, slices=2)
    folder = study.dataset_folder("d" * 16)
    folder.mkdir(parents=True)
    np.save(folder / "samples.npy", np.random.default_rng(2).integers(0, 255, (12, 3, 64, 64), dtype=np.uint8))
    add_network(study)
    tested = read_split(study, "exp-001", 1).test
    mask = np.zeros((2, 8, 8), dtype=np.uint8)
    mask[:, :4] = 1
    case = study.case_folder(f"case-{tested[0] // 2 + 1:04d}")
    case.mkdir(parents=True)
    sitk.WriteImage(sitk.GetImageFromArray(mask), case / "mask.nii.gz")
    return study


def test_all_that_pages_show_is_stored_once(explainable, monkeypatch):
    done = {one.run_id: one for one in explain_all(explainable, "exp-001")}
    assert done[RUN].made == FILES
    assert done[RUN].present == ()
    assert "is not stored" in done["exp-001-alexnet-01"].left_out
    inventory = take_inventory(explainable, RUN)
    assert inventory.methods == ("gradcam", "gradcam++", "hirescam")
    assert inventory.baselines == ("blurred", "mean", "other-patient")
    assert (inventory.faithfulness, inventory.similar_cases) == (("gradcam",), True)
    assert not take_inventory(explainable, "exp-001-alexnet-01").similar_cases

    check_what_is_stored(explainable)

    monkeypatch.setattr("brainmri.explanation.open_run.open_trained", None)  # nothing is opened a second time
    (again,) = explain_all(explainable, RUN)
    assert (again.made, again.present) == ((), FILES)


def whole_said(study: Study, sample: int) -> list[float]:
    with study.session() as session:
        return session.get(Prediction, (RUN, sample)).probabilities


def check_what_is_stored(study: Study) -> None:
    tested = np.array(read_split(study, "exp-001", 1).test)
    trained, samples = open_trained(study, RUN), read_samples(study, "d" * 16)
    with study.session() as session:
        predicted = [session.get(Prediction, (RUN, int(index))).predicted_class for index in tested]

    for method in ("gradcam", "gradcam++", "hirescam"):
        maps = read_maps(study, RUN, method)
        assert (maps.method, maps.layer, maps.classes) == (method, trained.layer_name, CLASSES)
        direct = trained.explain(samples[tested], method=method)
        np.testing.assert_allclose(maps.maps, direct, atol=1e-5 * np.abs(direct).max())
    assert read_maps(study, RUN, "hirescam").maps.min() < 0

    contributions = read_contributions(study, RUN)
    assert contributions.baseline == Baseline(name="blurred", sigma_px=6.4)
    whole = predict(trained.model, samples[tested])
    direct = contributions_of_run(trained, samples, tested, contributions.baseline)
    np.testing.assert_allclose(contributions.logits, direct.logits, atol=1e-4)
    for place, sample in enumerate(tested):
        one = contributions.of(int(sample), 1)
        assert sum(one.values) == pytest.approx(whole[place, 1] - one.empty, abs=1e-5)

    found = read_faithfulness(study, RUN)
    np.testing.assert_array_equal(found.class_index, predicted)
    evidence = read_maps(study, RUN).of(int(tested[0]), predicted[0])
    top = np.zeros((64, 64), dtype=bool)
    top[:32] = True  # the mask's upper half, scaled up with the region of 8 px
    with_mask = found.energy(int(tested[0]), "tumour")
    assert with_mask.area == pytest.approx(0.5, abs=0.02)
    assert with_mask.share == pytest.approx(energy_share(evidence, "tumour", top).share, abs=0.03)
    assert found.energy(int(tested[-1]), "tumour") is None
    for place, sample in enumerate(tested):
        assert found.curves(int(sample)).deletion[0] == pytest.approx(whole[place, predicted[place]], abs=1e-5)
    assert found.randomisation.images == len(tested)

    verdicts = {}
    for sample in tested:
        verdicts.setdefault(int(sample) // 2, []).append(whole_said(study, int(sample)))
    gradients = read_gradients(study, RUN)
    for place, sample in enumerate(tested):
        verdict = int(np.mean(verdicts[int(sample) // 2], axis=0).argmax())
        assert gradients.class_index[place] == verdict
        game = contributions.logits[place, 0, :, verdict]
        assert gradients.difference[place] == pytest.approx(game[-1] - game[0], abs=1e-3)

    features = read_features(study, RUN)
    np.testing.assert_array_equal(features.predicted_class, predict(trained.model, samples[:]).argmax(axis=1))
    assert [index for index in range(12) if features.part[index] == 2] == sorted(tested)
    assert features.case_ids[:3] == ("case-0001", "case-0001", "case-0002")
    assert len(features.similar(0).neighbours) == 5


def test_work_goes_on_where_it_was_stopped(explainable):
    def stop(_share, text):
        if "HiResCAM" in text:
            raise StopRequested("enough")

    with pytest.raises(StopRequested, match="enough"):
        explain_all(explainable, RUN, progress=stop)
    assert take_inventory(explainable, RUN).methods == ("gradcam", "gradcam++")
    (done,) = explain_all(explainable, RUN)
    assert (done.present, done.made) == (FILES[:2], FILES[2:])


def test_progress_rises_to_the_end(explainable):
    told = []
    explain_all(explainable, RUN, progress=lambda share, text: told.append((share, text)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert told[-1] == (1.0, "Finished")
    assert told[0][1].startswith(f"{RUN}: Grad-CAM of image 1 of ")


def test_what_another_training_left_is_made_anew(explainable):
    explain_all(explainable, RUN, LITTLE)
    with explainable.session() as session:
        run = session.get(Run, RUN)
        run.finished_at = run.started_at = None
    assert explain_all(explainable, RUN, LITTLE)[0].made == ()
    before = read_maps(explainable, RUN).made_from
    with explainable.session() as session:
        session.get(Run, RUN).finished_at = utc_now()
    assert explain_all(explainable, RUN, LITTLE)[0].made == ("gradcam.npz",)
    assert read_maps(explainable, RUN).made_from != before
    assert explain_all(explainable, RUN, LITTLE, again=True)[0].made == ("gradcam.npz",)


def test_maps_that_the_worker_stored_are_not_made_again(explainable):
    explain_run(explainable, RUN)
    assert explain_all(explainable, RUN, LITTLE)[0].present == ("gradcam.npz",)


def test_damaged_files_are_made_anew(explainable):
    explain_all(explainable, RUN, LITTLE)
    path = explainable.run_folder(RUN) / "gradcam.npz"
    path.write_bytes(path.read_bytes()[:50])
    assert explain_all(explainable, RUN, LITTLE)[0].made == ("gradcam.npz",)


def test_other_baselines_can_be_chosen(explainable):
    parts = Parts(
        methods=(), baselines=("mean", "other-patient"), faithfulness=(), similar_cases=False, gradients=False
    )
    (done,) = explain_all(explainable, RUN, parts)
    assert done.made == ("contributions-mean.npz", "contributions-other-patient.npz")
    other = read_contributions(explainable, RUN, "other-patient")
    assert (other.baseline.draws, other.baseline.seed) == (4, 1)
    assert other.logits.shape[1] == 4
    # Without any of its sequences, an image is the mean of the training images, whichever image it was.
    assert np.ptp(read_contributions(explainable, RUN, "mean").logits[:, 0, 0], axis=0) == pytest.approx(0, abs=1e-4)


def test_what_cannot_be_explained_is_refused(explainable):
    with pytest.raises(ExplanationError, match=r"no run and no experiment 'exp-9'. Its experiments: exp-001"):
        explain_all(explainable, "exp-9")
    with pytest.raises(ExplanationError, match="network of the run exp-001-resnet50-01 is not stored"):
        explain_all(explainable, "exp-001-resnet50-01")
    with explainable.session() as session:
        for name in ("alexnet", "googlenet", "resnet50"):
            session.get(Run, f"exp-001-{name}-01").status = "running"
    with pytest.raises(ExplanationError, match=r"None of the runs of exp-001 has finished.*work exp-001"):
        explain_all(explainable, "exp-001")
    with pytest.raises(UsageError, match="no baseline 'black'; expected one of blurred, mean, other-patient"):
        Parts(baselines=("black",))
    with pytest.raises(UsageError, match="no map method 'lime'"):
        Parts(faithfulness=("lime",))


def test_missing_predictions_are_reported(explainable):
    tested = read_split(explainable, "exp-001", 1).test
    with explainable.session() as session:
        session.delete(session.get(Prediction, (RUN, tested[1])))
    with pytest.raises(ExplanationError, match=f"{RUN} has no prediction of its test image {tested[1]}"):
        explain_all(explainable, RUN, Parts(methods=(), baselines=(), similar_cases=False, gradients=False))


def test_the_command_says_what_it_did(explainable, capsys):
    arguments = ["explain-all", "exp-001", "--study", str(explainable.folder), "--methods", "hirescam"]
    assert main([*arguments, "--baselines", "mean", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    runs = {one["run"]: one for one in record["runs"]}
    assert record["target"] == "exp-001"
    assert runs[RUN] == {
        "run": RUN,
        "made": [
            "hirescam.npz",
            "gradcam.npz",
            "contributions-mean.npz",
            "faithfulness-gradcam.npz",
            "sequence-gradients.npz",
            "features.npz",
        ],
        "present": [],
        "left_out": None,
    }
    assert "is not stored" in runs["exp-001-alexnet-01"]["left_out"]

    assert main([*arguments, "--baselines", "mean"]) == 0
    out = capsys.readouterr().out
    assert f"{RUN}           0            6" in out
    assert "exp-001-resnet50-01 was left out. The network" in out

    assert main(["explain-all", "exp-001", "--study", str(explainable.folder), "--methods", "lime"]) == 2
    (explainable.run_folder(RUN) / CHECKPOINT_FILE).unlink()
    assert main([*arguments, "--baselines", "blurred"]) == 1
