"""The layers of the design, read from the source."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "brainmri"
PAGES = sorted((ROOT / "pages").glob("*.py"))
STAGES = ("intake", "imaging", "training", "evaluation", "explanation")
ENGINE = ("architectures", "augmentation", "checkpoints", "devices", "loop", "normalisation", "splits", "weights")


def imports(file: Path) -> set[str]:
    """Return the dotted names that a file imports, also those inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def uses(file: Path, *packages: str) -> set[str]:
    return {name for name in imports(file) if any(name == one or name.startswith(f"{one}.") for one in packages)}


def test_only_the_dashboard_imports_streamlit() -> None:
    files = [file for file in PACKAGE.rglob("*.py") if file.relative_to(PACKAGE).parts[0] != "dashboard"]
    assert {str(file.relative_to(ROOT)): found for file in files if (found := uses(file, "streamlit"))} == {}


@pytest.mark.parametrize("page", [ROOT / "app.py", *PAGES], ids=lambda page: page.stem)
def test_pages_hold_no_arithmetic_and_no_files(page: Path) -> None:
    assert uses(page, "numpy", "scipy", "pandas", "torch", "SimpleITK", "pydicom", "statsmodels", "sklearn") == set()


@pytest.mark.parametrize("stage", STAGES)
def test_stages_import_earlier_stages_only(stage: str) -> None:
    later = [f"brainmri.{name}" for name in STAGES[STAGES.index(stage) + 1 :]]
    above = [*later, "brainmri.dashboard", "brainmri.figures", "brainmri.commands"]
    files = (PACKAGE / stage).rglob("*.py")
    assert {file.name: found for file in files if (found := uses(file, *above))} == {}


@pytest.mark.parametrize("module", ENGINE)
def test_the_training_engine_needs_no_database_and_no_dicom(module: str) -> None:
    needs = ("sqlalchemy", "psutil", "pydicom", "brainmri.study", "brainmri.database", "brainmri.training.records")
    assert uses(PACKAGE / "training" / f"{module}.py", *needs) == set()


def test_nothing_unpickles_or_writes_raw_html() -> None:
    files = [ROOT / "app.py", *PAGES, *PACKAGE.rglob("*.py")]
    assert [file.name for file in files if uses(file, "pickle", "joblib", "cloudpickle")] == []
    assert [file.name for file in files if "unsafe_allow_html" in file.read_text(encoding="utf-8")] == []
