"""Frozen records of what was measured, and the numbers that follow from them.

Raw samples are kept (integer nanoseconds, one bit per test sample); every other number here is derived from
them by a `from_...` constructor, so that anybody can derive it again. What was not measured is None.
"""
