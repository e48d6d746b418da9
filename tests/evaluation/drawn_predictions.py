"""Predictions drawn at random with a fixed skill, for tests that need arrays and no study."""

from __future__ import annotations

import numpy as np

from brainmri.evaluation.loading import ExperimentPredictions, PredictedRun

CLASSES = ("glioblastoma", "PCNSL", "meningioma")


def draw_predictions(
    *,
    architectures: tuple[str, ...] = ("alexnet", "resnet50"),
    repeats: int = 3,
    cases: int = 30,
    slices: int = 4,
    tested: float = 0.4,
    skill: float = 1.5,
    seed: int = 1,
) -> ExperimentPredictions:
    """Draw an experiment on ``cases`` cases of three classes in turn; cases differ in difficulty, slices less so."""
    rng = np.random.default_rng(seed)
    ease = rng.normal(size=(cases, 3))
    columns = []
    runs = []
    splits = [np.sort(rng.choice(cases, size=max(round(tested * cases), 1), replace=False)) for _ in range(repeats)]
    for architecture in architectures:
        for repeat, split in enumerate(splits, start=1):
            case = np.repeat(split, slices)
            logits = ease[case] + rng.normal(size=(case.size, 3))
            logits[np.arange(case.size), case % 3] += skill
            odds = np.exp(logits)
            columns.append((case, np.tile(np.arange(slices), split.size), odds / odds.sum(axis=1, keepdims=True)))
            runs.append(PredictedRun(run_id=f"{architecture}-{repeat}", architecture=architecture, repeat=repeat))
    case, place, probabilities = (np.concatenate([one[column] for one in columns]) for column in range(3))
    return ExperimentPredictions(
        classes=CLASSES,
        runs=tuple(runs),
        case_ids=tuple(f"case-{index + 1:04d}" for index in range(cases)),
        run=np.repeat(np.arange(len(runs)), [one[0].size for one in columns]),
        case=case,
        sample_index=case * slices + place,
        true_class=case % 3,
        predicted_class=probabilities.astype(np.float32).argmax(axis=1),
        probabilities=probabilities.astype(np.float32),
    )


def predictions_of(
    rows: list[tuple[int, int, int, list[float]]], *, runs: tuple[str, ...] = ("alexnet",), classes=CLASSES
) -> ExperimentPredictions:
    """Return predictions from rows (run, case, true class, probabilities); ``runs`` gives each run's architecture."""
    run, case, true_class, probabilities = zip(*rows, strict=True) if rows else ((), (), (), ())
    scores = np.array(probabilities, dtype=np.float32).reshape(-1, len(classes))
    repeats = [runs[: place + 1].count(name) for place, name in enumerate(runs)]
    return ExperimentPredictions(
        classes=tuple(classes),
        runs=tuple(
            PredictedRun(run_id=f"{name}-{repeat}", architecture=name, repeat=repeat)
            for name, repeat in zip(runs, repeats, strict=True)
        ),
        case_ids=tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: max(case, default=-1) + 1]),
        run=np.array(run, dtype=np.intp),
        case=np.array(case, dtype=np.intp),
        sample_index=np.array([case[:place].count(one) + 100 * one for place, one in enumerate(case)], dtype=np.intp),
        true_class=np.array(true_class, dtype=np.intp),
        predicted_class=scores.argmax(axis=1).astype(np.intp) if len(scores) else np.empty(0, dtype=np.intp),
        probabilities=scores,
    )
