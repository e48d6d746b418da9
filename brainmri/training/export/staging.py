"""Files that appear in a folder all together at the end of the work, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from brainmri.errors import UsageError


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Within the block, write into the path that this gives; at its end the files move to the folder.

    Where the block raises, nothing is left, and the folder is not made. Files of the same name are replaced.

    Raises
    ------
    UsageError
        Where the folder cannot be made or written.
    """
    folder = folder.expanduser().absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        stage = TemporaryDirectory(prefix=".brainmri-export-", dir=existing)  # beside the target: a move is a rename
    except OSError as error:
        raise UsageError(
            f"Nothing can be written to {folder}: {error.strerror}. Choose another folder with --out."
        ) from error
    with stage as name:
        yield Path(name)
        _move(Path(name), folder)


def _move(stage: Path, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(stage.iterdir()):
            file.replace(folder / file.name)
    except OSError as error:
        raise UsageError(
            f"The files cannot be put into {folder}: {error.strerror}. Choose another folder with --out."
        ) from error
