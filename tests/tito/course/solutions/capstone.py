"""Module 20 in another style: the rules are a table, and a report is filled by one function."""

import json
import platform
import time
from datetime import datetime
from enum import Enum
from pathlib import Path

import numpy as np

from tinytorch.core.layers import Layer, Linear
from tinytorch.core.tensor import Tensor


class OlympicEvent(Enum):
    LATENCY_SPRINT = "latency_sprint"
    MEMORY_CHALLENGE = "memory_challenge"
    ACCURACY_CONTEST = "accuracy_contest"
    ALL_AROUND = "all_around"
    EXTREME_PUSH = "extreme_push"


RULES = {
    OlympicEvent.LATENCY_SPRINT: lambda accuracy, latency_ms, size_mb: accuracy >= 0.85,
    OlympicEvent.MEMORY_CHALLENGE: lambda accuracy, latency_ms, size_mb: accuracy >= 0.85,
    OlympicEvent.ACCURACY_CONTEST: lambda accuracy, latency_ms, size_mb: latency_ms < 100 and size_mb < 10,
    OlympicEvent.ALL_AROUND: lambda accuracy, latency_ms, size_mb: True,
    OlympicEvent.EXTREME_PUSH: lambda accuracy, latency_ms, size_mb: accuracy >= 0.80,
}


class SimpleMLP(Layer):
    def __init__(self, input_size=10, hidden_size=20, output_size=3):
        self.first, self.second = Linear(input_size, hidden_size), Linear(hidden_size, output_size)

    def forward(self, x):
        hidden = self.first(x)
        return self.second(hidden * Tensor(hidden.data > 0))

    def count_parameters(self):
        return sum(parameter.data.size for parameter in self.parameters())


class BenchmarkReport:
    def __init__(self, model_name="model"):
        self.model_name, self.metrics, self.timestamp = model_name, {}, datetime.now().isoformat()
        self.system_info = {"platform": platform.platform(), "python_version": platform.python_version()}

    def benchmark_model(self, model, X_test, y_test, num_runs=100):
        times = [self.one_call_ms(model, Tensor(X_test.data[row % len(X_test.data)][None])) for row in range(num_runs)]
        sizes = [parameter.data.size for parameter in model.parameters()]
        self.metrics = {
            "parameter_count": sum(sizes),
            "model_size_mb": 4 * sum(sizes) / 2**20,
            "accuracy": float(np.mean(model.forward(X_test).data.argmax(axis=1) == np.asarray(y_test))),
            "latency_ms_mean": float(np.mean(times)),
            "latency_ms_std": float(np.std(times, ddof=1)),
            "latency_ms_median": float(np.median(times)),
            "latency_ms_p95": float(np.percentile(times, 95)),
            "latency_ms_p99": float(np.percentile(times, 99)),
            "throughput_samples_per_sec": 1000 / float(np.mean(times)),
        }
        return self.metrics

    def one_call_ms(self, model, sample):
        start = time.perf_counter()
        model.forward(sample)
        return 1000 * (time.perf_counter() - start)


def qualifies_event(metrics, event):
    accuracy, latency_ms, size_mb = (metrics[name] for name in ("accuracy", "latency_ms_median", "model_size_mb"))
    if not (0 <= accuracy <= 1 and 0 < latency_ms < np.inf and 0 < size_mb < np.inf):
        raise ValueError("these figures cannot be")
    return RULES[event](accuracy, latency_ms, size_mb)


def generate_submission(baseline_report, optimized_report=None, student_name=None, techniques_applied=None):
    before = baseline_report.metrics
    submission = {
        "tinytorch_version": "1",
        "submission_type": "capstone_benchmark",
        "timestamp": baseline_report.timestamp,
        "system_info": baseline_report.system_info,
        "baseline": {"model_name": baseline_report.model_name, "metrics": before},
    }
    if student_name:
        submission["student_name"] = student_name
    if optimized_report:
        after = optimized_report.metrics
        submission["optimized"] = {
            "model_name": optimized_report.model_name,
            "metrics": after,
            "techniques_applied": techniques_applied or [],
        }
        submission["improvements"] = {
            "speedup": before["latency_ms_mean"] / after["latency_ms_mean"],
            "compression_ratio": before["model_size_mb"] / after["model_size_mb"],
            "accuracy_delta": after["accuracy"] - before["accuracy"],
        }
    return submission


def save_submission(submission, filepath="submission.json"):
    Path(filepath).write_text(json.dumps(submission))


def validate_submission_schema(submission):
    for name in ("tinytorch_version", "submission_type", "timestamp", "system_info", "baseline"):
        assert name in submission, f"{name} is missing"
    return True
