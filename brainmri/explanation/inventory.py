"""What is stored of the explanations of a run. Nothing here imports torch, so that pages can ask."""

from __future__ import annotations

from dataclasses import dataclass

from brainmri.explanation.contributions import BASELINES, BaselineName, contributions_file
from brainmri.explanation.method_names import METHODS
from brainmri.explanation.neighbours import ANSWERS_FILE, FEATURES_FILE
from brainmri.explanation.stored_faithfulness import faithfulness_file
from brainmri.study import Study
from brainmri.training.file_names import CHECKPOINT_FILE


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What a page can show of a run without computing."""

    run_id: str
    methods: tuple[str, ...]
    """Map methods; read with `brainmri.explanation.maps.read_maps`."""
    baselines: tuple[BaselineName, ...]
    """Of contributions; read with `brainmri.explanation.contributions.read_contributions`."""
    faithfulness: tuple[str, ...]
    """Map methods; read with `brainmri.explanation.stored_faithfulness.read_faithfulness`."""
    similar_cases: bool
    """Read with `brainmri.explanation.neighbours.read_features`."""
    network: bool
    """What is not stored can be asked of it."""


def take_inventory(study: Study, run_id: str) -> Inventory:
    """Return what is stored of a run; nothing for a run that is not there."""
    folder = study.run_folder(run_id)
    return Inventory(
        run_id=run_id,
        methods=tuple(name for name, method in METHODS.items() if (folder / method.file_name).is_file()),
        baselines=tuple(name for name in BASELINES if (folder / contributions_file(name)).is_file()),
        faithfulness=tuple(name for name in METHODS if (folder / faithfulness_file(name)).is_file()),
        similar_cases=(folder / ANSWERS_FILE).is_file() and (folder / FEATURES_FILE).is_file(),
        network=(folder / CHECKPOINT_FILE).is_file(),
    )
