"""Runs to maps: Grad-CAM and its overlays."""
