"""Name the sequence of an MR series: T1, T2, T1c, or something else.

The scanner's own numbers (repetition, echo and inversion time) tell T1 from T2 weighting. They cannot tell T1 from T1c:
for that the recorded contrast agent is asked, then the description; where the description says that the series was
taken before contrast, it wins over an agent that was carried over from the examination's header.

References
----------
Ranges follow the consensus brain tumour protocol (Ellingson et al. 2015, doi:10.1093/neuonc/nov095: T1 3D TI 1100 ms
and shortest TE; T2 TSE TR > 2500 ms and TE 80-120 ms; FLAIR TR > 6000 ms, TE 100-140 ms, TI 2000-2500 ms) and are
widened to what spin-echo theory still calls the same weighting (McRobbie et al., MRI from Picture to Proton, 3rd ed.
2017, chapter 3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from brainmri.intake.descriptions import DescriptionHints, read_hints
from brainmri.intake.words import IMAGE_TYPES
from brainmri.vocabulary import Sequence

T1_LONGEST_ECHO_TIME_MS: Final = 40.0
"""Above this a spin echo is no longer T1-weighted; T1 protocols use 5 to 25 ms."""
T1_LONGEST_REPETITION_TIME_MS: Final = 1500.0
"""T1 spin echo uses 400 to 800 ms at 1.5 T, turbo spin echo at 3 T up to about 1200 ms."""
T2_SHORTEST_ECHO_TIME_MS: Final = 60.0
"""T2 protocols use 80 to 120 ms; below 60 ms an image is proton-density-weighted or intermediate."""
T2_SHORTEST_REPETITION_TIME_MS: Final = 1500.0
"""T2 protocols use more than 2500 ms; 3D turbo spin echo goes down to about 1800 ms."""
T1_INVERSION_TIMES_MS: Final = (300.0, 1500.0)
"""MPRAGE and T1 FLAIR use 450 to 1300 ms; STIR lies below (fat, about 150 to 250 ms), FLAIR above (from 1700 ms)."""
GRADIENT_ECHO_LONGEST_T1_ECHO_TIME_MS: Final = 10.0
"""Spoiled gradient echo for T1 uses 1 to 7 ms; susceptibility weighting begins at about 12 ms."""

NOT_RECOGNISED: Final = "Not recognised"
"""Beginning of the evidence for a series that neither words nor times tell."""
_NO_AGENT: Final = frozenset(
    [
        "",
        "no",
        "none",
        "none given",
        "n",
        "n/a",
        "na",
        "0",
        "without",
        "ohne",
        "kein",
        "keine",
        "nein",
        "no contrast",
        "false",
    ]
)
_HEAD: Final = (
    "",
    "HEAD",
    "BRAIN",
    "SKULL",
    "WHOLEHEAD",
    "HEADNECK",
    "SCHAEDEL",
    "SCHÄDEL",
    "KOPF",
    "NEURO",
    "PITUITARY",
)
_OTHER_BODY_PARTS: Final = (
    "SPINE",
    "CHEST",
    "ABDOMEN",
    "PELVIS",
    "KNEE",
    "HIP",
    "BREAST",
    "SHOULDER",
    "PROSTATE",
    "HEART",
    "LIVER",
)


@dataclass(frozen=True)
class SeriesAttributes:
    """What identification looks at. Times in milliseconds, angle in degrees; None where nothing is recorded."""

    description: str = ""
    """Series description, or the words of a file name."""
    protocol: str = ""
    """Protocol name: asked only where the description says nothing, because some vendors name the whole examination."""
    image_type: tuple[str, ...] = ()
    scanning_sequence: tuple[str, ...] = ()
    sequence_variant: tuple[str, ...] = ()
    repetition_time_ms: float | None = None
    echo_time_ms: float | None = None
    inversion_time_ms: float | None = None
    flip_angle_deg: float | None = None
    b_value: float | None = None
    angio: bool = False
    contrast_agent: str = ""
    """Text of Contrast/Bolus Agent (0018,0010); ``"recorded"`` where only its sequence or volume says so."""
    body_part: str = ""
    text_source: str = "description"
    """How the evidence calls the text: ``description`` or ``file name``."""


def identify(attributes: SeriesAttributes) -> tuple[Sequence | None, str]:
    """Name the sequence of a series.

    Parameters
    ----------
    attributes : SeriesAttributes

    Returns
    -------
    sequence : {"T1", "T2", "T1c"} or None
        None for every other kind of image.
    evidence : str
        A sentence that says why. It quotes words of the vocabulary, never the description itself.
    """
    attributes, hints = _read_words(attributes)
    other = _other_image(attributes) or _other_by_words(attributes, hints)
    if other:
        return None, other
    weighting, evidence = _weigh(attributes, hints)
    if weighting == "T2":
        return "T2", f"T2-weighted: {evidence}."
    if weighting != "T1":
        return None, f"{evidence[0].upper()}{evidence[1:]}."
    contrast, reason = _decide_contrast(attributes, hints)
    return ("T1c" if contrast else "T1"), f"T1-weighted: {evidence}; {reason}."


def has_agent(contrast_agent: str) -> bool:
    """Return whether the text of Contrast/Bolus Agent (0018,0010) names an agent."""
    return contrast_agent.strip().casefold() not in _NO_AGENT


def _read_words(attributes: SeriesAttributes) -> tuple[SeriesAttributes, DescriptionHints]:
    """Read the description, or the protocol name in its place."""
    hints = read_hints(attributes.description)
    if (hints.weighting, hints.other, hints.contrast) != (None, None, None) or not attributes.protocol:
        return attributes, hints
    return replace(attributes, text_source="protocol name"), read_hints(attributes.protocol)


def _other_image(attributes: SeriesAttributes) -> str | None:
    """Recognise other kinds of image by what the scanner recorded."""
    for value in attributes.image_type[1:]:
        if value.upper() in IMAGE_TYPES:
            return f"The image type says that it is {IMAGE_TYPES[value.upper()]}."
    part = attributes.body_part.upper()
    if part not in _HEAD and any(other in part for other in _OTHER_BODY_PARTS):
        return "The body part is not the head."
    if attributes.b_value:
        return f"Diffusion: a b-value of {attributes.b_value:g} s/mm² is recorded."
    if attributes.angio:
        return "Angiography: the angio flag is set."
    if "EP" in attributes.scanning_sequence:
        return "Echo-planar imaging (diffusion, perfusion or functional): the scanning sequence is EP."
    return None


def _other_by_words(attributes: SeriesAttributes, hints: DescriptionHints) -> str | None:
    if hints.other is None:
        return None
    if hints.other == "FLAIR" and hints.weighting == "T1" and _times(attributes)[0] != "FLAIR":
        return None  # T1 FLAIR: an inversion-prepared T1-weighted turbo spin echo
    if hints.other == "proton density" and _times(attributes)[0] == "T2":
        return None  # the second echo of a series called PD/T2
    return f"The {attributes.text_source} says that it is {hints.other}."


def _weigh(attributes: SeriesAttributes, hints: DescriptionHints) -> tuple[str | None, str]:
    """Return the weighting and why; the scanner's times win over the description."""
    measured, why = _times(attributes)
    source = attributes.text_source
    if measured is None and hints.weighting is None:
        if hints.gradient_echo:
            return None, f"susceptibility (T2*): the {source} says that it is a gradient echo, and nothing says T1"
        known = f"{why} do not decide" if why else "no repetition and echo time is recorded"
        return None, f"{NOT_RECOGNISED}: the {source} names no sequence, and {known}"
    if measured is None:
        return hints.weighting, f'the {source} says "{hints.weighting}"' + (f" ({why})" if why else "")
    if hints.weighting == measured:
        return measured, f'{why}, and the {source} says "{measured}"'
    if hints.weighting is not None:
        return _named_only(measured), f'{_prefix(measured)}{why}, although the {source} says "{hints.weighting}"'
    return _named_only(measured), f"{_prefix(measured)}{why}"


def _named_only(measured: str) -> str | None:
    return measured if measured in {"T1", "T2"} else None


def _prefix(measured: str) -> str:
    return "" if measured in {"T1", "T2"} else f"{measured}: "


def _times(attributes: SeriesAttributes) -> tuple[str | None, str]:
    """Return the weighting that repetition, echo and inversion time give, and the times in words."""
    repetition, echo, inversion = attributes.repetition_time_ms, attributes.echo_time_ms, attributes.inversion_time_ms
    if repetition is None or echo is None:
        return None, ""
    words = f"TR {repetition:.0f} ms, TE {echo:.0f} ms"
    if inversion:
        words += f", TI {inversion:.0f} ms"
        if inversion <= T1_INVERSION_TIMES_MS[0] and echo > GRADIENT_ECHO_LONGEST_T1_ECHO_TIME_MS:
            return "short-TI inversion recovery", words
        if inversion >= T1_INVERSION_TIMES_MS[1] and echo >= T2_SHORTEST_ECHO_TIME_MS:
            return "FLAIR", words
        if echo <= T1_LONGEST_ECHO_TIME_MS and inversion <= T1_INVERSION_TIMES_MS[1]:
            return "T1", f"{words} (inversion-prepared)"
    if "GR" in attributes.scanning_sequence and "SE" not in attributes.scanning_sequence:
        return _gradient_echo(attributes, repetition, echo), f"{words} (gradient echo)"
    return _spin_echo(attributes, repetition, echo), words


def _gradient_echo(attributes: SeriesAttributes, repetition: float, echo: float) -> str | None:
    if "SS" in attributes.sequence_variant and "SP" not in attributes.sequence_variant and echo > repetition / 3:
        return "a balanced steady-state sequence"  # the echo stands in the middle of the repetition
    if echo <= GRADIENT_ECHO_LONGEST_T1_ECHO_TIME_MS:
        return "T1"
    return "susceptibility (T2*)"


def _spin_echo(attributes: SeriesAttributes, repetition: float, echo: float) -> str | None:
    if echo >= T2_SHORTEST_ECHO_TIME_MS and repetition >= T2_SHORTEST_REPETITION_TIME_MS:
        return "FLAIR" if "IR" in attributes.scanning_sequence else "T2"
    if echo <= T1_LONGEST_ECHO_TIME_MS and repetition <= T1_LONGEST_REPETITION_TIME_MS:
        return "T1"
    if echo <= T1_LONGEST_ECHO_TIME_MS and "IR" not in attributes.scanning_sequence:
        return "proton density" if repetition >= 2 * T1_LONGEST_REPETITION_TIME_MS else None
    return None


def _decide_contrast(attributes: SeriesAttributes, hints: DescriptionHints) -> tuple[bool, str]:
    """Decide between T1c (True) and T1; the attribute first, but a description that says 'before' wins."""
    agent = has_agent(attributes.contrast_agent)
    source, word = attributes.text_source, hints.contrast_word
    if agent and hints.contrast is False:
        return (
            False,
            f'the {source} says "{word}", so the recorded contrast agent was carried over from the examination',
        )
    if agent:
        said = f', and the {source} says "{word}"' if hints.contrast else ""
        return True, f"a contrast agent is recorded{said}"
    if hints.contrast:
        return True, f'the {source} says "{word}" (no contrast agent is recorded)'
    if hints.contrast is False:
        return False, f'the {source} says "{word}"'
    return False, f"no contrast agent is recorded, and the {source} names none"
