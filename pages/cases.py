"""Import, the table of cases, and the panel of one case with corrections."""

import streamlit as st

from brainmri.dashboard.cases import pick_case, pick_cases, read_cases, show_case, show_change, show_table_foot
from brainmri.dashboard.importing import show_import
from brainmri.dashboard.state import current_study, show_phantom_notice

study = current_study()
cases = read_cases(study)

phantoms = any(case.synthetic for case in cases)

st.title("Cases")
if phantoms:
    show_phantom_notice()
show_import(study, expanded=not cases, phantoms=phantoms)
if cases:
    show_change()
    shown = pick_cases(cases)
    case = pick_case(shown)
    show_table_foot(shown, len(cases))
    if case is not None:
        show_case(study, case)
