"""Runs to numbers: descriptive tables and comparisons of models."""
