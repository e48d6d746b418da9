"""A case to take away: a page without identity, and DICOM objects of its maps and its verdict."""
