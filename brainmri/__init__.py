"""Brain-tumour MRI: preprocessing, fine-tuning, comparison, error review and teaching."""

__version__ = "0.1.0"
