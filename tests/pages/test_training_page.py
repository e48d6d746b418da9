from sqlalchemy import select, update

from brainmri import tasks
from brainmri.commands.parser import make_parser
from brainmri.commands.training import _settings
from brainmri.study import Study
from brainmri.training.jobs import pause
from brainmri.training.machine_speeds import store_speeds
from brainmri.training.monitor import read_log_tail
from brainmri.training.records import FAILED, STOPPED, Run
from tests.pages.conftest import OpenPage
from tests.pages.filled import make_study


def start_button(page):
    return next(button for button in page.button if button.label == "Start training")


def test_an_empty_study_cannot_be_trained_on_and_says_what_is_missing(empty_study: Study, open_page: OpenPage) -> None:
    page = open_page("training")
    assert start_button(page).disabled
    assert "Too few cases of glioblastoma, PCNSL and meningioma" in page.warning[0].value


def test_the_form_starts_the_command_that_trains_as_chosen(
    filled_study: Study, open_page: OpenPage, started: list
) -> None:
    page = open_page("training")
    page.button_group(key="by-patient-architectures").set_value(["resnet50"])
    page.number_input(key="by-patient-repeats").set_value(3)
    page.button_group(key="by-patient-split_by").set_value("image")
    page.button_group(key="by-patient-weights").set_value("scratch")
    page.number_input(key="by-patient-learning_rate").set_value(0.01)
    page.run()
    start_button(page).click().run()
    kind, arguments, _subject = started[0]
    options = make_parser().parse_args(arguments)
    settings = _settings(options)
    assert (kind, options.command, options.size) == ("train", "train", 64)
    assert settings.architectures == ("resnet50",)
    assert (settings.repeats, settings.split_by, settings.weights) == (3, "image", "scratch")
    assert settings.learning_rate == 0.01


def test_the_summary_counts_cases_and_images_of_each_class(filled_study: Study, open_page: OpenPage) -> None:
    table = open_page("training").dataframe[0].value
    assert table["Diagnosis"].tolist() == ["Glioblastoma", "PCNSL", "Meningioma"]
    assert table["Cases"].tolist() == [3, 3, 3]
    assert table["Images"].tolist() == [6, 6, 6]


def test_how_long_it_takes_is_told_from_earlier_runs_or_a_measurement(filled_study: Study, open_page: OpenPage) -> None:
    page = open_page("training")
    captions = [caption.value for caption in page.caption]
    assert any("from the speed of earlier runs" in caption for caption in captions)
    page.number_input(key="size").set_value(96).run()
    captions = [caption.value for caption in page.caption]
    assert any("shows after the first run of this size, or after a measurement" in caption for caption in captions)
    speeds = dict.fromkeys(("alexnet", "googlenet", "resnet50"), 50.0)
    store_speeds(filled_study, speeds, size_px=96, device="cpu", processes=2)
    captions = [caption.value for caption in page.run().caption]
    assert any("from a short measurement on this machine" in caption for caption in captions)


def test_a_measurement_is_started_with_what_the_form_holds(
    filled_study: Study, open_page: OpenPage, started: list
) -> None:
    page = open_page("training")
    next(button for button in page.button if button.label == "Measure this machine").click().run()
    ((kind, arguments, _subject),) = started
    assert kind == "measure"
    assert arguments[:2] == ["measure", "--architectures"]
    assert "--size=64" in arguments


def test_missing_published_weights_are_named(filled_study: Study, open_page: OpenPage) -> None:
    captions = "\n".join(caption.value for caption in open_page("training").caption)
    assert "alexnet-owt-7be5be79.pth" in captions


def test_a_weight_file_that_is_not_there_holds_the_start_back(filled_study: Study, open_page: OpenPage) -> None:
    page = open_page("training")
    page.button_group(key="by-patient-weights").set_value("file").run()
    assert start_button(page).disabled
    page.text_input(key="weight-file").set_value("/no/weights.pth").run()
    assert "does not exist" in page.warning[0].value
    assert start_button(page).disabled


def test_a_protocol_brings_its_own_settings(filled_study: Study, open_page: OpenPage, started: list) -> None:
    page = open_page("training")
    page.button_group(key="preset").set_value("as-published").run()
    assert page.button_group(key="as-published-split_by").value == "image"
    assert any("As in the published study: images are split" in caption.value for caption in page.caption)
    page.button_group(key="preset").set_value("quick-look").run()
    assert page.button_group(key="quick-look-mode").value == "head"
    page.button_group(key="quick-look-weights").set_value("scratch").run()
    assert "frozen layers would have learnt nothing" in page.warning[0].value
    assert start_button(page).disabled


def test_a_training_from_the_terminal_is_shown_and_the_next_one_can_be_queued(
    filled_study: Study, open_page: OpenPage
) -> None:
    with filled_study.session() as session:
        session.execute(update(Run).where(Run.repeat == 2).values(status="queued", accuracy=None))
    with tasks.running(filled_study, "train", subject="exp-001"):
        page = open_page("training")
        assert any("3 of 6 runs finished" in caption.value for caption in page.caption)
        assert not start_button(page).disabled


def test_while_a_training_is_prepared_the_next_one_waits(filled_study: Study, open_page: OpenPage) -> None:
    with tasks.running(filled_study, "train") as task:
        task.report(0.5, "Making the data set")
        page = open_page("training")
        assert any("Making the data set" in caption.value for caption in page.caption)
        assert start_button(page).disabled


def test_a_paused_experiment_goes_on_with_a_worker(filled_study: Study, open_page: OpenPage, started: list) -> None:
    with filled_study.session() as session:
        session.execute(update(Run).where(Run.repeat == 2).values(status="queued", accuracy=None))
    pause(filled_study, "exp-001")
    page = open_page("training")
    assert any("paused; finished epochs are kept" in caption.value for caption in page.caption)
    page.button(key="resume-exp-001").click().run()
    assert started == [("worker", ["worker"], None)]


def test_the_end_of_a_log_is_read(filled_study: Study) -> None:
    run_id = "exp-001-alexnet-01"
    log = filled_study.run_folder(run_id) / "log.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("\n".join(f"line {number}" for number in range(50)), encoding="utf-8")
    assert read_log_tail(filled_study, run_id, lines=3) == ["line 47", "line 48", "line 49"]
    assert read_log_tail(filled_study, "exp-001-alexnet-99", lines=3) == []


def test_an_earlier_experiment_links_to_its_results(filled_study: Study, open_page: OpenPage) -> None:
    page = open_page("training", experiment="exp-001")
    assert "exp-001" in [heading.value for heading in page.subheader]
    assert not [button for button in page.button if button.label == "Continue"]


def test_a_stopped_experiment_can_go_on_and_failures_are_in_words(
    filled_study: Study, open_page: OpenPage, started: list
) -> None:
    with filled_study.session() as session:
        session.execute(update(Run).where(Run.repeat == 1).values(status=STOPPED))
        failed = Run.run_id == "exp-001-alexnet-02"
        session.execute(update(Run).where(failed).values(status=FAILED, message="Memory ran out. Close programs."))
    page = open_page("training")
    assert page.error[0].value == "AlexNet 2 failed: Memory ran out. Close programs."
    page.button(key="continue").click().run()
    assert started == [("worker", ["worker"], None)]
    with filled_study.session() as session:
        assert set(session.scalars(select(Run.status).where(Run.repeat == 1))) == {"queued"}


def test_too_few_cases_of_one_class_are_named(empty_study: Study, open_page: OpenPage) -> None:
    make_study(empty_study.folder, ("glioblastoma", "glioblastoma", "PCNSL", "PCNSL", "meningioma"))
    assert "Too few cases of meningioma" in open_page("training").warning[0].value
