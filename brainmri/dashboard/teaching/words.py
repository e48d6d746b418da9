"""What people typed, as text between the page's own words."""

from __future__ import annotations

import re
from typing import Final

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:<>])")


def escape_markdown(typed: str) -> str:
    """Return a title or a name so that Markdown shows it as it was typed."""
    return _SPECIAL.sub(r"\\\1", typed)
