"""How fast this machine trains, from a short measurement, so that a training can be told how long it will take."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from brainmri.database import Base, utc_now
from brainmri.study import Study


class MachineSpeed(Base):
    """The speed of one architecture on one machine at one input size; the newest measurement counts."""

    __tablename__ = "machine_speeds"

    host: Mapped[str] = mapped_column(primary_key=True)
    architecture: Mapped[str] = mapped_column(primary_key=True)
    size_px: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str]
    processes: Mapped[int]
    """Processes that trained at the same time."""
    images_per_second: Mapped[float]
    """Of one of them, all layers trained."""
    measured_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)


def store_speeds(study: Study, speeds: Mapping[str, float], *, size_px: int, device: str, processes: int) -> None:
    """Store the images a second of one process, by architecture, in place of earlier measurements of this machine."""
    with study.session() as session:
        for architecture, images_per_second in speeds.items():
            session.merge(
                MachineSpeed(
                    host=platform.node(),
                    architecture=architecture,
                    size_px=size_px,
                    device=device,
                    processes=processes,
                    images_per_second=images_per_second,
                )
            )


def read_speeds(study: Study, *, size_px: int) -> dict[str, float]:
    """Return the images a second of one process on this machine, by architecture."""
    query = select(MachineSpeed.architecture, MachineSpeed.images_per_second).where(
        MachineSpeed.host == platform.node(), MachineSpeed.size_px == size_px
    )
    with study.session() as session:
        return {row.architecture: row.images_per_second for row in session.execute(query)}
