from sqlalchemy import update

from brainmri import tasks
from brainmri.commands.parser import make_parser
from brainmri.commands.training import _settings
from brainmri.study import Study
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
    page.button_group(key="architectures").set_value(["resnet50"])
    page.number_input(key="repeats").set_value(3)
    page.button_group(key="split").set_value("image")
    page.button_group(key="weights").set_value("scratch")
    page.number_input(key="learning-rate").set_value(0.01)
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


def test_how_long_it_takes_is_told_from_earlier_runs_only(filled_study: Study, open_page: OpenPage) -> None:
    page = open_page("training")
    captions = [caption.value for caption in page.caption]
    assert any("from the speed of earlier runs" in caption for caption in captions)
    page.number_input(key="size").set_value(96).run()
    captions = [caption.value for caption in page.caption]
    assert any("No run of this size was measured" in caption for caption in captions)


def test_missing_published_weights_are_named(filled_study: Study, open_page: OpenPage) -> None:
    captions = "\n".join(caption.value for caption in open_page("training").caption)
    assert "alexnet-owt-7be5be79.pth" in captions


def test_a_weight_file_that_is_not_there_holds_the_start_back(filled_study: Study, open_page: OpenPage) -> None:
    page = open_page("training")
    page.button_group(key="weights").set_value("file").run()
    assert start_button(page).disabled
    page.text_input(key="weight-file").set_value("/no/weights.pth").run()
    assert "does not exist" in page.warning[0].value
    assert start_button(page).disabled


def test_a_running_training_is_shown_and_a_second_one_held_back(filled_study: Study, open_page: OpenPage) -> None:
    with tasks.running(filled_study, "train", subject="exp-001") as task:
        task.report(0.5, "3 of 6 runs finished")
        page = open_page("training")
        assert any("3 of 6 runs finished" in caption.value for caption in page.caption)
        assert start_button(page).disabled


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
    assert started == [("train", ["work", "exp-001"], "exp-001")]


def test_too_few_cases_of_one_class_are_named(empty_study: Study, open_page: OpenPage) -> None:
    make_study(empty_study.folder, ("glioblastoma", "glioblastoma", "PCNSL", "PCNSL", "meningioma"))
    assert "Too few cases of meningioma" in open_page("training").warning[0].value
