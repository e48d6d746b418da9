"""The words that people and vendors use for MR sequences in descriptions and file names."""

from __future__ import annotations

from typing import Final


def split_words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


OTHER_KINDS: Final[dict[str, str]] = {
    word: kind
    for kind, words in {
        "a localizer": "localizer localiser localisateur loc scout aascout aahead survey topogram plan planning 3plane "
        "smartbrain lokalizer lokalisator übersicht calibration cal asset",
        "FLAIR": "flair darkfluid tirm tir",
        "diffusion": "dwi dti diff diffusion adc eadc trace tracew resolve ivim dki noddi tensor b0 diffusionswichtung",
        "perfusion": "perf perfusion pwi dsc dce asl pcasl pasl cbf cbv rcbv mtt tmax ttp dynamic dyn ktrans",
        "susceptibility (T2*)": "swi swip swan t2star qsm hemo heme medic venobold",
        "angiography": "tof mra angio mrv venography venogram phlebo angiography arteries",
        "spectroscopy": "mrs svs csi spectro spectroscopy",
        "functional MRI": "bold fmri rsfmri",
        "a balanced steady-state sequence": "ciss fiesta bffe trufi truefisp truefi",
        "short-TI inversion recovery": "stir",
        "double inversion recovery": "dir",
        "a projection": "mip minip",
        "a subtraction": "sub subtr subtraction subtracted subtraktion",
        "a reformatted image": "mpr reformat reformatted rekon curved",
        "a parameter map": "map t1map t2map fieldmap b0map colfa t1rho synthetic magic",
        "proton density": "pd pdw proton dp",
        "an image of the spine": "spine spinal lspine cspine tspine lws hws bws wirbelsäule",
    }.items()
    for word in words.split()
}
"""Words that name another kind of image, and how the evidence calls it."""

T1_WORDS: Final = frozenset(["mprage", "bravo", "spgr", "fspgr", "irspgr", "vibe", "thrive", "lava", "tfl", "isspgr"])
"""Vendors' names of T1-weighted gradient-echo sequences."""
T2_WORDS: Final = frozenset(["frfse"])

AGENT_WORDS: Final = split_words(
    "gd gad gado gadolinium gadovist gadavist gadobutrol dotarem clariscan magnevist multihance prohance omniscan "
    "vueway gdtpa gddtpa dtpa gdbopta gadobenate gadoterate gadoteridol ce contrast contrasted enhanced "
    "enhancement enh kontrast kontrastmittel km kmgabe zouei zoei iv contraste"
)
"""Words that name the agent: with a negation before them they mean its absence."""
AFTER_WORDS: Final = split_words(
    "post nach after mit with mkm nkm nachkm postkm postgd postgad postc postcon postcontrast pluscontrast wc inj "
    "injected injection delayed zoueigo apres dopo cet1 gdt1"
)
BEFORE_WORDS: Final = split_words(
    "pre precontrast pregd pregad prekm prec noncontrast nongd nonce nocontrast unenhanced nonenhanced native "
    "nativ nat okm vorkm vor plain noncon nogad nogd noce nokm minuscontrast before avant prima zoueimae tanjun"
)
NEGATIONS: Final = frozenset(["without", "wo", "ohne", "no", "non", "sans", "sin", "senza"])
NOT_ABOUT_CONTRAST: Final = split_words(
    "fs fat fatsat sat supp mt mtc flow comp ang angulation gap filter dist norm op"
)
"""Words after ``with`` or ``without`` that are not about contrast (``w/o fat sat``)."""

IMAGE_TYPES: Final = {
    "LOCALIZER": "a localizer",
    "ADC": "a parameter map (ADC)",
    "DIFFUSION": "diffusion",
    "TRACEW": "diffusion",
    "FA": "a parameter map",
    "MIP": "a projection",
    "MIN IP": "a projection",
    "MINIP": "a projection",
    "PROJECTION IMAGE": "a projection",
    "SUB": "a subtraction",
    "SUBTRACTION": "a subtraction",
    "MPR": "a reformatted image",
    "REFORMATTED": "a reformatted image",
    "PHASE": "a phase image",
    "PHASE MAP": "a phase image",
    "P": "a phase image",
    "PERFUSION": "perfusion",
    "ASL": "perfusion",
    "T1 MAP": "a parameter map",
    "T2 MAP": "a parameter map",
    "FMRI": "functional MRI",
    "SCREEN SAVE": "a screen shot",
}
"""Values of Image Type (0008,0008) that mean another kind of image. DERIVED alone does not: converters write it."""
