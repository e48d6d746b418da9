"""The results page: what is chosen at its head, and one module for each section."""
