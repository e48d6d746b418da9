"""Pages import the scores of sessions: that must stay cheap."""

import subprocess
import sys

MODULES = (
    *("against_network", "agreement", "answers", "board", "confidence", "html_parts", "items", "learning", "mrmc"),
    *("multireader", "reliance", "scores", "summary", "summary_html", "tables"),
)
HEAVY = ("torch", "sklearn", "statsmodels", "pandas", "captum", "streamlit", "scipy.stats")


def test_importing_scores_imports_nothing_heavy():
    script = (
        f"import sys, importlib\nfor name in {MODULES!r}: importlib.import_module('brainmri.teaching.' + name)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
