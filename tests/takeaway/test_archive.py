"""The objects before a validator and in an archive: dciodvfy (dicom3tools) and Orthanc."""

from __future__ import annotations

import io
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brainmri.takeaway.dicom_export import encode, make_objects
from brainmri.takeaway.evidence import read_evidence, read_tested
from brainmri.takeaway.gathering import summarise_case

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

ORTHANC = shutil.which("Orthanc") or shutil.which("orthanc")


@pytest.fixture(scope="module")
def files(taken) -> dict[str, bytes]:
    evidence = read_evidence(taken.study, read_tested(taken.study, taken.run_id, taken.case_id))
    summary = summarise_case(taken.study, taken.run_id, taken.case_id, evidence=evidence)
    return {name: encode(one) for name, one in make_objects(evidence, summary).items()}


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed: apt-get install dicom3tools")
def test_dciodvfy_finds_no_error(files, tmp_path) -> None:
    problems = {}
    for name, content in files.items():
        path = tmp_path / name.replace("/", "-")
        path.write_bytes(content)
        done = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True, check=False)
        errors = [line for line in done.stderr.splitlines() if line.startswith("Error")]
        if errors or done.returncode:
            problems[name] = errors
    assert problems == {}


@pytest.mark.skipif(ORTHANC is None, reason="Orthanc is not installed: apt-get install orthanc")
def test_orthanc_stores_them_as_one_study_and_shows_the_pictures(files, taken, tmp_path) -> None:
    with orthanc(tmp_path) as address:
        stored = {name: json.loads(call(f"{address}/instances", content)) for name, content in files.items()}
        assert {one["Status"] for one in stored.values()} == {"Success"}
        numbers = json.loads(call(f"{address}/statistics"))
        series = {name.split("/")[0] if "/" in name and "maps" not in name else name for name in files}
        assert (numbers["CountPatients"], numbers["CountStudies"]) == (1, 1)
        assert (numbers["CountSeries"], numbers["CountInstances"]) == (len(series), len(files))
        (patient,) = json.loads(call(f"{address}/patients?expand"))
        assert patient["MainDicomTags"]["PatientID"] == taken.case_id
        for name, one in stored.items():
            if name != "verdict.dcm":
                preview = np.asarray(Image.open(io.BytesIO(call(f"{address}/instances/{one['ID']}/preview"))))
                assert preview.max() > preview.min(), name
        capture = stored["pictures/picture-001.dcm"]["ID"]
        shown = np.asarray(Image.open(io.BytesIO(call(f"{address}/instances/{capture}/preview"))))
        assert shown.shape == (512, 512, 3)
        assert np.ptp(shown.astype(int), axis=2).max() > 50  # in colour
        report = json.loads(call(f"{address}/instances/{stored['verdict.dcm']['ID']}/simplified-tags"))
        assert report["Modality"] == "SR"


@contextmanager
def orthanc(folder: Path) -> Iterator[str]:
    """Start Orthanc on this machine's own address only, and stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "StorageDirectory": str(folder / "archive"),
        "IndexDirectory": str(folder / "archive"),
        "HttpPort": port,
        "HttpBindAddresses": ["127.0.0.1"],
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": False,
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([ORTHANC, folder / "orthanc.json"], stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/system", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(150):
        if process.poll() is not None:
            break
        try:
            call(address)
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"Orthanc did not answer at {address}")


def call(address: str, content: bytes | None = None) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(address, data=content), timeout=20) as answer:
        return answer.read()
