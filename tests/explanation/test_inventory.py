"""What pages read needs no network library."""

import subprocess
import sys

from brainmri.explanation.inventory import take_inventory

READING = (
    "contribution_summary",
    "contributions",
    "faithfulness",
    "inventory",
    "maps",
    "method_names",
    "neighbours",
    "stored",
    "stored_faithfulness",
)


def test_reading_needs_no_torch():
    modules = ", ".join(f"brainmri.explanation.{name}" for name in READING)
    heavy = "{'torch', 'captum', 'sklearn', 'statsmodels'}"
    code = f"import sys, {modules}; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_run_without_a_folder_has_nothing(study):
    found = take_inventory(study, "exp-001-alexnet-01")
    assert (found.methods, found.baselines, found.faithfulness, found.similar_cases) == ((), (), (), False)
