"""Samples to runs: architectures, splits, augmentation, the loop, jobs."""
