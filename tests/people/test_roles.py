"""Who may do what, in the table of people."""

import pytest
from sqlalchemy import inspect

from brainmri.errors import UsageError
from brainmri.people.audit import read_trail
from brainmri.people.records import PersonRow
from brainmri.people.roles import find_person, grant, known_roles, read_people, revoke, whom_to_ask
from brainmri.study import Study


def test_a_new_study_knows_nobody(study: Study) -> None:
    assert read_people(study) == ()
    assert {"people", "audit_trail"} <= set(inspect(study.engine).get_table_names())


def test_a_person_gets_roles_beside_those_they_have(study: Study) -> None:
    grant(study, "Sato@Hospital.example", ["reviewer"], by="root", name="Dr Sato")
    grant(study, "sato@hospital.example", ["may-train", "instructor"], by="root")
    (person,) = read_people(study)
    assert (person.subject, person.name) == ("sato@hospital.example", "Dr Sato")
    assert person.roles == ["instructor", "reviewer", "may-train"]
    assert person.added_by == "root"
    assert whom_to_ask(study) == ("Dr Sato",)


def test_a_person_is_found_however_the_address_is_written(study: Study) -> None:
    grant(study, "sato@hospital.example", ["reader"], by="root")
    found = find_person(study, " SATO@hospital.EXAMPLE ")
    assert found is not None and found.name == "sato@hospital.example"
    assert find_person(study, "other@hospital.example") is None


@pytest.mark.parametrize("other", ["ma\N{LATIN SMALL LETTER SHARP S}en@h.example", "massen@\N{KELVIN SIGN}.example"])
def test_letters_that_only_resemble_others_are_another_address(other: str, study: Study) -> None:
    grant(study, "massen@h.example", ["instructor"], by="root")
    grant(study, "massen@k.example", ["instructor"], by="root")
    assert find_person(study, other) is None


def test_issuer_and_sub_keep_their_letters(study: Study) -> None:
    grant(study, "https://id.example|AbC", ["reader"], by="root", name="Reader")
    assert find_person(study, "https://id.example|abc") is None
    assert find_person(study, "https://id.example|AbC") is not None


def test_roles_are_taken_one_by_one_or_all_at_once(study: Study) -> None:
    grant(study, "a@b.example", ["reviewer", "may-train"], by="root")
    assert revoke(study, "a@b.example", ["may-train"], by="root").roles == ["reviewer"]
    assert revoke(study, "a@b.example", by="root").roles == []
    assert [one.subject for one in read_people(study)] == ["a@b.example"], "who had roles stays known"


@pytest.mark.parametrize("subject", ["", "   ", "sato", "@hospital", "a@", "a b@c.example", "|sub", "a@b.example\n\0"])
def test_what_no_sign_in_says_is_no_person(study: Study, subject: str) -> None:
    with pytest.raises(UsageError, match=r"neither an e-mail address nor ISSUER\|SUB"):
        grant(study, subject, ["reader"], by="root")


def test_a_word_that_is_no_role_is_refused_and_changes_nothing(study: Study) -> None:
    with pytest.raises(UsageError, match="'admin' is no role; expected instructor, reviewer, reader, may-train"):
        grant(study, "a@b.example", ["reader", "admin"], by="root")
    with pytest.raises(UsageError, match="Name at least one role"):
        grant(study, "a@b.example", [], by="root")
    assert read_people(study) == () and read_trail(study) == ()


def test_a_role_of_a_newer_version_counts_for_nothing() -> None:
    assert known_roles(PersonRow(roles=["reader", "emperor"])) == {"reader"}


def test_two_people_cannot_have_one_name(study: Study) -> None:
    grant(study, "a@b.example", ["reviewer"], by="root", name="Sato")
    with pytest.raises(UsageError, match="Another person of this study has the name 'Sato'"):
        grant(study, "c@d.example", ["reviewer"], by="root", name=" Sato ")
    assert len(read_people(study)) == 1 and len(read_trail(study)) == 1


def test_a_name_has_a_length_that_fits_a_reading_session(study: Study) -> None:
    with pytest.raises(UsageError, match="has 41 characters; expected 1 to 40"):
        grant(study, "a@b.example", ["reviewer"], by="root", name="x" * 41)


def test_roles_of_somebody_unknown_cannot_be_taken(study: Study) -> None:
    with pytest.raises(UsageError, match=r"does not know 'a@b\.example'"):
        revoke(study, "a@b.example", by="root")


def test_what_is_given_and_taken_stands_in_the_audit_trail(study: Study) -> None:
    grant(study, "a@b.example", ["may-train", "reader"], by="root")
    revoke(study, "a@b.example", ["may-train"], by="other")
    taken, given = read_trail(study)
    assert (given.person, given.action, given.subject) == ("root", "grant roles", "a@b.example")
    assert given.detail == {"roles": ["reader", "may-train"], "now": ["reader", "may-train"]}
    assert (taken.person, taken.action) == ("other", "revoke roles")
    assert taken.detail == {"roles": ["may-train"], "now": ["reader"]}
