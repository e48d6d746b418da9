"""Parts of the page for reading sessions: a reader's way through the cases, and the instructor's view of it.

What an unanswered reader's browser gets names no case, no run and no diagnosis but the choices: keys of widgets and of
the viewer are the opaque key of the case, and nothing is read here that `brainmri.teaching.reveals` does not allow yet.
"""
