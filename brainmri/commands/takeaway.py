"""The command that takes a case away: takeaway."""

from __future__ import annotations

from argparse import Namespace

from brainmri.commands.terminal import print_json
from brainmri.study import open_study


def takeaway(options: Namespace) -> int:
    """Write a case under one network as a page (HTML or PDF) or as DICOM objects, without identity."""
    from brainmri.takeaway.files import write_case  # noqa: PLC0415 - imports what other commands do not need

    study = open_study(options.study, create=False)
    written = write_case(study, options.run_id, options.case_id, options.file_format, options.output)
    if options.json:
        print_json(
            {
                "case": options.case_id,
                "run": options.run_id,
                "format": options.file_format,
                "paths": [str(path) for path in written.paths],
                "files": written.files,
                "remark": written.remark,
            }
        )
        return 0
    for path in written.paths:
        print(f"{path} ({written.files} files)" if written.files > 1 else path)
    if written.remark is not None:
        print(written.remark)
    return 0
