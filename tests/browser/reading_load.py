"""Twenty readers at once, without browsers: each speaks to the server as a browser does, and times what it waits for.

``python -m tests.browser.reading_load STUDY [readers] [cases] [seconds of thinking]`` prints the figures for a study.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from brainmri.study import Study, open_study
from brainmri.teaching.choosing import Wish, choose_cases
from brainmri.teaching.plans import SessionPlan
from brainmri.teaching.reading import join
from brainmri.teaching.sessions import count_answers, create_session, read_cases, read_session
from brainmri.training.monitor import list_experiments
from tests.browser.conftest import Server

LAST_DRAWN = "teaching-keys"
"""The page draws it last; what the server does afterwards keeps nobody waiting."""

PATIENCE_S = 60
CHOICES = ("1  Glioblastoma", "2  PCNSL", "3  Meningioma")


@dataclass
class Client:
    """One reader's connection."""

    socket: ClientConnection
    token: str
    ids: dict[str, str] = field(default_factory=dict)
    fragments: dict[str, str] = field(default_factory=dict)
    states: dict[str, WidgetState] = field(default_factory=dict)
    title: str = ""

    async def run(self, *, fragment: str = "", pressed: str = "") -> None:
        """Ask for a run of the page, or of a fragment, with what is filled in."""
        message = BackMsg()
        script = message.rerun_script
        script.query_string, script.page_name, script.fragment_id = f"reader={self.token}", "teaching", fragment
        script.widget_states.widgets.extend(self.states.values())
        if pressed:
            script.widget_states.widgets.append(WidgetState(id=pressed, trigger_value=True))
        await self.socket.send(message.SerializeToString())

    async def drawn(self, marker: str) -> float:
        """Wait for an element whose name holds the marker, or for the end of the session; return the seconds."""
        start = time.perf_counter()
        async with asyncio.timeout(PATIENCE_S):
            while True:
                received = await self.socket.recv()
                if any(marker in name for name in self._take(received)):
                    break
                if self.is_over and _has_finished(received):
                    break
        return time.perf_counter() - start

    async def finished(self) -> None:
        """Wait until the server is idle."""
        async with asyncio.timeout(PATIENCE_S):
            while not _has_finished(await self.socket.recv()):
                pass

    @property
    def is_over(self) -> bool:
        """Whether all cases are read."""
        return self.title.startswith("All cases read")

    def _take(self, received: bytes) -> list[str]:
        message = ForwardMsg.FromString(received)
        if message.WhichOneof("type") != "delta" or message.delta.WhichOneof("type") != "new_element":
            return []
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        proto = getattr(element, kind)
        name = getattr(proto, "id", "")
        if kind == "heading":
            self.title = proto.body
        for part in ("teaching-diagnosis-", "teaching-sure0-", "teaching-action-"):
            if part in name:
                self.ids[part] = name
                self.fragments[part] = message.delta.fragment_id
        return [name]


async def read_all(address: str, token: str, think_s: float, draw: random.Random) -> list[float]:
    """Read the cases as a person does; return how long each next screen took, in seconds."""
    waited = []
    async with connect(f"{address}/_stcore/stream", subprotocols=["streamlit"], max_size=None) as socket:
        client = Client(socket, token)
        await client.run()
        await client.drawn(LAST_DRAWN)
        await client.finished()
        while not client.is_over:
            await asyncio.sleep(draw.uniform(0.5, 1.5) * think_s)
            action, choice = client.ids["teaching-action-"], client.ids["teaching-diagnosis-"]
            if action.endswith("-1"):
                chosen = WidgetState(id=choice)
                chosen.string_array_value.data.append(draw.choice(CHOICES))
                client.states = {choice: chosen}
                await client.run(fragment=client.fragments["teaching-diagnosis-"])
                waited.append(await client.drawn("teaching-action-"))
                await client.finished()
            await client.run(fragment=client.fragments["teaching-action-"], pressed=action)
            waited.append(await client.drawn(LAST_DRAWN))
            if not client.is_over:
                await client.finished()
    return waited


def _has_finished(received: bytes) -> bool:
    message = ForwardMsg.FromString(received)
    return message.WhichOneof("type") == "script_finished" and message.script_finished in (
        ForwardMsg.FINISHED_SUCCESSFULLY,
        ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
    )


def make_places(study: Study, *, readers: int, cases: int) -> tuple[str, list[str]]:
    """Make a session of as many cases, and places in it; return its name and the readers' tokens."""
    finished = [one.experiment_id for one in list_experiments(study) if one.finished]
    experiment_id = finished[0] if finished else None
    reveals = frozenset({"pathology", "others"} | ({"network"} if experiment_id else set()))
    chosen = choose_cases(study, experiment_id, Wish(count=cases))
    plan = SessionPlan(reveals=reveals)
    made = create_session(study, plan, chosen, title="Load", author="Nobody", experiment_id=experiment_id)
    return made.session_id, [join(study, made.code, f"Reader {number}").reader_id for number in range(readers)]


def load(study: Study, server: Server, *, readers: int, cases: int, think_s: float) -> dict[str, float]:
    """Let readers read a session at once; return seconds, megabytes a reader, and answers stored and expected."""
    address = server.address.replace("http", "ws")

    async def everybody(tokens: list[str]) -> list[list[float]]:
        return list(await asyncio.gather(*(read_all(address, one, think_s, random.Random(one)) for one in tokens)))

    def read(tokens: list[str]) -> list[list[float]]:
        with ThreadPoolExecutor(1) as apart:  # playwright keeps a loop running in this thread
            return apart.submit(lambda: asyncio.run(everybody(tokens))).result()

    read(make_places(study, readers=1, cases=1)[1])  # what is loaded once is no session's memory
    session_id, tokens = make_places(study, readers=readers, cases=cases)
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    waited = np.concatenate([np.array(one) for one in read(tokens)])
    plan = SessionPlan.from_json(read_session(study, session_id).plan)
    return {
        "screens": len(waited),
        "p50_s": float(np.percentile(waited, 50)),
        "p95_s": float(np.percentile(waited, 95)),
        "worst_s": float(waited.max()),
        "megabytes_a_session": (process.memory_info().rss - before) / readers / 1e6,
        "answers": count_answers(study, session_id),
        "expected": readers * len(read_cases(study, session_id)) * (2 if plan.asks_again else 1),
    }


def main() -> None:
    folder, *numbers = sys.argv[1:]
    readers, cases, think_s = (float(one) for one in [*numbers, "20", "30", "4"][:3])
    server = Server(Path(folder))
    server.start()
    try:
        for name, value in load(
            open_study(Path(folder)), server, readers=int(readers), cases=int(cases), think_s=think_s
        ).items():
            print(f"{name}: {value:.3f}" if isinstance(value, float) else f"{name}: {value}")
    finally:
        server.kill()


if __name__ == "__main__":
    main()
