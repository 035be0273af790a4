"""The classifier as it is used: the bundle, `classify` and the report; no torch."""

from twelvelead.classifier.bundle import BundleError, Classifier, load_bundle, shipped_bundle
from twelvelead.classifier.classify import Opened, Report, classify, classify_many, classify_together, groups

__all__ = [
    "BundleError",
    "Classifier",
    "Opened",
    "Report",
    "classify",
    "classify_many",
    "classify_together",
    "groups",
    "load_bundle",
    "shipped_bundle",
]
