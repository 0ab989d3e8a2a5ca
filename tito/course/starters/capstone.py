"""Module 20, the capstone: the Torch Olympics.

Two things are to be done. Here you write how a model is reported; then you compete, with an entry of your own:
    tito olympics init
Test this file:  tito module test capstone
"""

import json
import platform
from enum import Enum
from pathlib import Path

import numpy as np

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear
from tinytorch.core.tensor import Tensor


class OlympicEvent(Enum):
    LATENCY_SPRINT = "latency_sprint"
    MEMORY_CHALLENGE = "memory_challenge"
    ACCURACY_CONTEST = "accuracy_contest"
    ALL_AROUND = "all_around"
    EXTREME_PUSH = "extreme_push"


class SimpleMLP:
    """Linear, ReLU, Linear."""

    def __init__(self, input_size=10, hidden_size=20, output_size=3):
        raise NotImplementedError("SimpleMLP(...)")

    def count_parameters(self):
        raise NotImplementedError("count_parameters")


class BenchmarkReport:
    """One model's figures, in self.metrics; self.timestamp and self.system_info say when and where.

    system_info has at least platform and python_version.
    """

    def __init__(self, model_name="model"):
        self.model_name = model_name
        self.metrics = {}

    def benchmark_model(self, model, X_test, y_test, num_runs=100):  # noqa: N803
        """Measure, never invent. Latency is that of one sample; of a model you know forward() and parameters() alone.

        parameter_count, model_size_mb (MiB), accuracy, latency_ms_mean, latency_ms_std, latency_ms_median,
        latency_ms_p95, latency_ms_p99, throughput_samples_per_sec
        """
        raise NotImplementedError("benchmark_model")


def qualifies_event(metrics, event):
    """Whether a report's metrics satisfy what an event demands (docs/capstone.md has the rules).

    KeyError for a metric that is missing, ValueError for one that cannot be.
    """
    raise NotImplementedError("qualifies_event")


def generate_submission(baseline_report, optimized_report=None, student_name=None, techniques_applied=None):
    """A dict: tinytorch_version, submission_type, timestamp, system_info, baseline {model_name, metrics}.

    With a name also student_name; with a second report also optimized {model_name, metrics, techniques_applied} and
    improvements {speedup, compression_ratio, accuracy_delta}.
    """
    raise NotImplementedError("generate_submission")


def save_submission(submission, filepath="submission.json"):
    raise NotImplementedError("save_submission")


def validate_submission_schema(submission):
    """True, or AssertionError with what is missing."""
    raise NotImplementedError("validate_submission_schema")
