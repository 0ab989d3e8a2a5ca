"""The rules of the events, as data: what counts, what must hold, and from when on a difference is one."""
