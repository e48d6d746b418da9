"""The instructor's key."""

import pytest

from brainmri.errors import StudyError
from brainmri.people import passphrase
from brainmri.people.passphrase import KEY_VARIABLE, LONGEST_WAIT_S, KeyHole, instructor_key

KEY = "correct horse"


class Clock:
    """A clock that goes on when it is told to."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    made = Clock()
    monkeypatch.setattr(passphrase, "time", made)
    return made


def test_without_the_variable_there_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert instructor_key() is None
    assert not KeyHole().try_key(""), "no key opens a lock that is not there"


@pytest.mark.parametrize("key", ["", "   ", "short", "1234567"])
def test_a_key_that_is_too_short_opens_nothing(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv(KEY_VARIABLE, key)
    with pytest.raises(StudyError, match=r"BRAINMRI_INSTRUCTOR_KEY has \d characters; expected 8 or more"):
        instructor_key()
    with pytest.raises(StudyError, match="expected 8 or more"):
        KeyHole().try_key(key)


def test_the_key_opens_and_nothing_else_does(clock: Clock) -> None:
    hole = KeyHole()
    assert hole.try_key(f" {KEY} ")
    assert not hole.try_key(KEY.upper())
    assert not hole.try_key("")
    assert hole.try_key(KEY), "two wrong tries cost nothing yet"


def test_wrong_tries_make_everybody_wait_ever_longer(clock: Clock) -> None:
    hole, waits = KeyHole(), []
    for _ in range(12):
        assert not hole.try_key("wrong key")
        waits.append(hole.seconds_to_wait())
        clock.now += hole.seconds_to_wait()
    assert waits[:6] == pytest.approx([0, 0, 1, 2, 4, 8])
    assert waits[-1] == pytest.approx(LONGEST_WAIT_S)


def test_while_one_waits_the_right_key_is_not_looked_at_either(clock: Clock) -> None:
    hole = KeyHole()
    for _ in range(3):
        hole.try_key("wrong key")
    assert not hole.try_key(KEY)
    clock.now += 1.01
    assert hole.try_key(KEY)
    assert not hole.try_key("wrong key") and hole.seconds_to_wait() == 0, "the right key forgives"


def test_keys_of_any_letters_are_compared(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "かぎ鍵かぎ鍵かぎ")
    assert KeyHole().try_key("かぎ鍵かぎ鍵かぎ")
    assert not KeyHole().try_key("key")
