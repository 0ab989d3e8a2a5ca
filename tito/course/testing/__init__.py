"""Tests of the course's modules: ours, or a student's own file in the place of ours."""

import signal

HOME_VARIABLE = "TITO_TEST_HOME"  # the module that a student's file stands in for, told to the process of the tests
FILE_VARIABLE = "TITO_TEST_FILE"
STACK_SIGNAL = getattr(signal, "SIGUSR1", 0)  # asks that process where it is; testing is refused where there is none
