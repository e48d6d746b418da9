import subprocess
import sys

import pytest

from brainmri.study import Study
from tests.pages.conftest import APP, OpenPage

HEAVY = ("torch", "torchvision", "captum", "sklearn", "statsmodels")


def test_the_sidebar_names_the_study_and_says_what_it_is_not_for(empty_study: Study, open_page: OpenPage) -> None:
    captions = [caption.value for caption in open_page().sidebar.caption]
    assert any(empty_study.folder.name in caption for caption in captions)
    assert captions.count("For research and teaching. Not for diagnosis.") == 1


def test_a_study_that_cannot_be_opened_is_explained_in_a_sentence(
    empty_study: Study, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = empty_study.folder / "a-file"
    file.write_text("")
    monkeypatch.setenv("BRAINMRI_STUDY", str(file / "study"))
    page = open_page()
    assert "cannot be made" in page.error[0].value


def test_a_study_that_was_deleted_is_opened_afresh(filled_study: Study, open_page: OpenPage) -> None:
    open_page()
    filled_study.folder.rename(filled_study.folder.with_name("moved"))
    assert open_page().button(key="demo").label == "Create the demo study"


@pytest.mark.parametrize("kind", ["empty", "filled"])
def test_the_web_process_stays_without_the_heavy_libraries(kind: str, tmp_path: pytest.TempPathFactory) -> None:
    script = f"""
import os, sys, warnings
from pathlib import Path
folder = Path({str(tmp_path)!r}) / "study"
os.environ["BRAINMRI_STUDY"] = str(folder)
if {kind == "filled"}:
    from tests.pages.filled import make_filled_study
    make_filled_study(folder)
from streamlit.testing.v1 import AppTest
app = AppTest.from_file({str(APP)!r}, default_timeout=60).run()
for page in sorted(Path({str(APP.parent)!r}, "pages").glob("*.py")):
    app.switch_page(f"pages/{{page.name}}").run()
    assert not app.exception, (page, app.exception)
print(*[name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=APP.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == ""
