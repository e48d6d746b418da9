"""Who sees which page and which button: by sign-in, by the instructor's key, and while reading."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from brainmri.dashboard import access
from brainmri.people.audit import read_trail
from brainmri.people.passphrase import KEY_HOLE, KEY_VARIABLE
from brainmri.people.roles import grant, revoke
from brainmri.study import Study
from brainmri.teaching.choosing import Wish, choose_cases
from brainmri.teaching.plans import SessionPlan
from brainmri.teaching.reading import join
from brainmri.teaching.records import Reader
from brainmri.teaching.sessions import create_session
from tests.pages.conftest import APP

KEY = "correct horse"
PAGES = sorted(file.stem for file in (APP.parent / "pages").glob("*.py"))
CLOSED = [name for name in PAGES if name != "teaching"]
TEACHING = "Teaching"
TURNED_AWAY = "Only reading sessions are open to you here."

SignIn = Callable[..., None]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (KEY_VARIABLE, "BRAINMRI_SIGN_IN_CLAIM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(KEY_HOLE, "_wrong", 0)
    monkeypatch.setattr(KEY_HOLE, "_wait_until", 0.0)


@pytest.fixture
def sign_in(filled_study: Study, monkeypatch: pytest.MonkeyPatch) -> SignIn:
    """Return a function that signs somebody in, with the roles that the study's table then holds."""

    def signed(email: str, *roles: str, name: str | None = None, **claims: Any) -> None:
        if roles:
            grant(filled_study, email, roles, by="test", name=name)
        monkeypatch.setattr(
            st,
            "user",
            {
                "is_logged_in": True,
                "email": email,
                "email_verified": True,
                "name": "As the provider says",
                **claims,
            },
        )

    return signed


def visit(page: str = "overview", **query: str) -> AppTest:
    """Begin a browser session at the address of a page."""
    app = AppTest.from_file(str(APP), default_timeout=30)
    for key, value in query.items():
        app.query_params[key] = value
    if page != "overview":
        app.switch_page(str(Path("pages", f"{page}.py")))
    app.run()
    assert not app.exception, [one.message for one in app.exception]
    return app


def title(app: AppTest) -> str:
    return str(app.title[0].value) if app.title else ""


def words(app: AppTest) -> str:
    """Return all that is written on the page, the sidebar included."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "error", "warning", "code")
    return "\n".join(str(one.value) for kind in kinds for one in app.get(kind))


def buttons(app: AppTest) -> set[str]:
    return {one.label for one in app.button}


def test_without_a_sign_in_one_person_at_their_computer_may_do_everything(filled_study: Study) -> None:
    app = visit("training")
    assert title(app) == "Training" and "Start training" in buttons(app)
    assert not {"Sign in", "Sign out", "Lock again", "Leave reading"} & buttons(app)


@pytest.mark.parametrize("page", PAGES)
def test_nobody_sees_anything_before_the_sign_in(
    page: str, filled_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "user", {"is_logged_in": False})
    app = visit(page)
    assert buttons(app) == {"Sign in"}
    assert filled_study.folder.name not in words(app)


@pytest.mark.parametrize("page", PAGES)
def test_who_signs_in_without_a_role_waits_and_is_told_whom_to_ask(
    page: str, filled_study: Study, sign_in: SignIn
) -> None:
    grant(filled_study, "sato@h.example", ["instructor"], by="test", name="Dr Sato")
    sign_in("New@h.example")
    app = visit(page)
    assert "no role in this study yet" in app.subheader[0].value
    assert "Ask Dr Sato." in words(app) and "new@h.example" in words(app)
    assert buttons(app) == {"Look again", "Sign out"}
    assert filled_study.folder.name not in words(app)


@pytest.mark.parametrize(
    ("library", "page"),
    [("authlib", "overview"), ("authlib", "teaching"), ("httpx", "overview"), ("httpx", "teaching")],
)
def test_what_a_sign_in_lacks_is_said_before_anybody_tries_it(
    library: str, page: str, filled_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "user", {"is_logged_in": False})
    monkeypatch.setitem(sys.modules, library, None)  # as where it is not installed
    app = visit(page)
    assert "pip install -r requirements-signin.txt" in app.error[0].value
    assert {"authlib": "Authlib", "httpx": "httpx"}[library] in app.error[0].value
    assert [(one.label, one.disabled) for one in app.button] == [("Sign in", True)]
    assert filled_study.folder.name not in words(app)


def test_a_sign_in_that_is_half_configured_says_so_in_a_sentence(
    filled_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("authlib", reason="Authlib is not installed: pip install -r requirements-signin.txt")
    monkeypatch.setattr(st, "user", {"is_logged_in": False})
    app = visit()
    app.button[0].click().run()
    assert not app.exception
    assert "Nobody can sign in here yet. To use authentication features you need to" in app.error[0].value


def test_the_command_that_gives_a_role_can_be_copied_whatever_the_sign_in_calls_somebody(
    filled_study: Study, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRAINMRI_SIGN_IN_CLAIM", "sub")
    sign_in("new@h.example", iss="https://id.example", sub="$(id)|a`b'c")
    app = visit()
    command = shlex.split(app.code[1].value)
    assert command == ["python", "-m", "brainmri", "people", "grant", "https://id.example|$(id)|a`b'c", "reader"]


def test_the_first_person_is_told_the_command_and_gets_in_after_it(filled_study: Study, sign_in: SignIn) -> None:
    sign_in("first@h.example")
    app = visit()
    assert "Ask whoever runs this study." in words(app)
    assert "people grant first@h.example" in words(app)
    grant(filled_study, "first@h.example", ["instructor", "reviewer", "may-train"], by="command line")
    app.button(key="look-again").click().run()
    assert title(app) == "Overview"


@pytest.mark.parametrize("verified", [False, None])
def test_an_address_that_the_provider_has_not_verified_opens_nothing(verified: object, sign_in: SignIn) -> None:
    sign_in("sato@h.example", "instructor", "may-train", email_verified=verified)
    app = visit("training")
    assert "does not say who you are" in app.subheader[0].value
    assert buttons(app) == {"Look again", "Sign out"}


def test_roles_that_are_taken_end_at_the_next_click(filled_study: Study, sign_in: SignIn) -> None:
    sign_in("sato@h.example", "reviewer")
    app = visit("cases")
    assert title(app) == "Cases"
    revoke(filled_study, "sato@h.example", by="test")
    app.run()
    assert "no role in this study yet" in app.subheader[0].value and title(app) == "brainmri"


@pytest.mark.parametrize("page", CLOSED)
def test_a_reader_gets_the_teaching_page_whichever_page_the_address_names(page: str, sign_in: SignIn) -> None:
    sign_in("reader@h.example", "reader")
    app = visit(page, experiment="exp-001", case="case-0001")
    assert title(app) == TEACHING
    assert (TURNED_AWAY in words(app)) == (page != "overview"), "the front door needs no excuse"
    assert "case-0001" not in words(app) and "exp-001" not in words(app)
    assert "Start training" not in buttons(app)
    assert not app.query_params.get("case")


def test_the_link_of_a_session_survives_the_way_to_it(sign_in: SignIn) -> None:
    sign_in("reader@h.example", "reader")
    app = visit("overview", code="ABC234")
    assert title(app) == TEACHING
    assert app.query_params["code"] == "ABC234"


def test_a_reader_sees_no_name_of_the_study(filled_study: Study, sign_in: SignIn) -> None:
    sign_in("reader@h.example", "reader", name="Abe")
    app = visit("teaching")
    assert filled_study.folder.name not in words(app)
    assert "Abe" in words(app) and "Sign out" in buttons(app)


def test_without_may_train_nothing_starts_a_training(
    filled_study: Study, sign_in: SignIn, started: list[tuple[str, list[str], str | None]]
) -> None:
    grant(filled_study, "sato@h.example", ["instructor"], by="test", name="Dr Sato")
    sign_in("reviewer@h.example", "reviewer")
    app = visit("training")
    assert title(app) == "Training"
    assert not {"Start training", "Measure this machine", "Continue", "Stop", "Pause"} & buttons(app)
    assert "To start or stop trainings, you need the role *may-train*. Ask Dr Sato." in words(app)
    assert started == []


def test_with_may_train_a_training_starts_and_is_noted(
    filled_study: Study, sign_in: SignIn, started: list[tuple[str, list[str], str | None]]
) -> None:
    sign_in("trainer@h.example", "may-train")
    app = visit("training")
    next(one for one in app.button if one.label == "Start training").click().run()
    assert [kind for kind, _, _ in started] == ["train"]
    entry = read_trail(filled_study)[0]
    assert (entry.person, entry.action) == ("trainer@h.example", "start train")
    assert entry.detail["arguments"] == started[0][1][1:]


def test_a_role_that_is_taken_between_page_and_click_stops_the_training(
    filled_study: Study, sign_in: SignIn, started: list[tuple[str, list[str], str | None]]
) -> None:
    sign_in("trainer@h.example", "may-train", "reviewer")
    app = visit("training")
    revoke(filled_study, "trainer@h.example", ["may-train"], by="test")
    next(one for one in app.button if one.label == "Start training").click().run()
    assert started == []
    assert "you need the role *may-train*" in words(app)


@pytest.mark.parametrize(("role", "may_import"), [("reviewer", True), ("may-train", True), ("instructor", False)])
def test_who_curates_or_trains_may_import(role: str, may_import: bool, sign_in: SignIn) -> None:
    sign_in("person@h.example", role)
    app = visit("cases")
    assert ("Import" in buttons(app)) == may_import
    assert ("To import cases, you need the role *reviewer* or *may-train*." in words(app)) != may_import


def test_an_import_is_noted_without_its_folder(
    filled_study: Study, started: list[tuple[str, list[str], str | None]], tmp_path: Path
) -> None:
    folder = tmp_path / "TANAKA^HANAKO"
    folder.mkdir()
    app = visit("cases")
    app.text_input[0].set_value(str(folder))
    next(one for one in app.button if one.label == "Import").click().run()
    assert started[0][1][1] == str(folder)
    entry = read_trail(filled_study)[0]
    assert (entry.person, entry.action, entry.subject, entry.detail) == ("local", "start import", "", {})


def test_the_name_of_an_author_is_that_of_the_study_and_not_of_the_provider(sign_in: SignIn) -> None:
    assert access.author_name() is None, "without a sign-in people say their name"
    sign_in("sato@h.example", "reviewer", name="Dr Sato")

    def script() -> None:
        import streamlit as st

        from brainmri.dashboard import access

        st.write(access.author_name(), access.current_person().subject)

    assert AppTest.from_function(script).run().markdown[0].value == "Dr Sato sato@h.example"


def read_and_tell() -> None:
    """Become a reader, ask what one may do, and leave: a page for the tests."""
    import streamlit as st

    from brainmri.dashboard import access

    st.button("Join", on_click=access.become_reader, args=("token",))
    st.button("Leave", on_click=access.leave_reading)
    st.write(str(access.reading_as()), str(access.may("instructor")), str(access.may("reader")))


def test_who_reads_is_a_reader_until_they_leave(filled_study: Study) -> None:
    app = AppTest.from_function(read_and_tell).run()
    assert app.markdown[0].value == "None True True"
    app.button[0].click().run()
    assert app.markdown[0].value == "token False True"
    app.button[1].click().run()
    assert app.markdown[0].value == "None True True"


@pytest.fixture
def reader(filled_study: Study) -> Reader:
    """Return a reader of an open session of two cases."""
    cases = choose_cases(filled_study, "exp-001", Wish(count=2, seed=1))
    made = create_session(
        filled_study, SessionPlan(), cases, title="Tuesday", author="Dr Sato", experiment_id="exp-001"
    )
    return join(filled_study, made.code, "Abe")


@pytest.mark.parametrize("page", CLOSED)
def test_a_browser_session_that_reads_gets_its_case_whichever_page_the_address_names(
    page: str, filled_study: Study, reader: Reader
) -> None:
    app = visit()
    app.session_state["access-reading-as"] = reader.reader_id  # as `become_reader` does
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, [one.message for one in app.exception]
    assert "Case 1 of 2" in words(app)
    assert not {"Start training", "Import", "Save diagnosis"} & buttons(app)
    assert filled_study.folder.name not in words(app)


def test_a_reload_of_a_readers_address_stays_with_the_reader(filled_study: Study, reader: Reader) -> None:
    for _ in range(2):  # each visit is a browser session of its own, as after a reload
        app = visit("teaching", reader=reader.reader_id)
        assert "Case 1 of 2" in words(app)
        app.switch_page("pages/training.py").run()
        assert "Start training" not in buttons(app) and "Case 1 of 2" in words(app)


def test_leaving_a_session_opens_the_other_pages_again(filled_study: Study, reader: Reader) -> None:
    app = visit("teaching", reader=reader.reader_id)
    app.button(key="leave-reading").click().run()
    app.switch_page("pages/training.py").run()
    assert title(app) == "Training"


def test_leaving_a_session_opens_nothing_to_who_is_only_a_reader(sign_in: SignIn, reader: Reader) -> None:
    sign_in("reader@h.example", "reader")
    app = visit("teaching", reader=reader.reader_id)
    assert "leave-reading" not in {one.key for one in app.button}
    app.switch_page("pages/training.py").run()
    assert "Start training" not in buttons(app) and title(app) != "Training"


def test_a_browser_session_that_begins_with_a_link_is_a_readers(filled_study: Study) -> None:
    app = visit("teaching", code="ABC234")
    assert title(app) == TEACHING
    app.switch_page("pages/training.py").run()
    assert title(app) == TEACHING and TURNED_AWAY in words(app)
    app.button(key="leave-reading").click().run()
    app.switch_page("pages/training.py").run()
    assert title(app) == "Training"


def test_a_code_in_the_address_later_on_locks_nobody_out(filled_study: Study) -> None:
    app = visit()
    app.query_params["code"] = "ABC234"
    app.switch_page("pages/training.py").run()
    assert title(app) == "Training"


@pytest.mark.parametrize("page", CLOSED)
def test_with_a_key_every_visitor_is_a_reader(page: str, filled_study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    app = visit(page, experiment="exp-001")
    assert title(app) == TEACHING
    assert "Start training" not in buttons(app) and "Leave reading" not in buttons(app)
    assert filled_study.folder.name not in words(app)


def enter_key(app: AppTest, text: str) -> None:
    next(one for one in app.text_input if one.label == "Key").set_value(text)
    next(one for one in app.button if one.label == "Open all pages").click().run()


def test_the_key_opens_all_pages_and_they_can_be_locked_again(
    filled_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    app = visit()
    enter_key(app, "a wrong key")
    assert "This is not the key." in words(app) and title(app) == TEACHING
    assert read_trail(filled_study) == ()
    enter_key(app, KEY)
    assert [(one.person, one.action) for one in read_trail(filled_study)] == [
        ("instructor's key", "enter instructor's key")
    ]
    app.switch_page("pages/training.py").run()
    assert title(app) == "Training" and "Start training" in buttons(app)
    next(one for one in app.button if one.label == "Lock again").click().run()
    assert title(app) == TEACHING


def test_wrong_keys_have_to_wait(filled_study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    monkeypatch.setattr(KEY_HOLE, "_wrong", 9)
    app = visit()
    enter_key(app, "a wrong key")
    enter_key(app, KEY)
    assert "Not taken. Try again in" in words(app) and title(app) == TEACHING


def test_a_new_key_shuts_what_the_old_one_opened(filled_study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    app = visit()
    enter_key(app, KEY)
    monkeypatch.setenv(KEY_VARIABLE, "another horse")
    app.switch_page("pages/training.py").run()
    assert title(app) == TEACHING


def test_a_key_that_is_too_short_shows_nothing(filled_study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "")
    app = visit()
    assert "expected 8 or more" in app.error[0].value
    assert title(app) == "" and filled_study.folder.name not in words(app)


@pytest.mark.parametrize("content", ["[auth", "[auth]\nclient_id = ", "\xff"])
def test_a_sign_in_that_cannot_be_read_opens_the_study_to_nobody(
    content: str, filled_study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secrets.toml").write_bytes(content.encode("latin-1"))
    options = {"secrets.files": [str(tmp_path / "none.toml"), str(tmp_path / "secrets.toml")]}
    monkeypatch.setattr(st, "get_option", lambda name: options[name])
    app = visit("training")
    assert "secrets.toml, which configures the sign-in, cannot be read" in app.error[0].value
    assert title(app) == "" and buttons(app) == set()


def press_and_start() -> None:
    """Offer a button that acts and one that trains again: a page for the tests."""
    import streamlit as st

    from brainmri.dashboard.access import act
    from brainmri.dashboard.progress import start_task
    from brainmri.dashboard.state import current_study

    done = st.session_state.setdefault("done", [])
    st.button("Stop", on_click=act, args=(("may-train",), "stop training", "exp-001", done.append, "stopped"))
    if st.button("Again"):
        start_task(current_study(), "train", ["retrain", "exp-001", "--queue"])
    if st.button("With a file"):
        start_task(current_study(), "train", ["train", "--weights", "/home/tanaka/w.pth", "--epochs", "3"])
    if st.button("Explain"):
        start_task(current_study(), "explain", ["explain-all", "run-1"], subject="run-1")


def test_what_a_button_does_is_noted_and_refused_without_the_role(filled_study: Study, sign_in: SignIn) -> None:
    sign_in("reviewer@h.example", "reviewer")
    app = AppTest.from_function(press_and_start).run()
    app.button[0].click().run()
    assert app.session_state["done"] == []
    assert "To stop training, you need the role *may-train*" in app.toast[0].value
    assert read_trail(filled_study, person="reviewer@h.example") == ()
    sign_in("reviewer@h.example", "may-train")
    app.button[0].click().run()
    assert app.session_state["done"] == ["stopped"]
    (entry,) = read_trail(filled_study, person="reviewer@h.example")
    assert (entry.action, entry.subject) == ("stop training", "exp-001")


def test_starts_are_noted_in_words_and_without_files(
    filled_study: Study, started: list[tuple[str, list[str], str | None]]
) -> None:
    app = AppTest.from_function(press_and_start).run()
    for button in (1, 2, 3):
        app.button[button].click().run()
    assert [(one.action, one.subject, one.detail) for one in reversed(read_trail(filled_study))] == [
        ("freeze corrections and train", "exp-001", {}),
        ("start train", "", {"arguments": ["--weights", "(a file)", "--epochs", "3"]}),
        ("start explain", "run-1", {"arguments": ["run-1"]}),
    ]
    assert len(started) == 3


def test_a_reviewer_may_explain_and_not_train(
    filled_study: Study, sign_in: SignIn, started: list[tuple[str, list[str], str | None]]
) -> None:
    sign_in("reviewer@h.example", "reviewer")
    app = AppTest.from_function(press_and_start).run()
    app.button[1].click().run()
    assert "To start or stop trainings, you need the role *may-train*." in app.error[0].value and started == []
    app.button[3].click().run()
    assert [kind for kind, _, _ in started] == ["explain"]


@pytest.mark.parametrize(("roles", "writes"), [(("instructor",), False), (("reviewer",), True)])
def test_reviewers_alone_write_findings_and_corrections(roles: tuple[str, ...], writes: bool, sign_in: SignIn) -> None:
    sign_in("sato@h.example", *roles)
    app = visit("review")
    assert not app.exception
    assert ("Save finding" in buttons(app)) == writes
    assert any(one.label == "Correct this case" for one in app.toggle) == writes
    assert ("write findings" in words(app)) != writes


def test_findings_carry_the_name_of_who_signed_in(sign_in: SignIn) -> None:
    sign_in("sato@h.example", "reviewer", name="Dr Sato")
    app = visit("review")
    field = next(one for one in app.text_input if one.label == "Reviewer")
    assert (field.value, field.disabled) == ("Dr Sato", True)
