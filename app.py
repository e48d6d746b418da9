"""The dashboard's table of pages. Start it with ``streamlit run app.py``."""

import streamlit as st

from brainmri.dashboard.entrance import open_pages
from brainmri.dashboard.frame import configure_page, prepare_libraries, show_sidebar
from brainmri.dashboard.state import address_noted, explain_errors

PAGES = {
    "Study": [
        st.Page("pages/overview.py", title="Overview", icon=":material/home:", default=True),
        st.Page("pages/cases.py", title="Cases", icon=":material/folder_shared:"),
    ],
    "Models": [
        st.Page("pages/training.py", title="Training", icon=":material/model_training:"),
        st.Page("pages/results.py", title="Results", icon=":material/bar_chart:"),
    ],
    "Review": [st.Page("pages/review.py", title="Case review", icon=":material/frame_inspect:")],
    "Teaching": [st.Page("pages/teaching.py", title="Teaching", icon=":material/school:")],
}

configure_page()
with explain_errors():
    page = open_pages(PAGES)
    show_sidebar()
    with address_noted():
        page.run()
prepare_libraries()
