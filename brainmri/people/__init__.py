"""Who may do what in a study, and who did it."""
