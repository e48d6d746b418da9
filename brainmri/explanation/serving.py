"""A process that explains cases as it is asked to: it imports torch once, and keeps networks open.

It reads one request a line, ``{"run": RUN, "case": CASE}``, and writes one answer a line, ``{"seconds": …}`` or
``{"error": …}``; first it writes ``{"ready": true}``. ``{"run": RUN}`` only reads the network, so that a case of it
takes less time, and is answered by ``{"opened": …}``. It ends with its input, and after a while without requests: it
holds most of a gigabyte.
"""

from __future__ import annotations

import json
import queue
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TextIO

from brainmri.errors import BrainMRIError

if TYPE_CHECKING:
    from brainmri.study import Study

IDLE_S: Final = 600.0
"""After so long without a request the process ends."""


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
    explainer = CaseExplainer(study)
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(requests, lines), daemon=True).start()
    _say(answers, ready=True)
    while True:
        try:
            line = lines.get(timeout=idle_s)
        except queue.Empty:
            return
        if not line:
            return
        _say(answers, **_answer(explainer, line))


def _listen(requests: TextIO, lines: queue.Queue[str]) -> None:
    """Pass lines on; an empty one at the end of the stream."""
    for line in requests:
        lines.put(line)
    lines.put("")


def _answer(explainer: Any, line: str) -> dict[str, object]:
    """Explain a case, or say why it cannot be explained; whatever goes wrong, the next request is answered."""
    try:
        request = json.loads(line)
        if "case" not in request:
            return {"opened": explainer.prepare(str(request["run"]))}
        done = explainer.explain(str(request["run"]), str(request["case"]))
    except BrainMRIError as error:
        return {"error": str(error)}
    except Exception as error:
        return {"error": f"The case could not be explained. Unexpected {type(error).__name__}: {error}"}
    return {"seconds": done.seconds, "images": done.images}


def _say(answers: TextIO, **answer: object) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
