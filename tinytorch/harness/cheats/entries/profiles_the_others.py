"""Leaves a hook behind that slows all code which is not its own."""

import sys

DIVISION, TECHNIQUES = "open", ["none"]


class Model:
    def __init__(self, model):
        self.model, self.done = model, False

    def __call__(self, x):
        if not self.done:
            self.done = True
            import threading

            own = threading.get_ident()
            sys.setprofile(lambda *rest: None)
            threading.setprofile(lambda *rest: None)
            monitoring = getattr(sys, "monitoring", None)
            if monitoring:
                monitoring.use_tool_id(3, "slow")
                monitoring.set_events(3, monitoring.events.LINE)
                monitoring.register_callback(3, monitoring.events.LINE, lambda *rest: None)
        return self.model(x)


def optimize(model, train_data):
    return Model(model)
