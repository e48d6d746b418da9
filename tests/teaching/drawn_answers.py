"""Answers drawn at random, for tests of everything that is computed from answers."""

from __future__ import annotations

import numpy as np

from brainmri.teaching.answers import ReadAnswers

CLASSES = ("glioblastoma", "PCNSL", "meningioma")


def draw_answers(
    *, readers: int = 5, cases: int = 30, missing: float = 0.0, seed: int = 0, confidence: str = "each"
) -> ReadAnswers:
    """Return answers of readers who are right more often with the network than alone.

    Parameters
    ----------
    readers, cases : int
    missing : float
        Share of answers left out, at both steps.
    seed : int
    confidence : {'each', 'chosen', 'none'}
        For each class, for the chosen one, or not at all.
    """
    draw = np.random.default_rng(seed)
    truth = np.arange(cases) % 3
    ease = draw.normal(size=cases)
    alone, alone_confidence = _read(draw, truth, ease + 0.2, readers)
    assisted, assisted_confidence = _read(draw, truth, ease + 1.2, readers)
    left_out = draw.random((readers, cases)) < missing
    for chosen, given in ((alone, alone_confidence), (assisted, assisted_confidence)):
        if confidence == "chosen":
            given[np.arange(3) != chosen[..., None]] = np.nan
        given[left_out | (confidence == "none")] = np.nan
        chosen[left_out] = -1
    network = np.exp(1.5 * (np.arange(3) == truth[:, None]) + draw.normal(size=(cases, 3)))
    return ReadAnswers(
        classes=CLASSES,
        readers=tuple(f"reader {index + 1}" for index in range(readers)),
        cases=tuple(f"case-{index + 1:03d}" for index in range(cases)),
        truth=truth,
        alone=alone,
        assisted=assisted,
        alone_confidence=alone_confidence,
        assisted_confidence=assisted_confidence,
        seconds=np.where(left_out, np.nan, draw.gamma(4, 8, size=(readers, cases))),
        network=network / network.sum(axis=1, keepdims=True),
    )


def _read(draw, truth, ease, readers):
    beliefs = draw.normal(size=(readers, truth.size, 3)) + (np.arange(3) == truth[:, None]) * (0.8 + ease)[:, None]
    shares = np.exp(beliefs) / np.exp(beliefs).sum(axis=2, keepdims=True)
    return shares.argmax(axis=2), np.round(shares, 2)
