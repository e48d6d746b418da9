"""Review of cases: what people find, what they correct, and what became of it."""
