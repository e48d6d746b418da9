"""A reading session of two readers and their instructor, in a real Chromium, and what a reader's browser gets."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from brainmri.intake.records import Case
from brainmri.study import Study
from brainmri.teaching.choosing import Wish, choose_cases
from brainmri.teaching.plans import SessionPlan
from brainmri.teaching.records import Answer
from brainmri.teaching.sessions import close_session, create_session, list_sessions
from brainmri.training.records import Experiment, Run
from brainmri.vocabulary import TRAINED_DIAGNOSES, display_diagnosis
from tests.browser.conftest import Server, Visitor
from tests.pages.filled import make_filled_study

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PROJECTOR = {"width": 1280, "height": 720}
TABLET = {"width": 820, "height": 1180}
ALL = frozenset({"network", "pathology", "clinical", "note", "others"})
CHOICES = '[class*="st-key-teaching-diagnosis-"] button'


class Guest(Visitor):
    """A visitor with everything that comes and goes between browser and server."""

    def __init__(self, page: object, server: Server) -> None:
        super().__init__(page, server)
        self.traffic: list[bytes] = []
        page.on("websocket", self._listen)
        page.on("response", self._note_response)

    def join(self, code: str, name: str) -> None:
        self.open(f"teaching?code={code}")
        self.page.get_by_role("textbox", name="Your name or a pseudonym").fill(name)
        self.press("Join")
        self.see("Case 1 of")

    def see(self, title: str) -> None:
        expect(self.page.locator("h1", has_text=title)).to_be_visible(timeout=20_000)
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_timeout(400)
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=20_000)
        self.page.wait_for_timeout(400)

    def step(self, words: str) -> None:
        expect(self.page.locator('[class*="st-key-teaching-head"]').get_by_text(words, exact=True)).to_be_visible(
            timeout=20_000
        )
        self.settle()

    def _listen(self, socket: object) -> None:
        for event in ("framesent", "framereceived"):
            socket.on(event, lambda frame: self.traffic.append(frame if isinstance(frame, bytes) else frame.encode()))
        self.traffic.append(socket.url.encode())

    def _note_response(self, response: object) -> None:
        self.traffic.append(f"{response.url} {response.headers}".encode())
        if not re.search(r"/static/|\.(js|css|woff2)", response.url):
            self.traffic.append(response.body() if response.status == 200 else b"")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_filled_study(tmp_path / "room")


@pytest.fixture
def server(study: Study) -> Iterator[Server]:
    server = Server(study.folder)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def guest(chromium, server):
    contexts = []

    def arrive(size=PROJECTOR) -> Guest:
        contexts.append(chromium.new_context(viewport=size))
        return Guest(contexts[-1].new_page(), server)

    yield arrive
    for context in contexts:
        context.close()


def make_session(study: Study, *, count: int = 2, **plan):
    cases = choose_cases(study, "exp-001", Wish(count=count))
    plan = SessionPlan(**{"order": "fixed", "reveals": ALL, "clinical_columns": ("age",), **plan})
    return create_session(study, plan, cases, title="Tuesday round", author="Dr. Ono", experiment_id="exp-001")


def answers_in(study: Study) -> list[tuple[int, str, int, str | None]]:
    with study.session() as session:
        rows = session.scalars(select(Answer).order_by(Answer.id))
        return [(row.position, row.step, row.version, row.diagnosis) for row in rows]


def test_two_readers_and_their_instructor_hold_a_session(study, guest) -> None:
    instructor, first, second = guest(), guest(), guest(TABLET)

    # The instructor makes a session with the mouse, and shows its code.
    instructor.open("teaching")
    page = instructor.page
    page.get_by_role("textbox", name="Title").fill("Tuesday round")
    page.get_by_role("textbox", name="Instructor").fill("Dr. Ono")
    number = page.get_by_role("spinbutton", name="Number")
    number.fill("2")
    number.press("Enter")
    instructor.settle()
    instructor.press("Make the session")
    instructor.see("Tuesday round")
    code = list_sessions(study)[0].session.code
    expect(page.get_by_text(code, exact=True).first).to_be_visible()

    # One reads with the keyboard, the other by touch.
    first.join(code, "Mina")
    second.join(code.lower(), "Kenji")
    expect(page.get_by_text("2 readers joined")).to_be_visible(timeout=15_000)
    for number in (1, 2):
        first.see(f"Case {number} of 2")
        first.page.keyboard.press("2")
        first.settle()
        first.page.keyboard.press("Enter")
        first.step("With the network")
        first.page.keyboard.press("3")
        first.settle()
        expect(first.page.get_by_role("button", name="Change my answer")).to_be_visible()
        first.page.keyboard.press("Enter")
        first.step("The answer")
        first.page.keyboard.press("Enter")

        second.see(f"Case {number} of 2")
        second.page.locator(CHOICES).nth(0).click()
        second.settle()
        second.press("Send")
        second.step("With the network")
        second.press("Keep my answer")
        second.step("The answer")
        expect(second.page.get_by_text("Pathology", exact=True)).to_be_visible()
        second.press("Finish" if number == 2 else "Next case")
    first.see("All cases read")
    second.see("All cases read")
    expect(first.page.get_by_text("Helped / harmed")).to_be_visible()

    # Every answer is there once; the instructor sees the group, without names.
    assert sorted(answers_in(study)) == sorted(
        (position, step, 1, choice)
        for position in (0, 1)
        for step, choice in (
            ("alone", "PCNSL"),
            ("alone", "glioblastoma"),
            ("with network", "meningioma"),
            ("with network", "glioblastoma"),
        )
    )
    page.get_by_role("radio", name="Live").click()
    expect(page.get_by_text("2 readers have joined, 2 finished; 4 of 4 readings are done (100 %).")).to_be_visible(
        timeout=20_000
    )
    expect(page.get_by_text("2 of 2 readers have answered this case")).to_be_visible()
    assert page.get_by_text("Mina").all_inner_texts() == []
    page.get_by_role("radio", name="Results").click()
    expect(page.get_by_text("Readers against the network on the same cases")).to_be_visible(timeout=20_000)
    page.get_by_role("radio", name="On one screen").click()
    expect(page.get_by_text("Case 1 of 2")).to_be_visible(timeout=20_000)
    for words in ("Show the group's answers", "Show the network", "Show the pathology"):
        expect(page.get_by_role("button", name=words)).to_be_visible(timeout=20_000)
        instructor.settle()
        page.keyboard.press("Enter")
    expect(page.get_by_text("Pathology", exact=True)).to_be_visible(timeout=20_000)
    for one in (instructor, first, second):
        assert one.complaints == []
        assert one.outside == []


def test_nothing_that_reaches_an_unanswered_reader_names_the_case_or_its_diagnosis(study, guest) -> None:
    made = make_session(study, mark=True, reasoning=True)
    reader = guest()
    reader.join(made.code, "Mina")
    reader.page.reload()
    reader.see("Case 1 of 2")
    shown = b"\n".join(reader.traffic)
    counts = [shown.count(display_diagnosis(name).encode()) for name in TRAINED_DIAGNOSES]
    assert counts[0] > 0
    assert len(set(counts)) == 1  # the three choices, equally often
    reader.page.keyboard.press("1")
    reader.settle()
    reader.traffic.append(reader.page.content().encode())
    reader.traffic.append(reader.page.url.encode())
    sent = b"\n".join(reader.traffic)
    assert len(sent) > 20_000  # the images came
    with study.session() as session:
        names = [
            *session.scalars(select(Case.case_id)),
            *session.scalars(select(Experiment.experiment_id)),
            *session.scalars(select(Run.run_id)),
            *session.scalars(select(Case.content_digest)),
            made.session_id,
            made.secret,
        ]
    assert len(names) > 15
    assert [name for name in names if name.encode() in sent] == []
    written = [name for name in TRAINED_DIAGNOSES if name != display_diagnosis(name)]
    assert [name for name in written if name.encode() in sent] == []
    assert set(re.findall(r"[?&](\w+)=", reader.page.url)) == {"reader"}


def test_a_reload_comes_back_to_the_same_case_with_what_was_filled_in(study, guest) -> None:
    made = make_session(study, reasoning=True)
    reader = guest()
    reader.join(made.code, "Mina")
    reader.page.keyboard.press("1")
    reader.settle()
    reader.page.get_by_role("textbox", name="Why? One line").fill("ring enhancement")
    reader.page.keyboard.press("Tab")
    reader.settle()
    reader.page.reload()
    reader.see("Case 1 of 2")
    expect(reader.page.get_by_role("textbox", name="Why? One line")).to_have_value("ring enhancement")
    expect(reader.page.locator(CHOICES).first).to_have_attribute("aria-checked", "true")
    reader.page.locator("h1").click()
    reader.page.keyboard.press("Enter")
    reader.step("With the network")
    assert answers_in(study) == [(0, "alone", 1, "glioblastoma")]


def test_a_second_tab_is_told_that_the_first_answer_counts(study, guest) -> None:
    made = make_session(study)
    reader = guest()
    reader.join(made.code, "Mina")
    tab = Guest(reader.page.context.new_page(), reader.server)
    tab.open("teaching?" + reader.page.url.split("?")[1])
    tab.see("Case 1 of 2")
    reader.page.keyboard.press("1")
    reader.settle()
    reader.press("Send")
    reader.step("With the network")
    tab.page.keyboard.press("2")
    tab.settle()
    tab.press("Send")
    tab.step("With the network")
    expect(
        tab.page.get_by_text("This case was answered already. The answer that you gave first counts.")
    ).to_be_visible()
    assert answers_in(study) == [(0, "alone", 1, "glioblastoma")]


def test_when_the_time_is_over_what_was_filled_in_counts(study, guest) -> None:
    made = make_session(study, limit_s=8)
    reader = guest()
    reader.join(made.code, "Mina")
    expect(reader.page.get_by_role("timer")).to_contain_text("0:0")
    reader.page.keyboard.press("2")
    reader.step("With the network")
    expect(reader.page.get_by_text("The time was over. What you had filled in counts as your answer.")).to_be_visible()
    assert answers_in(study) == [(0, "alone", 1, "PCNSL")]


def test_a_closed_session_is_refused_in_a_sentence(study, guest) -> None:
    made = make_session(study)
    close_session(study, made.session_id)
    late = guest()
    late.open(f"teaching?code={made.code}")
    late.page.get_by_role("textbox", name="Your name or a pseudonym").fill("Mina")
    late.press("Join")
    expect(late.page.get_by_text("The session 'Tuesday round' is closed.")).to_be_visible(timeout=20_000)


def test_the_tumour_is_marked_by_a_click_and_the_mark_is_measured(study, guest) -> None:
    made = make_session(study, exercise="locate", reveals=frozenset())
    reader = guest()
    reader.join(made.code, "Mina")
    reader.page.keyboard.press("m")
    reader.page.locator("canvas[data-name=T1c]").click()  # its middle: the phantom's tumour is there on this slice
    expect(reader.page.get_by_text("Marked. Click elsewhere to move the mark, or send it.")).to_be_visible(
        timeout=15_000
    )
    reader.page.reload()
    reader.see("Case 1 of 2")
    expect(reader.page.get_by_text("Marked. Click elsewhere to move the mark, or send it.")).to_be_visible(
        timeout=15_000
    )
    reader.page.keyboard.press("Enter")
    reader.step("The answer")
    expect(reader.page.get_by_text("The mark is inside the tumour.")).to_be_visible()
    with study.session() as session:
        (answer,) = session.scalars(select(Answer)).all()
    assert answer.diagnosis is None
    assert {answer.mark["row"], answer.mark["column"]} <= {15, 16}  # the middle of 32 pixels lies between the two
