"""From the claims of a sign-in to the subject in the table of people."""

import pytest

from brainmri.errors import StudyError
from brainmri.people.identity import CLAIM_VARIABLE, read_subject

CLAIMS = {"iss": "https://id.example", "sub": "auth0|AbC", "email": "Sato@H.example", "email_verified": True}


@pytest.fixture(autouse=True)
def _no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CLAIM_VARIABLE, raising=False)


def test_the_address_names_a_person_by_default() -> None:
    assert read_subject(CLAIMS) == "sato@h.example"
    assert read_subject({**CLAIMS, "email_verified": "true"}) == "sato@h.example", "some providers send the word"


def test_an_address_of_which_the_provider_says_nothing_names_nobody() -> None:
    assert read_subject({name: value for name, value in CLAIMS.items() if name != "email_verified"}) is None


@pytest.mark.parametrize("verified", [False, "false", None, 0, "", "no"])
def test_an_address_that_is_not_verified_names_nobody(verified: object) -> None:
    assert read_subject({**CLAIMS, "email_verified": verified}) is None


@pytest.mark.parametrize("email", [None, "", "no address", "https://id.example|sato@h.example"])
def test_no_address_names_nobody(email: object) -> None:
    assert read_subject({"email": email, "email_verified": True}) is None
    assert read_subject({"email_verified": True}) is None


def test_issuer_and_sub_name_a_person_where_that_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CLAIM_VARIABLE, "sub")
    assert read_subject(CLAIMS) == "https://id.example|auth0|AbC"
    assert read_subject({**CLAIMS, "iss": "https://other.example"}) != read_subject(CLAIMS)
    assert read_subject({"sub": "AbC"}) is None, "a sub without its issuer can be anybody's"
    assert read_subject({"iss": "https://id.example"}) is None


def test_another_claim_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CLAIM_VARIABLE, "nickname")
    with pytest.raises(StudyError, match="BRAINMRI_SIGN_IN_CLAIM is 'nickname'; expected email or sub"):
        read_subject(CLAIMS)
