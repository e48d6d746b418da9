"""The commands of ``python -m brainmri``, one module for each group of stages."""
