"""Shared parts of the pages. The only package that imports streamlit."""
