"""Who somebody is to the sign-in: from the claims of OpenID Connect to the subject in the table of people.

References
----------
OpenID Connect Core 1.0, section 5.7: only ``iss`` and ``sub`` together are certain to be stable and unique; an e-mail
address is worth what the provider says about it in ``email_verified`` (section 5.1).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from brainmri.errors import StudyError, UsageError
from brainmri.people.roles import normalise_subject

CLAIM_VARIABLE: Final = "BRAINMRI_SIGN_IN_CLAIM"
"""``email`` (default), for a provider of one's own organisation, or ``sub``: issuer and sub, for any provider."""


def read_subject(claims: Mapping[str, Any]) -> str | None:
    """Return the subject that claims name.

    Parameters
    ----------
    claims : mapping
        Of the ID token.

    Returns
    -------
    str or None
        None where they name nobody for certain: without the claim, or with an address that the provider has not
        verified.

    Raises
    ------
    StudyError
        Where `CLAIM_VARIABLE` is something else.
    """
    claim = os.environ.get(CLAIM_VARIABLE, "email")
    if claim not in ("email", "sub"):
        raise StudyError(f"{CLAIM_VARIABLE} is '{claim}'; expected email or sub.")
    if claim == "sub":
        text = f"{claims.get('iss') or ''}|{claims.get('sub') or ''}"
    elif str(claims.get("email_verified", True)).casefold() != "true":
        return None
    else:
        text = str(claims.get("email") or "")
    try:
        return normalise_subject(text)
    except UsageError:
        return None
