"""Files to cases: DICOM and NIfTI, sequence identification, de-identification, phantoms."""
