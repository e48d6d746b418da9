"""A process that explains cases as it is asked to: it imports torch once, and keeps networks open.

It reads one request a line and writes answers a line each; first it writes ``{"ready": true}``.

- ``{"id": 7, "run": RUN, "case": CASE}``, optionally with ``parts``, ``method`` and ``layer`` as in
  `brainmri.explanation.one_case.CaseExplainer.explain`, is answered by ``{"id": 7, "done": 0.25, "doing": …}`` while
  it works, and by ``{"id": 7, "seconds": …}``, ``{"id": 7, "error": …}`` or ``{"id": 7, "stopped": true}`` at last.
- ``{"stop": 7}`` ends that request, waiting or begun.
- ``{"run": RUN}`` only reads the network, so that a case of it takes less time; it is answered by ``{"opened": …}``.

The process ends with its input, and after a while without requests: it holds most of a gigabyte.
"""

from __future__ import annotations

import json
import math
import queue
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TextIO

from brainmri.errors import BrainMRIError

if TYPE_CHECKING:
    from brainmri.explanation.one_case import CaseExplainer
    from brainmri.study import Study

IDLE_S: Final = 600.0
"""After so long without a request the process ends."""

_REPORT_S: Final = 0.2
"""Between two reports of progress."""


def serve(study: Study, requests: TextIO, answers: TextIO, *, idle_s: float = IDLE_S) -> None:
    """Answer requests until their stream ends or none has come for a while.

    Parameters
    ----------
    study : Study
    requests, answers : text streams
        Lines of JSON.
    idle_s : float
        Seconds.
    """
    from brainmri.explanation.one_case import CaseExplainer  # noqa: PLC0415 - torch

    import_module("torchvision.models")  # the first network would wait for it
    desk = _Desk(answers)
    threading.Thread(target=desk.listen, args=(requests,), daemon=True).start()
    desk.say(ready=True)
    explainer = CaseExplainer(study)
    while (request := desk.next(idle_s)) is not None:
        desk.say(**_answer(explainer, request, desk))


class _StoppedError(Exception):
    """Nobody waits for this request any more."""


class _Desk:
    """Takes requests in while others are worked on, so that these can be stopped."""

    def __init__(self, answers: TextIO) -> None:
        self._answers = answers
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._stopped: set[int] = set()

    def listen(self, requests: TextIO) -> None:
        """Take requests in until the stream ends; stops count at once."""
        for line in requests:
            try:
                request = dict(json.loads(line))
            except (ValueError, TypeError) as error:
                request = {"broken": f"{type(error).__name__}: {error}"}
            if "stop" in request:
                self._stopped.add(int(request["stop"]))
            else:
                self._waiting.put(request)
        self._waiting.put(None)

    def next(self, idle_s: float) -> dict[str, Any] | None:
        """Wait for a request; None at the end of the stream, and where none has come for so many seconds."""
        try:
            return self._waiting.get(timeout=idle_s)
        except queue.Empty:
            return None

    def check(self, request_id: int | None) -> None:
        """End the work on a request that was stopped."""
        if request_id in self._stopped:
            raise _StoppedError

    def say(self, **answer: object) -> None:
        """Write an answer."""
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()


def _answer(explainer: CaseExplainer, request: dict[str, Any], desk: _Desk) -> dict[str, object]:
    """Explain a case, or say why it cannot be explained; whatever goes wrong, the next request is answered."""
    if "broken" in request:
        return {"error": f"The request is not a line of JSON. {request['broken']}"}
    if "case" not in request:
        return {"opened": explainer.prepare(str(request.get("run")))}
    request_id = request.get("id")
    reported = -math.inf

    def report(done: float, doing: str) -> None:
        nonlocal reported
        desk.check(request_id)
        if time.monotonic() - reported >= _REPORT_S:
            reported = time.monotonic()
            desk.say(id=request_id, done=done, doing=doing)

    wishes = {name: request[name] for name in ("parts", "method", "layer") if request.get(name) is not None}
    try:
        desk.check(request_id)
        done = explainer.explain(str(request.get("run")), str(request["case"]), progress=report, **wishes)
    except _StoppedError:
        return {"id": request_id, "stopped": True}
    except BrainMRIError as error:
        return {"id": request_id, "error": str(error)}
    except Exception as error:
        text = f"The case could not be explained. Unexpected {type(error).__name__}: {error}"
        return {"id": request_id, "error": text}
    return {"id": request_id, "seconds": done.seconds, "images": done.images}
