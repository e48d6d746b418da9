"""Identification of T1, T2 and T1c on hand-made attributes."""

from __future__ import annotations

import pytest

from brainmri.intake.descriptions import read_hints
from brainmri.intake.sequences import SeriesAttributes, has_agent, identify

T1_TIMES = {"repetition_time_ms": 500.0, "echo_time_ms": 12.0}
T2_TIMES = {"repetition_time_ms": 4000.0, "echo_time_ms": 95.0}
FLAIR_TIMES = {"repetition_time_ms": 9000.0, "echo_time_ms": 110.0, "inversion_time_ms": 2500.0}


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("Ax T1 +C", "T1c"),
        ("AX T1 C+", "T1c"),
        ("T1W_SE_CE", "T1c"),
        ("sT1W_3D_TFE_Gd", "T1c"),
        ("t1_mprage_tra_p2_iso post KM", "T1c"),
        ("t1_se_tra_KM", "T1c"),
        ("T1 tra nach KM", "T1c"),
        ("T1 m. KM", "T1c"),
        ("T1 mit KM", "T1c"),
        ("3D T1 MPRAGE POST GAD", "T1c"),
        ("T1 GADOVIST COR", "T1c"),
        ("CE-T1 AX", "T1c"),
        ("ceT1w", "T1c"),
        ("T1CE", "T1c"),
        ("T1Gd", "T1c"),
        ("t1ce", "T1c"),
        ("BRAVO +Gd", "T1c"),
        ("T1強調 造影", "T1c"),
        ("造影T1WI", "T1c"),
        ("T1 ZOUEI", "T1c"),
        ("AX T1 POST CONTRAST W/O FAT SAT", "T1c"),
        ("T1 SE AX POST FS", "T1c"),
        ("AX T1", "T1"),
        ("T1W_SE", "T1"),
        ("eT1W_SE_CLEAR", "T1"),
        ("AXT1 FSE", "T1"),
        ("T1 pre contrast", "T1"),
        ("T1 WITHOUT CONTRAST", "T1"),
        ("AX T1 W/O", "T1"),
        ("T1 -C", "T1"),
        ("T1 nativ tra", "T1"),
        ("T1 ohne KM", "T1"),
        ("T1 o. KM", "T1"),
        ("T1 vor KM", "T1"),
        ("T1 non-contrast", "T1"),
        ("T1 単純", "T1"),
        ("T1 造影前", "T1"),
        ("T1 preop", "T1"),
        ("T1 post-op", "T1"),
        ("t1n", "T1"),
        ("t1_mprage_sag", "T1"),
        ("SAG T1 FLAIR", "T1"),
        ("FSPGR 3D", "T1"),
        ("AX T2", "T2"),
        ("T2W_TSE", "T2"),
        ("t2_tse_tra", "T2"),
        ("T2 FRFSE", "T2"),
        ("T2強調", "T2"),
        ("AX T2 POST GD", "T2"),
        ("AX T2 FLAIR", None),
        ("t2_tirm_tra_dark-fluid", None),
        ("t2f", None),
        ("T2flair", None),
        ("AX T2*", None),
        ("t2star", None),
        ("AX GRE", None),
        ("DWI b1000", None),
        ("ep2d_diff_3scan_trace", None),
        ("ADC (10^-6 mm²/s)", None),
        ("localizer", None),
        ("3-plane scout", None),
        ("TOF MRA", None),
        ("SWI", None),
        ("T1 MPR cor", None),
        ("T1 SUB", None),
        ("T1 Subtraktion", None),
        ("T1 map", None),
        ("MIP", None),
        ("PD TSE", None),
        ("CISS 3D", None),
        ("T1 and T2", None),
        ("Series 7", None),
        ("", None),
    ],
)
def test_a_description_alone_names_the_sequence(description: str, expected: str | None) -> None:
    assert identify(SeriesAttributes(description=description))[0] == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({**T1_TIMES}, "T1"),
        ({**T1_TIMES, "contrast_agent": "Dotarem"}, "T1c"),
        ({**T2_TIMES}, "T2"),
        ({**T2_TIMES, "contrast_agent": "Dotarem"}, "T2"),
        ({**FLAIR_TIMES}, None),
        ({"repetition_time_ms": 2300.0, "echo_time_ms": 3.0, "inversion_time_ms": 900.0}, "T1"),
        ({"repetition_time_ms": 2500.0, "echo_time_ms": 20.0, "inversion_time_ms": 860.0}, "T1"),
        ({"repetition_time_ms": 4500.0, "echo_time_ms": 40.0, "inversion_time_ms": 160.0}, None),
        ({"repetition_time_ms": 8.0, "echo_time_ms": 3.0, "scanning_sequence": ("GR",)}, "T1"),
        ({"repetition_time_ms": 650.0, "echo_time_ms": 20.0, "scanning_sequence": ("GR",)}, None),
        (
            {"repetition_time_ms": 6.0, "echo_time_ms": 2.8, "scanning_sequence": ("GR",), "sequence_variant": ("SS",)},
            None,
        ),
        ({"repetition_time_ms": 2500.0, "echo_time_ms": 250.0, "scanning_sequence": ("SE",)}, "T2"),
        ({"repetition_time_ms": 8000.0, "echo_time_ms": 120.0, "scanning_sequence": ("SE", "IR")}, None),
        ({"repetition_time_ms": 3500.0, "echo_time_ms": 15.0}, None),
        ({"repetition_time_ms": 4000.0, "echo_time_ms": 95.0, "scanning_sequence": ("EP", "SE")}, None),
        ({**T1_TIMES, "image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, None),
        ({**T1_TIMES, "image_type": ("DERIVED", "PRIMARY", "MPR")}, None),
        ({**T2_TIMES, "image_type": ("DERIVED", "PRIMARY", "ADC")}, None),
        ({**T1_TIMES, "image_type": ("DERIVED", "SECONDARY")}, "T1"),
        ({**T2_TIMES, "b_value": 1000.0}, None),
        ({"repetition_time_ms": 22.0, "echo_time_ms": 4.0, "scanning_sequence": ("GR",), "angio": True}, None),
        ({**T2_TIMES, "body_part": "LSPINE"}, None),
        ({**T2_TIMES, "body_part": "BRAIN"}, "T2"),
        ({**T2_TIMES, "description": "PD/T2"}, "T2"),
        ({**T2_TIMES, "description": "", "protocol": "FLAIR"}, None),
        ({**T1_TIMES, "description": "AX T1", "protocol": "BRAIN WITH CONTRAST"}, "T1"),
        ({**T1_TIMES, "description": "", "protocol": "T1 +C"}, "T1c"),
        ({**T1_TIMES, "contrast_agent": "NO"}, "T1"),
    ],
)
def test_what_the_scanner_recorded_decides_where_the_description_is_useless(
    attributes: dict, expected: str | None
) -> None:
    assert identify(SeriesAttributes(**{"description": "SER 4", **attributes}))[0] == expected


def test_the_times_win_over_a_description_that_lies() -> None:
    sequence, evidence = identify(SeriesAttributes(description="AX T1", **T2_TIMES))
    assert sequence == "T2"
    assert evidence == 'T2-weighted: TR 4000 ms, TE 95 ms, although the description says "T1".'


def test_a_description_that_says_before_contrast_wins_over_an_agent_that_was_carried_over() -> None:
    sequence, evidence = identify(SeriesAttributes(description="AX T1 PRE", contrast_agent="GADAVIST", **T1_TIMES))
    assert sequence == "T1"
    assert 'the description says "pre", so the recorded contrast agent was carried over' in evidence


def test_a_description_that_says_both_leaves_the_decision_to_the_agent() -> None:
    both = SeriesAttributes(description="T1 PRE/POST", **T1_TIMES)
    assert identify(both)[0] == "T1"
    assert identify(SeriesAttributes(description="T1 PRE/POST", contrast_agent="Gd", **T1_TIMES))[0] == "T1c"


def test_the_evidence_names_the_agent_but_never_quotes_the_description() -> None:
    _, evidence = identify(SeriesAttributes(description="Wolkenstein T1 +C", contrast_agent="Clariscan", **T1_TIMES))
    assert evidence == (
        'T1-weighted: TR 500 ms, TE 12 ms, and the description says "T1"; '
        'a contrast agent is recorded, and the description says "+c".'
    )


def test_without_words_and_times_a_series_is_not_recognised() -> None:
    assert identify(SeriesAttributes(description="Head"))[1] == (
        "Not recognised: the description names no sequence, and no repetition and echo time is recorded."
    )


@pytest.mark.parametrize("text", ["", " no ", "None", "N/A", "OHNE", "0"])
def test_words_for_no_agent_are_no_agent(text: str) -> None:
    assert not has_agent(text)


@pytest.mark.parametrize("text", ["post1", "test2", "PAT1ENT", "T10", "spinT21"])
def test_letters_and_digits_inside_other_words_name_no_weighting(text: str) -> None:
    assert read_hints(text).weighting is None
