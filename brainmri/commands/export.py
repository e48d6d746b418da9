"""The command that lets a network leave the house: export."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainmri.commands.terminal import print_json
from brainmri.study import Study, open_study

if TYPE_CHECKING:
    from brainmri.training.export.checking import Check
    from brainmri.training.export.exporting import ExportedNetwork


def export(options: Namespace) -> int:
    """Write the network of a finished run and its model card into a folder."""
    from brainmri.training.export.exporting import export_network  # noqa: PLC0415 - torch
    from brainmri.training.export.staging import staged  # noqa: PLC0415

    study = open_study(options.study, create=False)
    with staged(options.out) as folder:
        exported = export_network(study, options.run_id, options.file_format, folder)
        checked = _check_record(exported.checked)
        _write_card(study, exported, checked)
        names = sorted(file.name for file in folder.iterdir())
    files = [str(options.out.expanduser() / name) for name in names]
    if options.json:
        print_json({"run": options.run_id, "format": options.file_format, "files": files, "checked": checked})
        return 0
    print("\n".join(files))
    if exported.checked is not None:
        print(
            f"Beside the original on {exported.checked.samples} test images: probabilities differ by at most "
            f"{exported.checked.largest_difference:.1e}."
        )
    return 0


def _write_card(study: Study, exported: ExportedNetwork, checked: dict[str, Any] | None) -> None:
    from brainmri.evaluation.model_card import make_model_card  # noqa: PLC0415
    from brainmri.evaluation.model_card_text import write_card  # noqa: PLC0415

    card = make_model_card(study, exported.run_id)
    file = {"name": exported.path.name, "format": exported.file_format, "sha256": exported.sha256, "checked": checked}
    stem: Path = exported.path.with_name(f"{exported.run_id}-model-card")
    stem.with_suffix(".md").write_text(write_card(card, exported), encoding="utf-8")
    text = json.dumps({**card.to_json(), "file": file}, indent=2, ensure_ascii=False, allow_nan=False)
    stem.with_suffix(".json").write_text(text + "\n", encoding="utf-8")


def _check_record(check: Check | None) -> dict[str, Any] | None:
    if check is None:
        return None
    return {"samples": check.samples, "largest_difference": check.largest_difference}
