"""Cases to samples: common grid, intensity, square regions, pseudo-RGB, frozen data sets."""
