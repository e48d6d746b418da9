"""The dashboard's table of pages. Start it with ``streamlit run app.py``."""

from pathlib import Path

import streamlit as st

from brainmri.dashboard.frame import configure_page, require_sign_in, show_sidebar
from brainmri.dashboard.state import explain_errors

TABLE = {
    "Study": [
        ("overview", "Overview", ":material/home:"),
        ("cases", "Cases", ":material/folder_shared:"),
    ],
    "Models": [
        ("training", "Training", ":material/model_training:"),
        ("results", "Results", ":material/bar_chart:"),
    ],
    "Review": [("review", "Case review", ":material/frame_inspect:")],
}
PAGES = {
    section: [
        st.Page(f"pages/{name}.py", title=title, icon=icon, default=name == "overview")
        for name, title, icon in rows
        if Path(__file__).with_name("pages").joinpath(f"{name}.py").exists()
    ]
    for section, rows in TABLE.items()
}

configure_page()
require_sign_in()
page = st.navigation({section: pages for section, pages in PAGES.items() if pages})
with explain_errors():
    show_sidebar()
    page.run()
