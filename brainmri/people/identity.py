"""Who somebody is to the sign-in: from the claims of OpenID Connect to the subject in the table of people.

References
----------
OpenID Connect Core 1.0, section 5.7: only ``iss`` and ``sub`` together are certain to be stable and unique; an e-mail
address is worth what the provider says about it in ``email_verified`` (section 5.1), and nothing where it is silent: in
some providers people type any address they like into their own account.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from brainmri.errors import StudyError, UsageError
from brainmri.people.roles import normalise_subject

CLAIM_VARIABLE: Final = "BRAINMRI_SIGN_IN_CLAIM"
"""``email`` (default), for a provider that confirms addresses, or ``sub``: issuer and sub, for any provider."""


def read_subject(claims: Mapping[str, Any]) -> str | None:
    """Return the subject that claims name.

    Parameters
    ----------
    claims : mapping
        Of the ID token.

    Returns
    -------
    str or None
        None where they name nobody for certain: without the claim, with an address that the provider does not say it
        has verified, or with one that reads as issuer and sub.

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
    else:
        text = str(claims.get("email") or "")
        if str(claims.get("email_verified")).casefold() != "true" or "|" in text:  # some send the word for the value
            return None
    try:
        return normalise_subject(text)
    except UsageError:
        return None
