"""Numbers to plotly figures, one module for each package whose records it draws."""
