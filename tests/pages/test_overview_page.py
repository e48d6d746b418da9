from streamlit.testing.v1 import AppTest

from brainmri import tasks
from brainmri.intake.curation import set_diagnosis, set_excluded
from brainmri.study import Study
from tests.pages.conftest import OpenPage


def texts(page: AppTest) -> str:
    return "\n".join(str(one.value) for one in [*page.markdown, *page.caption, *page.info, *page.error])


def test_an_empty_study_says_what_the_software_does_and_offers_two_ways(
    empty_study: Study, open_page: OpenPage
) -> None:
    page = open_page()
    assert "AlexNet, GoogLeNet and ResNet50" in texts(page)
    assert [button.label for button in page.main.button] == ["Create the demo study", "Import your own"]


def test_the_demo_starts_as_a_background_task(empty_study: Study, open_page: OpenPage, started: list) -> None:
    open_page().button(key="demo").click().run()
    assert started == [("demo", ["demo"], None)]


def test_a_running_demo_is_shown_with_its_step_and_can_be_stopped(empty_study: Study, open_page: OpenPage) -> None:
    with tasks.running(empty_study, "demo") as task:
        task.report(0.25, "Drawing patient 3 of 12")
        page = open_page()
        assert "Drawing patient 3 of 12" in texts(page)
        assert "Create the demo study" not in [button.label for button in page.button]
        page.button(key=f"stop-{task.task_id}").click().run()
        assert task.stop_requested()
        assert "Stopping at the next safe point" in texts(page)


def test_a_demo_that_failed_says_why_until_it_is_closed(empty_study: Study, open_page: OpenPage) -> None:
    task_id = tasks._insert(empty_study, "demo", None)
    tasks.TaskHandle(empty_study, task_id).finish(tasks.FAILED, message="The disk is full. Make room.")
    page = open_page()
    assert "The disk is full. Make room." in page.error[0].value
    page.button(key=f"dismiss-{task_id}").click().run()
    assert not page.error


def test_a_demo_that_was_stopped_can_go_on(filled_study: Study, open_page: OpenPage, started: list) -> None:
    task_id = tasks._insert(filled_study, "demo", None)
    tasks.TaskHandle(filled_study, task_id).finish(tasks.STOPPED, message="Stopped as asked.")
    page = open_page()
    assert page.button(key="demo").label == "Continue the demo study"
    page.button(key="demo").click().run()
    assert started == [("demo", ["demo"], None)]


def test_a_filled_study_shows_its_numbers_and_medians(filled_study: Study, open_page: OpenPage) -> None:
    page = open_page()
    metrics = {metric.label: metric.value for metric in page.metric}
    assert metrics["Cases"] == "11"
    assert metrics["Trained networks"] == "6"
    assert metrics["AlexNet"].endswith(" %")
    assert "Phantom data" in texts(page)


def test_cases_without_diagnosis_or_mask_are_named_as_the_next_thing_to_do(
    filled_study: Study, open_page: OpenPage
) -> None:
    assert "1 case has no diagnosis." in texts(open_page())
    set_diagnosis(filled_study, "case-0011", "PCNSL")
    text = texts(open_page())
    assert "1 case has no tumour mask, so training leaves them out." in text
    assert "no diagnosis" not in text


def test_changed_cases_ask_for_a_new_training(filled_study: Study, open_page: OpenPage) -> None:
    assert "changed since the last training" not in texts(open_page())
    set_excluded(filled_study, "case-0001", "motion artefact")
    assert "changed since the last training" in texts(open_page())
