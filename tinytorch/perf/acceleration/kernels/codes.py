"""The numbers that programs are written in."""

NONE, RELU, GELU, SIGMOID, TANH = range(5)  # what is done with results
ADD, SUBTRACT, MULTIPLY, DIVIDE = range(4)
FLOATS, CODES, PACKED = range(3)  # forms of a weight
AT_ONCE = 8  # rows of a matrix that are added at once
BYTE_VALUES = 256
HALF_BYTE = 4  # bits of a code of which two share a byte
