"""The DICOM objects, read back by pydicom: probabilities, voxels, geometry, no identity."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, replace

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from brainmri.explanation.maps import FILE_NAME
from brainmri.intake.volumes import volume_path
from brainmri.takeaway.codes import diagnosis_code
from brainmri.takeaway.dicom_export import encode, make_objects, zip_objects
from brainmri.takeaway.evidence import CaseEvidence, read_evidence, read_tested
from brainmri.takeaway.gathering import summarise_case
from brainmri.takeaway.mr_series import make_mr_series
from brainmri.takeaway.summary import PURPOSE, CaseSummary
from brainmri.vocabulary import SEQUENCES
from tests.takeaway.conftest import MARKED, REVIEWER
from tests.takeaway.dicom_tree import codes_in, groups_of, numbers_in, patient_coordinate, texts_in

FINDING, VERDICT, PATHOLOGY = ("121071", "DCM"), ("VERDICT", "99BRAINMRI"), ("PATHOLOGY", "99BRAINMRI")
PROBABILITY = ("122157", "DCM")
CODES = {
    "glioblastoma": ("1163375002", "SCT"),
    "PCNSL": ("PCNSL", "99BRAINMRI"),
    "meningioma": ("302820008", "SCT"),
}


@dataclass(frozen=True)
class Exported:
    evidence: CaseEvidence
    summary: CaseSummary
    files: dict[str, pydicom.Dataset]


def export(taken) -> Exported:
    evidence = read_evidence(taken.study, read_tested(taken.study, taken.run_id, taken.case_id))
    summary = summarise_case(taken.study, taken.run_id, taken.case_id, evidence=evidence)
    made = make_objects(evidence, summary)
    return Exported(evidence, summary, {name: pydicom.dcmread(io.BytesIO(encode(one))) for name, one in made.items()})


@pytest.fixture(scope="module")
def exported(taken) -> Exported:
    return export(taken)


def of_class(exported: Exported, name: str) -> list[pydicom.Dataset]:
    return [one for one in exported.files.values() if one.SOPClassUID.name.startswith(name)]


def marked_place(taken, name: str = "T1c") -> np.ndarray:
    """Return where the marked voxel lies, by SimpleITK and the study's own file."""
    image = sitk.ReadImage(volume_path(taken.study.case_folder(taken.case_id), name))
    return np.array(image.TransformIndexToPhysicalPoint((MARKED[1], MARKED[0], taken.slices[0])))


def test_the_report_gives_the_probability_of_each_diagnosis(exported) -> None:
    groups = [group for group in groups_of(exported.files["verdict.dcm"]) if PROBABILITY in numbers_in(group)]
    found = {codes_in(group, FINDING)[0]: numbers_in(group)[PROBABILITY] for group in groups}
    expected = zip(exported.summary.classes, exported.summary.probabilities, strict=True)
    assert found == {CODES[name]: pytest.approx(share, abs=1e-9) for name, share in expected}


def test_the_report_gives_verdict_pathology_and_purpose(exported) -> None:
    group = groups_of(exported.files["verdict.dcm"])[0]
    assert codes_in(group, VERDICT) == [CODES[exported.summary.classes[exported.summary.predicted_class]]]
    assert codes_in(group, PATHOLOGY) == [CODES["glioblastoma"]]
    assert any(PURPOSE in words for words in texts_in(group))
    numbers = numbers_in(group)
    assert numbers["SLICES", "99BRAINMRI"] == 2
    assert numbers["RUNS", "99BRAINMRI"] == sum(one.tested for one in exported.summary.agreement)
    assert numbers["RIGHT-RUNS", "99BRAINMRI"] == sum(one.right for one in exported.summary.agreement)


def test_the_report_refers_to_every_object(exported) -> None:
    report = exported.files["verdict.dcm"]
    sequences = [report.get("CurrentRequestedProcedureEvidenceSequence"), report.get("PertinentOtherEvidenceSequence")]
    referred = {
        instance.ReferencedSOPInstanceUID
        for sequence in sequences
        for study in sequence or []
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }
    assert referred == {one.SOPInstanceUID for name, one in exported.files.items() if name != "verdict.dcm"}
    assert report.VerificationFlag == "UNVERIFIED"


def test_voxels_are_those_of_the_study_and_only_of_slices_that_were_seen(exported, taken) -> None:
    for name in SEQUENCES:
        volume = sitk.GetArrayFromImage(sitk.ReadImage(volume_path(taken.study.case_folder(taken.case_id), name)))
        images = [one for file, one in exported.files.items() if file.startswith(f"{name}/")]
        assert [one.InstanceNumber - 1 for one in images] == list(taken.slices)
        for image, index in zip(images, taken.slices, strict=True):
            np.testing.assert_array_equal(image.pixel_array, volume[index])


def test_a_marked_voxel_lands_at_the_right_place_in_the_patient(exported, taken) -> None:
    expected = marked_place(taken)
    for number, name in enumerate(SEQUENCES):
        image = exported.files[f"{name}/slice-{taken.slices[0] + 1:03d}.dcm"]
        assert tuple(np.argwhere(image.pixel_array == 1000 + number)[0]) == MARKED
        found = patient_coordinate(
            image.ImagePositionPatient, image.ImageOrientationPatient, image.PixelSpacing, *MARKED
        )
        np.testing.assert_allclose(found, expected, atol=1e-4)  # mm


def test_simpleitk_reads_the_series_onto_the_grid_of_the_study(exported, taken, tmp_path) -> None:
    paths = []
    for name, one in exported.files.items():
        if name.startswith("T1c/"):
            paths.append(tmp_path / name.replace("/", "-"))
            paths[-1].write_bytes(encode(one))
    image = sitk.ReadImage([str(path) for path in sorted(paths)])
    place = image.TransformIndexToPhysicalPoint((MARKED[1], MARKED[0], 0))
    np.testing.assert_allclose(place, marked_place(taken), atol=1e-4)
    assert image[MARKED[1], MARKED[0], 0] == 1002


def test_the_parametric_map_holds_the_maps_in_their_unit_on_the_same_places(exported) -> None:
    maps = of_class(exported, "Parametric Map")
    wanted = sorted({exported.summary.predicted_class, exported.summary.true_class})
    assert [int(one.SeriesNumber) - 11 for one in maps] == wanted
    t1c = {tuple(np.round(one.ImagePositionPatient, 3)): one for n, one in exported.files.items() if n[:4] == "T1c/"}
    for one, class_index in zip(maps, wanted, strict=True):
        shared = one.SharedFunctionalGroupsSequence[0]
        mapping = shared.RealWorldValueMappingSequence[0]
        values = one.pixel_array * mapping.RealWorldValueSlope + mapping.RealWorldValueIntercept
        orientation = shared.PlaneOrientationSequence[0].ImageOrientationPatient
        assert len(one.PerFrameFunctionalGroupsSequence) == 2
        for frame, group in enumerate(one.PerFrameFunctionalGroupsSequence):
            position = tuple(np.round(group.PlanePositionSequence[0].ImagePositionPatient, 3))
            source = t1c[position]
            np.testing.assert_allclose(orientation, source.ImageOrientationPatient, atol=1e-9)
            slices = [seen.region.slice_index for seen in exported.evidence.tested.slices]
            place = slices.index(int(source.InstanceNumber) - 1)
            expected = exported.evidence.map_on_grid(place, class_index)
            np.testing.assert_allclose(values[frame], expected, atol=0.5 / 65535)
        assert one.FrameOfReferenceUID == source.FrameOfReferenceUID
        assert (mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeValue) == "130403"


def test_the_window_of_the_map_ends_where_the_colours_of_the_dashboard_end(exported) -> None:
    one = of_class(exported, "Parametric Map")[0]
    shared = one.SharedFunctionalGroupsSequence[0]
    window = shared.FrameVOILUTSequence[0]
    slope = float(shared.RealWorldValueMappingSequence[0].RealWorldValueSlope)
    scale = exported.evidence.maps.scales[int(one.SeriesNumber) - 11]
    assert (float(window.WindowCenter) + float(window.WindowWidth) / 2) * slope == pytest.approx(scale, rel=1e-6)
    assert float(window.WindowCenter) == pytest.approx(float(window.WindowWidth) / 2)


def test_captures_show_the_map_in_colour_inside_the_square_only(exported) -> None:
    captures = of_class(exported, "Secondary Capture")
    assert len(captures) == 2
    pixels = captures[0].pixel_array
    assert pixels.shape == (512, 512, 3)
    region = exported.evidence.tested.slices[0].region
    coloured = np.ptp(pixels.astype(int), axis=2) > 0
    scale = 512 / 32
    rows, columns = np.nonzero(coloured)
    assert rows.min() >= region.row * scale - 1
    assert rows.max() <= (region.row + region.size_px) * scale
    assert columns.min() >= region.column * scale - 1
    assert columns.max() <= (region.column + region.size_px) * scale
    middle = (
        round((region.row + region.size_px * 0.375) * scale),
        round((region.column + region.size_px * 0.625) * scale),
    )
    assert coloured[middle]  # the strongest cell: row 1, column 2 of 4 × 4


def test_nothing_in_them_names_a_person_a_place_or_a_path(exported, taken) -> None:
    secrets = (str(taken.study.folder), "study-of-secrets", REVIEWER, "Kranenburg", "Tanaka", "left frontal")
    for name, one in exported.files.items():
        assert one.PatientID == taken.case_id
        assert str(one.PatientName) == f"{taken.case_id}^"
        assert one.PatientIdentityRemoved == "YES"
        assert one.StudyDate == one.PatientBirthDate == one.PatientSex == one.AccessionNumber == "", name
        persons = [item for item in one.iterall() if item.VR == "PN" and item.value and item.keyword != "PatientName"]
        assert persons == [], name
        content = encode(one)
        assert [word for word in secrets if word.encode() in content] == []


def test_the_same_case_gets_the_same_identifiers_and_another_one_others(exported, taken, own_taken) -> None:
    again = export(taken)
    assert {n: one.SOPInstanceUID for n, one in again.files.items()} == {
        n: one.SOPInstanceUID for n, one in exported.files.items()
    }
    uids = [one.SOPInstanceUID for one in exported.files.values()]
    assert len(set(uids)) == len(uids)
    assert {one.StudyInstanceUID for one in exported.files.values()} == {again.files["verdict.dcm"].StudyInstanceUID}
    case = replace(read_tested(own_taken.study, own_taken.run_id, own_taken.case_id))
    case.case.content_digest = "another"
    other = make_mr_series(read_evidence(own_taken.study, case))
    assert not {one.SOPInstanceUID for images in other.values() for one in images} & set(uids)


def test_without_maps_slices_and_verdict_are_left(own_taken) -> None:
    (own_taken.study.run_folder(own_taken.run_id) / FILE_NAME).unlink()
    found = export(own_taken)
    assert {name.split("/")[0] for name in found.files} == {"T1", "T2", "T1c", "verdict.dcm"}
    assert len(groups_of(found.files["verdict.dcm"])) == 4


def test_numbers_with_a_fraction_are_scaled_by_one_factor_a_sequence(exported) -> None:
    volumes = exported.evidence.volumes
    arrays = {name: array.astype(np.float32) / 7 for name, array in volumes.arrays.items()}
    limits = {name: (low / 7, high / 7) for name, (low, high) in exported.evidence.limits.items()}
    evidence = CaseEvidence(
        tested=exported.evidence.tested, volumes=replace(volumes, arrays=arrays), limits=limits, maps=None
    )
    for name, images in make_mr_series(evidence).items():
        factor = 32767 / arrays[name].max()
        for image in images:
            expected = arrays[name][image.InstanceNumber - 1].astype(np.float64) * factor
            np.testing.assert_allclose(image.pixel_array, expected, atol=0.51)
        brightest = float(images[0].WindowCenter) + float(images[0].WindowWidth) / 2
        assert brightest == pytest.approx(limits[name][1] * factor, rel=1e-6)


def test_a_diagnosis_without_a_code_gets_a_steady_private_one() -> None:
    assert diagnosis_code("schwannoma")[:2] == ("SCHWANNOMA", "99BRAINMRI")
    long = diagnosis_code("a tumour with a name that is far too long for a short string of sixteen characters")
    assert len(long.value) <= 16
    assert len(long.meaning) <= 64
    assert long == diagnosis_code("a tumour with a name that is far too long for a short string of sixteen characters")
    assert diagnosis_code("神経鞘腫").value.startswith("DX-")


def test_the_zip_file_holds_them_in_one_folder(exported) -> None:
    content = zip_objects(exported.files, "case-0001-run")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted(f"case-0001-run/{name}" for name in exported.files)
        read = pydicom.dcmread(io.BytesIO(archive.read("case-0001-run/verdict.dcm")))
    assert read.SOPInstanceUID == exported.files["verdict.dcm"].SOPInstanceUID
