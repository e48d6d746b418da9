"""What the words of a series description or a file name say about an MR sequence.

Descriptions are typed by people and vendors: English, German and Japanese habits, abbreviations glued together
(``sT1W_3D_TFE+C``). The words are hints; `brainmri.intake.sequences` weighs them against what the scanner recorded.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from brainmri.intake.words import (
    AFTER_WORDS,
    AGENT_WORDS,
    BEFORE_WORDS,
    NEGATIONS,
    NOT_ABOUT_CONTRAST,
    OTHER_KINDS,
    T1_WORDS,
    T2_WORDS,
)

_SIGNS: Final = {"minuscontrast": "-c", "pluscontrast": "+c"}
"""Words that stand for signs, and how the evidence quotes them."""
_WEIGHTED: Final = re.compile(
    r"(?P<before>(?:axial|ax|sag|cor|tra|trans|iso|3d|2d|fs|tse|fse|se|ce|gd|km|post|pre|c|s|e|w)*)"
    r"t(?P<number>[12])(?P<after>(?![0-9])\w*)"
)
_AFTER_WEIGHT: Final = re.compile(r"(?:weighted|wichtung|wi|w)?(?:tse|fse|se|tfe|ffe|ir|3d|fs|gre)*")


@dataclass(frozen=True)
class DescriptionHints:
    """What a description says; evidence quotes the vocabulary's words only, never the description itself."""

    weighting: str | None
    """``T1`` or ``T2``, None where the words name neither, or both."""
    other: str | None
    """Another kind of image, in words, or None."""
    contrast: bool | None
    """True after contrast, False before it; None where the words say nothing, or both."""
    contrast_word: str
    """The word that says so."""
    gradient_echo: bool
    """The word ``gre`` alone: T2* unless something says T1."""


def read_hints(text: str) -> DescriptionHints:
    """Read the words of a series description, a protocol name or a file name.

    Parameters
    ----------
    text : str

    Returns
    -------
    DescriptionHints
    """
    plain = _normalise(text)
    tokens = re.findall(r"[^\W_]+", plain)
    weights, kinds, before, after = set[str](), list[str](), list[str](), list[str]()
    for token in tokens:
        kind = _other_kind(token)
        match = None if kind else _WEIGHTED.fullmatch(token)
        if kind:
            kinds.append(kind)
        elif match:
            weights.add(f"T{match['number']}")
            _read_glued(match, kinds, before, after)
        elif token in T1_WORDS:
            weights.add("T1")
        elif token in T2_WORDS:
            weights.add("T2")
    _read_contrast_words(tokens, plain, before, after)
    contrast = None if bool(before) == bool(after) else bool(after)
    return DescriptionHints(
        weighting=next(iter(weights)) if len(weights) == 1 else None,
        other=kinds[0] if kinds else None,
        contrast=contrast,
        contrast_word="" if contrast is None else (after or before)[0],
        gradient_echo="gre" in tokens,
    )


def is_sequence_word(token: str) -> bool:
    """Return whether a word belongs to the vocabulary of sequences, so that it cannot name a patient."""
    token = token.casefold()
    known = (OTHER_KINDS, T1_WORDS, T2_WORDS, AGENT_WORDS, AFTER_WORDS, BEFORE_WORDS, NEGATIONS)
    return any(token in words for words in known) or _WEIGHTED.fullmatch(token) is not None


def _normalise(text: str) -> str:
    """Lower the case, unify widths of characters, and turn signs that carry meaning into words."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("_", " ").replace("^", " ")
    text = re.sub(r"([\u3040-\u30ff\u3400-\u9fff]+)", r" \1 ", text)  # Japanese words stand beside Latin ones unspaced
    text = re.sub(r"t2\s?\*", " t2star ", text)
    text = re.sub(r"\bt2 star\b", " t2star ", text)
    text = re.sub(r"dark[\s-]fluid", " darkfluid ", text)
    text = re.sub(r"\+\s*c(?![a-z0-9])|(?<![a-z0-9])c\+", " pluscontrast ", text)
    text = re.sub(r"(?<=\s)-\s?c(?![a-z0-9])|(?<![a-z0-9])c-(?=\s|$)", " minuscontrast ", text)
    text = re.sub(r"(?<![a-z])w\s?[/\\]\s?o(?![a-z])|(?<![a-z])o\.\s?(?=km)", " without ", text)
    text = re.sub(r"(?<![a-z])m\.\s?(?=km)|(?<![a-z])n\.\s?(?=km)", " mit ", text)
    return re.sub(r"(?<![a-z])(pre|prae|prä|post|nach|vor)[\s.-]?op(erativ(e)?)?(?![a-z])", " ", text)


def _other_kind(token: str) -> str | None:
    if token in OTHER_KINDS:
        return OTHER_KINDS[token]
    if token.endswith("flair") or token.startswith("tir2d"):
        return "FLAIR"
    if re.fullmatch(r"b\d{3,4}", token) or token.startswith("ep2d"):
        return "diffusion" if token.startswith("b") else "echo-planar imaging"
    return None


def _read_glued(match: re.Match[str], kinds: list[str], before: list[str], after: list[str]) -> None:
    """Read what stands before and after ``t1`` or ``t2`` in one word: ``ct1``, ``t1gd``, ``t1n``, ``t2f``."""
    rest = match["after"]
    rest = rest[len(_AFTER_WEIGHT.match(rest)[0]) :] if rest not in BEFORE_WORDS else rest  # type: ignore[index]
    if match["number"] == "2" and rest in {"f", "flair"}:
        kinds.append("FLAIR")
    elif rest in {"flair", "star", "map", "rho"}:
        kinds.append({"flair": "FLAIR", "star": "susceptibility (T2*)"}.get(rest, "a parameter map"))
    elif rest in BEFORE_WORDS or rest == "n":
        before.append(match[0])
    elif rest in AGENT_WORDS or rest in AFTER_WORDS or rest == "c":
        after.append(match[0])
    start = re.sub(r"axial|ax|sag|cor|tra|trans|iso|3d|2d|fse|tse|se|fs", "", match["before"])
    if start in {"c", "ce", "gd", "km", "post"}:
        after.append(match[0])
    elif start == "pre":
        before.append(match[0])


def _read_contrast_words(tokens: list[str], plain: str, before: list[str], after: list[str]) -> None:
    followers = [*tokens[1:], ""]
    negated = False
    for previous, token, following in zip(["", *tokens], tokens, followers, strict=False):
        if token in NEGATIONS and following not in NOT_ABOUT_CONTRAST:
            before.append(token)
            negated = True
        elif token in BEFORE_WORDS:
            before.append(_SIGNS.get(token, token))
            negated = True
        elif token in {"with", "mit"}:
            negated = False
        elif token in AFTER_WORDS:
            after.append(_SIGNS.get(token, token))
        elif token in AGENT_WORDS and not negated:
            after.append(token)
        elif token in {"c"} and _WEIGHTED.fullmatch(previous):
            after.append("c")
    if "造影前" in plain or "単純" in plain or "非造影" in plain:
        before.append("単純" if "単純" in plain else "造影前")
    elif "造影" in plain:
        after.append("造影")
