"""The referee: what an entry is judged by that it cannot reach: a clock, inputs, answers and data of its own (T3)."""
