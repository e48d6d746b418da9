"""Parts of the review page: choices, worklist with its filters, header, images, verdicts, panels, keys."""
