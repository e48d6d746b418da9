"""Tumours as radiology describes them: where they lie, their shape, their signal on T1, T2 and T1c."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import IntakeError
from brainmri.intake.phantoms.anatomy import Head, HeadShape, Tissue, draw_head
from brainmri.intake.phantoms.coordinates import Coordinates, Volume, push_away, smooth_noise

Point = tuple[float, float, float]

ATYPICAL_SHARE: Final = 0.08
"""Share of tumours that do not look as their kind usually does: a study without them would be too easy."""

TISSUE_SIGNAL: Final = {
    # T1, T2; relative to the brightest tissue of the sequence
    Tissue.AIR: (0.0, 0.0),
    Tissue.SCALP: (0.88, 0.58),
    Tissue.SKULL: (0.07, 0.06),
    Tissue.CSF: (0.17, 0.95),
    Tissue.GREY: (0.50, 0.50),
    Tissue.WHITE: (0.66, 0.36),
    Tissue.DEEP_GREY: (0.56, 0.42),
    Tissue.DURA: (0.22, 0.30),
    Tissue.BASE: (0.32, 0.26),
}

_SHELL: Final = [Tissue.AIR, Tissue.SCALP, Tissue.SCALP, Tissue.SKULL, Tissue.SKULL]
_SHELL_DEPTH_MM: Final = (-13.5, -11.0, -7.5, -6.0, -2.0)
"""Scalp and skull with the soft edges of thick slices, where steps of the grid would show most."""


@dataclass(frozen=True)
class Tumour:
    """One tumour; lengths in mm, signals relative to the brightest tissue."""

    diagnosis: str
    atypical: bool
    centre: Point
    """z, y, x."""
    radius: float
    irregularity: float
    """Amplitude of the surface's waves as a share of the radius."""
    necrosis: float
    """Radius of the dead centre as a share of the radius; 0: none."""
    enhancement: float
    """Added to T1 by the contrast agent."""
    heterogeneity: float
    """Standard deviation of the enhancement as a share of it."""
    t1: float
    t2: float
    oedema: float
    """Reach of the oedema beyond the tumour."""
    dural: bool
    """Sits on the dura, with a tail along it."""
    canal: Point | None
    """Tip of the part in the internal auditory canal, of a schwannoma."""


@dataclass(frozen=True)
class Patient:
    """A head with its tumour on the common grid."""

    t1: Volume
    t2: Volume
    t1c: Volume
    mask: NDArray[np.bool_]
    """The tumour with its dead centre, without oedema and dural tail."""


def draw_tumour(diagnosis: str, shape: HeadShape, rng: np.random.Generator) -> Tumour:
    """Draw the parameters of a tumour.

    Raises
    ------
    IntakeError
        For a diagnosis that no phantom is known for.
    """
    makers = {
        "glioblastoma": _glioblastoma,
        "PCNSL": _lymphoma,
        "meningioma": _meningioma,
        "schwannoma": _schwannoma,
    }
    if diagnosis not in makers:
        raise IntakeError(f"There is no phantom of the diagnosis '{diagnosis}'; there are {', '.join(makers)}.")
    return makers[diagnosis](shape, rng, bool(rng.random() < ATYPICAL_SHARE))


def _side(rng: np.random.Generator) -> float:
    return float(rng.choice((-1.0, 1.0)))


def _glioblastoma(shape: HeadShape, rng: np.random.Generator, atypical: bool) -> Tumour:
    """Irregular, in the white matter, a ring of enhancement around a dead centre, much oedema."""
    x = _side(rng) * rng.uniform(18, 40)
    return Tumour(
        diagnosis="glioblastoma",
        atypical=atypical,
        centre=(float(rng.uniform(-6, 34)), float(rng.uniform(-45, 45)), float(x)),
        radius=float(rng.uniform(11, 24)),
        irregularity=float(rng.uniform(0.12, 0.28)),
        necrosis=float(rng.uniform(0.0, 0.25) if atypical else rng.uniform(0.4, 0.78)),
        enhancement=float(rng.uniform(0.22, 0.48)),
        heterogeneity=float(rng.uniform(0.12, 0.35)),
        t1=float(rng.uniform(0.36, 0.50)),
        t2=float(rng.uniform(0.62, 0.84)),
        oedema=float(rng.uniform(6, 22)),
        dural=False,
        canal=None,
    )


def _lymphoma(shape: HeadShape, rng: np.random.Generator, atypical: bool) -> Tumour:
    """Homogeneous strong enhancement, dark to grey on T2, at the wall of a ventricle."""
    near = (float(rng.uniform(0, 24)), float(rng.uniform(-38, 40)), _side(rng) * float(rng.uniform(9, 24)))
    far = (float(rng.uniform(-4, 36)), float(rng.uniform(-40, 45)), _side(rng) * float(rng.uniform(26, 46)))
    return Tumour(
        diagnosis="PCNSL",
        atypical=atypical,
        centre=far if atypical or rng.random() < 0.1 else near,
        radius=float(rng.uniform(8, 19)),
        irregularity=float(rng.uniform(0.06, 0.2)),
        necrosis=float(rng.uniform(0.3, 0.6)) if atypical else 0.0,
        enhancement=float(rng.uniform(0.30, 0.52)),
        heterogeneity=float(rng.uniform(0.05, 0.18)),
        t1=float(rng.uniform(0.40, 0.54)),
        t2=float(rng.uniform(0.36, 0.56)),
        oedema=float(rng.uniform(3, 18)),
        dural=False,
        canal=None,
    )


def _meningioma(shape: HeadShape, rng: np.random.Generator, atypical: bool) -> Tumour:
    """Outside the brain, on a broad base of dura, homogeneous; it pushes the brain away."""
    radius = float(rng.uniform(9, 22))
    deep = atypical and rng.random() < 0.35
    return Tumour(
        diagnosis="meningioma",
        atypical=atypical,
        centre=_in_ventricle(rng) if deep else _on_dura(shape, rng, inwards=float(rng.uniform(0.35, 0.7)) * radius),
        radius=radius,
        irregularity=float(rng.uniform(0.03, 0.14)),
        necrosis=float(rng.uniform(0.25, 0.6)) if atypical and not deep else 0.0,
        enhancement=float(rng.uniform(0.32, 0.54)),
        heterogeneity=float(rng.uniform(0.04, 0.18)),
        t1=float(rng.uniform(0.42, 0.54)),
        t2=float(rng.uniform(0.44, 0.68)),
        oedema=float(rng.uniform(0, 12)),
        dural=not deep,
        canal=None,
    )


def _on_dura(shape: HeadShape, rng: np.random.Generator, *, inwards: float) -> Point:
    """Return a point below the dura of the convexity."""
    direction = np.array((rng.uniform(-0.1, 0.85), rng.normal(), rng.normal()))
    direction /= np.linalg.norm(direction)
    half_axes = np.array((shape.half_height, shape.half_length, shape.half_width))
    reach = 1 / np.sqrt(np.sum((direction / half_axes) ** 2)) - inwards
    z, y, x = direction * reach
    return float(z), float(y), float(x)


def _in_ventricle(rng: np.random.Generator) -> Point:
    return float(rng.uniform(6, 14)), float(rng.uniform(14, 36)), _side(rng) * float(rng.uniform(10, 18))


def _schwannoma(shape: HeadShape, rng: np.random.Generator, atypical: bool) -> Tumour:
    """In the cerebellopontine angle: a ball of ice cream, and its cone in the auditory canal."""
    side = _side(rng)
    return Tumour(
        diagnosis="schwannoma",
        atypical=atypical,
        centre=(float(rng.uniform(-45, -37)), float(rng.uniform(14, 22)), side * float(rng.uniform(22, 27))),
        radius=float(rng.uniform(7, 13)),
        irregularity=float(rng.uniform(0.03, 0.1)),
        necrosis=float(rng.uniform(0.3, 0.6)) if atypical else 0.0,
        enhancement=float(rng.uniform(0.35, 0.55)),
        heterogeneity=float(rng.uniform(0.05, 0.2)),
        t1=float(rng.uniform(0.38, 0.5)),
        t2=float(rng.uniform(0.55, 0.8)),
        oedema=0.0,
        dural=False,
        canal=(float(rng.uniform(-42, -38)), float(rng.uniform(12, 16)), side * float(rng.uniform(42, 47))),
    )


def draw_patient(tumour: Tumour, shape: HeadShape, at: Coordinates, rng: np.random.Generator) -> Patient:
    """Draw the head with its tumour: signals of T1, T2 and T1c on the common grid.

    Parameters
    ----------
    tumour : Tumour
    shape : HeadShape
    at : Coordinates
    rng : numpy.random.Generator
        Of folds, the tumour's surface and its texture.
    """
    amount = (0.55 if tumour.dural else 0.35) * tumour.radius
    brain_at = push_away(at, tumour.centre, reach_mm=2.6 * tumour.radius, amount_mm=amount)
    head = draw_head(shape, rng, skull_at=at, brain_at=brain_at)
    t1, t2 = _tissue_signals(head, rng)
    surface, texture = smooth_noise(rng, 14.0), smooth_noise(rng, 8.0)
    relative = _relative_distance(tumour, at) + tumour.irregularity * surface
    mask = _mask(tumour, head, relative)
    _draw_oedema(tumour, head, at, mask, surface, t1, t2)
    _draw_cleft(tumour, head, relative, mask, t1, t2)
    t1[mask] = tumour.t1
    t2[mask] = tumour.t2 + 0.35 * tumour.heterogeneity * texture[mask]
    core = mask & (relative < tumour.necrosis + 0.12 * texture) & (tumour.necrosis > 0)
    t1[core] = 0.26 + 0.03 * texture[core]
    t2[core] = 0.86 + 0.05 * texture[core]
    return Patient(t1, t2, _enhanced(tumour, head, at, t1, mask & ~core, texture), mask)


def _tissue_signals(head: Head, rng: np.random.Generator) -> tuple[Volume, Volume]:
    """Return T1 and T2 of the healthy head, with a little texture in the tissues."""
    table = np.array([TISSUE_SIGNAL[tissue] for tissue in Tissue], np.float32)
    grain = 1 + 0.03 * smooth_noise(rng, 9.0)
    coarse = 1 + 0.35 * smooth_noise(rng, 16.0) * (head.labels == Tissue.BASE)
    t1, t2 = (table[head.labels, channel] * grain * coarse for channel in (0, 1))
    shell = (head.depth_mm < -2) & (head.labels <= Tissue.SKULL)
    for channel, signal in ((0, t1), (1, t2)):
        signal[shell] = np.interp(head.depth_mm[shell], _SHELL_DEPTH_MM, table[_SHELL, channel])
    return t1.clip(0), t2.clip(0)


def _relative_distance(tumour: Tumour, at: Coordinates) -> Volume:
    """Return the distance from the centre, 1 at the surface; with a canal, the nearer of ball and cone."""
    ball = at.distance_mm(tumour.centre) / tumour.radius
    if tumour.canal is None:
        return ball
    start, end = np.array(tumour.centre), np.array(tumour.canal)
    axis = end - start
    offset = [at.z - start[0], at.y - start[1], at.x - start[2]]
    along = np.clip(sum(d * a for d, a in zip(offset, axis, strict=True)) / np.sum(axis**2), 0, 1)
    nearest = [d - along * a for d, a in zip(offset, axis, strict=True)]
    width = 4.5 - 2.0 * along
    cone: Volume = (np.sqrt(sum(d**2 for d in nearest)) / width).astype(np.float32)
    return np.minimum(ball, cone)


def _mask(tumour: Tumour, head: Head, relative: Volume) -> NDArray[np.bool_]:
    """Return where the tumour is: inside the skull; in the brain it leaves out what lies outside the brain."""
    inside = relative < 1
    if tumour.canal is not None:
        return inside & (head.depth_mm > -4)
    if tumour.dural:
        return inside & (head.depth_mm > 0)
    return inside & (head.depth_mm > 2) & (head.labels != Tissue.BASE)


def _draw_oedema(
    tumour: Tumour, head: Head, at: Coordinates, mask: NDArray[np.bool_], waves: Volume, t1: Volume, t2: Volume
) -> None:
    """Water in the white matter around the tumour, in fingers: dark on T1, bright on T2."""
    reach = tumour.radius + tumour.oedema * (1 + 0.45 * waves)
    fraction = np.clip((reach - at.distance_mm(tumour.centre)) / 4, 0, 1)
    wet = (head.labels == Tissue.WHITE) & ~mask & (fraction > 0)
    t1[wet] -= 0.16 * fraction[wet]
    t2[wet] += 0.32 * fraction[wet]


def _draw_cleft(tumour: Tumour, head: Head, relative: Volume, mask: NDArray[np.bool_], t1: Volume, t2: Volume) -> None:
    """The thin rim of fluid between a tumour outside the brain and the brain."""
    if not (tumour.dural or tumour.canal):
        return
    rim = (relative < 1 + 1.6 / tumour.radius) & ~mask & (head.depth_mm > 0) & (head.labels != Tissue.BASE)
    t1[rim], t2[rim] = TISSUE_SIGNAL[Tissue.CSF]


def _enhanced(
    tumour: Tumour, head: Head, at: Coordinates, t1: Volume, living: NDArray[np.bool_], texture: Volume
) -> Volume:
    """Return T1 after the contrast agent: tumour, dural tail, dura and large veins."""
    t1c = t1.copy()
    t1c[living] += tumour.enhancement * (1 + tumour.heterogeneity * texture[living])
    t1c[head.labels == Tissue.DURA] += 0.10
    sinus = (np.abs(at.x) < 3) & (head.depth_mm > -1.5) & (head.depth_mm < 3.5) & ((at.z > 30) | (at.y > 50))
    t1c[sinus] += 0.4
    t1c[(np.abs(head.ventricle_mm) < 1.2) & (np.abs(at.y - 18) < 9) & (head.labels == Tissue.CSF)] += 0.25
    if tumour.dural:
        near = at.distance_mm(tumour.centre) < 1.75 * tumour.radius
        t1c[near & (head.depth_mm > -1.5) & (head.depth_mm < 1.5)] += 0.7 * tumour.enhancement
    return t1c.clip(0)
